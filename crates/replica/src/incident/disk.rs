//! Disk images of terabytes that hold a few pages: the rest was never written.

use crate::random::Random;
use crate::source::Source;

/// A Hyper-V image: the file type identifier of a VHDX (MS-VHDX 2.2.1), and nothing else written.
pub(super) fn vhdx(size: u64) -> Source {
    let mut head = b"vhdxfile".to_vec();
    for unit in "Lab imaging 1.0".encode_utf16() {
        head.extend_from_slice(&unit.to_le_bytes());
    }
    head.resize(512, 0);
    Source::sparse(size, vec![(0, head.into())])
}

/// A fixed-size VHD: a disk with an empty partition table, and the footer in its last 512 bytes
/// ("Virtual Hard Disk Image Format Specification", "Hard Disk Footer Format").
pub(super) fn vhd(size: u64, name: &str) -> Source {
    let data = size.saturating_sub(512);
    let mut footer = b"conectix\0\0\0\x02\0\x01\0\0".to_vec();
    footer.extend_from_slice(&u64::MAX.to_be_bytes()); // no dynamic header
    footer.extend_from_slice(&640_000_000_u32.to_be_bytes()); // seconds since 2000
    footer.extend_from_slice(b"win \0\x0a\0\0Wi2k");
    footer.extend_from_slice(&data.to_be_bytes());
    footer.extend_from_slice(&data.to_be_bytes());
    footer.extend_from_slice(&[0xff, 0xff, 16, 255]); // geometry: the largest
    footer.extend_from_slice(&2_u32.to_be_bytes()); // fixed
    let checksum_at = footer.len();
    footer.extend_from_slice(&[0; 4]);
    footer.extend(Random::named(name).bytes(16));
    footer.resize(512, 0);
    let sum = footer.iter().fold(0_u32, |sum, byte| sum.wrapping_add(u32::from(*byte)));
    if let Some(place) = footer.get_mut(checksum_at..checksum_at.saturating_add(4)) {
        place.copy_from_slice(&(!sum).to_be_bytes());
    }
    let mut sector = vec![0; 510];
    sector.extend_from_slice(&[0x55, 0xaa]);
    Source::sparse(size, vec![(0, sector.into()), (data, footer.into())])
}

/// An empty SQLite database of one page (sqlite.org, "Database File Format", 1.3 and 1.6).
pub(super) fn sqlite() -> Vec<u8> {
    let mut page = b"SQLite format 3\0\x10\0\x01\x01\0\x40\x20\x20".to_vec();
    page.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 1]); // change counter, pages
    page.extend_from_slice(&[0; 12]);
    page.extend_from_slice(&[0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]); // format, UTF-8
    page.resize(92, 0);
    page.extend_from_slice(&[0, 0, 0, 1, 0, 0x2e, 0x5a, 0x20]);
    page.extend_from_slice(&[13, 0, 0, 0, 0, 0x10, 0, 0]); // an empty leaf
    page.resize(4096, 0);
    page
}
