//! Zip archives of stored members, as `torch.save` lays them out: data aligned by padding in the
//! extra field, ZIP64 where an offset needs it (APPNOTE.TXT 4.3.7, 4.3.12, 4.3.14 to 4.3.16).

use crate::source::{Fill, Source};
use std::sync::Arc;

/// A member's content.
pub(super) enum Member {
    /// These bytes.
    Bytes(Vec<u8>),
    /// So many bytes of the fill, whose CRC-32 is known.
    Filled { length: u32, crc: u32 },
}

const WIDE: u64 = 0xffff_ffff;

/// Puts `members` into an archive over `fill`. Data begins at multiples of [`Fill::PERIOD`], so
/// that each filled member begins with the block's first byte.
pub(super) fn archive(fill: Fill, members: Vec<(String, Member)>) -> Source {
    let count = u64::try_from(members.len()).unwrap_or(u64::MAX);
    let mut pieces: Vec<(u64, Arc<[u8]>)> = Vec::new();
    let mut directory = Vec::new();
    let mut offset: u64 = 0;
    for (name, member) in members {
        let (length, crc) = match &member {
            Member::Bytes(bytes) => {
                (u32::try_from(bytes.len()).unwrap_or(u32::MAX), super::checksum::crc32(bytes))
            }
            Member::Filled { length, crc } => (*length, *crc),
        };
        let name_length = u16::try_from(name.len()).unwrap_or(u16::MAX);
        let bare = offset.saturating_add(34).saturating_add(u64::from(name_length));
        let data = bare.div_ceil(Fill::PERIOD).saturating_mul(Fill::PERIOD);
        let padding = u16::try_from(data.saturating_sub(bare)).unwrap_or(0);

        let mut shared = Vec::new();
        shared.extend_from_slice(&[0; 4]); // flags, stored
        shared.extend_from_slice(&[0, 0, 0x21, 0]); // 1980-01-01
        shared.extend_from_slice(&crc.to_le_bytes());
        shared.extend_from_slice(&length.to_le_bytes());
        shared.extend_from_slice(&length.to_le_bytes());
        shared.extend_from_slice(&name_length.to_le_bytes());

        let mut local = b"PK\x03\x04\x2d\0".to_vec();
        local.extend_from_slice(&shared);
        local.extend_from_slice(&padding.saturating_add(4).to_le_bytes());
        local.extend_from_slice(name.as_bytes());
        local.extend_from_slice(b"FB");
        local.extend_from_slice(&padding.to_le_bytes());
        local.resize(local.len().saturating_add(usize::from(padding)), b'Z');

        directory.extend_from_slice(b"PK\x01\x02\x2d\0\x2d\0");
        directory.extend_from_slice(&shared);
        let wide = offset >= WIDE;
        directory.extend_from_slice(&(if wide { 12_u16 } else { 0 }).to_le_bytes());
        directory.extend_from_slice(&[0; 10]); // comment, disk, attributes
        directory.extend_from_slice(&narrow(offset).to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
        if wide {
            directory.extend_from_slice(&[1, 0, 8, 0]);
            directory.extend_from_slice(&offset.to_le_bytes());
        }

        pieces.push((offset, local.into()));
        if let Member::Bytes(bytes) = member {
            pieces.push((data, bytes.into()));
        }
        offset = data.saturating_add(u64::from(length));
    }
    let size = u64::try_from(directory.len()).unwrap_or(u64::MAX);
    let end = offset.saturating_add(size);
    if offset >= WIDE {
        directory.extend_from_slice(b"PK\x06\x06");
        directory.extend_from_slice(&44_u64.to_le_bytes());
        directory.extend_from_slice(&[0x2d, 0, 0x2d, 0]);
        directory.extend_from_slice(&[0; 8]);
        for number in [count, count, size, offset] {
            directory.extend_from_slice(&number.to_le_bytes());
        }
        directory.extend_from_slice(b"PK\x06\x07\0\0\0\0");
        directory.extend_from_slice(&end.to_le_bytes());
        directory.extend_from_slice(&1_u32.to_le_bytes());
    }
    let short = u16::try_from(count).unwrap_or(u16::MAX);
    directory.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    directory.extend_from_slice(&short.to_le_bytes());
    directory.extend_from_slice(&short.to_le_bytes());
    directory.extend_from_slice(&narrow(size).to_le_bytes());
    directory.extend_from_slice(&narrow(offset).to_le_bytes());
    directory.extend_from_slice(&[0; 2]);
    let length = u64::try_from(directory.len()).unwrap_or(u64::MAX);
    pieces.push((offset, directory.into()));
    Source::over(fill, offset.saturating_add(length), pieces)
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
