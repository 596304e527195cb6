//! The Apple partition map (Inside Macintosh, Devices, chapter 3): an entry a block from block 1
//! on; the first entry describes the map itself.
//!
//! ```text
//! block 0  0   2  "ER"
//!          2   2  bytes in a block
//! entry    0   2  "PM"
//!          4   4  entries in the map
//!          8   8  first block of the partition, blocks
//!         16  32  name
//!         48  32  kind
//! ```

use super::part::{Part, Scheme};
use crate::error::PeelError;
use lidless_io::number::{index, u16_be, u32_be, wide};
use lidless_io::{ReadAt, read_vec};

const APM: &str = "Apple partition map";
/// Entries that are read at most: maps have some ten.
const ENTRIES: u64 = 256;
/// Where the descriptor of an ISO 9660 disc stands, which says the same again: disc images made
/// to start a Mac have both.
const DISC: std::ops::Range<usize> = 0x8001..0x8006;

/// The partition map of Macs before Intel, and of discs.
pub(super) struct ApplePartitions;

impl Scheme for ApplePartitions {
    fn name(&self) -> &'static str {
        APM
    }

    fn parts(&self, disk: &dyn ReadAt, head: &[u8]) -> Option<Result<Vec<Part>, PeelError>> {
        if head.get(DISC) == Some(b"CD001") {
            return None;
        }
        // The block size of the head is that of the disc, the map's own may be 512 all the same.
        let said = u16_be(head, 2).filter(|_| head.starts_with(b"ER")).map(u64::from);
        let size = [Some(512), said, Some(2048)].into_iter().flatten().find(|size| {
            let at = index(*size);
            let entry = head.get(at..).unwrap_or(&[]);
            entry.starts_with(b"PM\0\0") && u32_be(entry, 4).is_some_and(|count| count > 0)
        })?;
        Some(entries(disk, head, size))
    }
}

fn entries(disk: &dyn ReadAt, head: &[u8], size: u64) -> Result<Vec<Part>, PeelError> {
    let count = head.get(index(size)..).and_then(|entry| u32_be(entry, 4)).unwrap_or(0);
    let count = u64::from(count).min(ENTRIES);
    let length = size.saturating_mul(count.saturating_add(1));
    let held = wide(head.len());
    let map = if held >= length { head.to_vec() } else { read_vec(disk, 0, length)? };
    let mut parts = Vec::new();
    for number in 1..=count {
        let offset = number.saturating_mul(size);
        let entry = map.get(index(offset)..).unwrap_or(&[]);
        if !entry.starts_with(b"PM") {
            return Err(PeelError::malformed(APM, offset, "an entry", "another signature"));
        }
        let short = || PeelError::malformed(APM, offset, "an entry", "its end");
        let start = u64::from(u32_be(entry, 8).ok_or_else(short)?).saturating_mul(size);
        let blocks = u64::from(u32_be(entry, 12).ok_or_else(short)?);
        let kind = entry.get(48..80).ok_or_else(short)?;
        let kind = kind.split(|byte| *byte == 0).next().unwrap_or(&[]);
        let kind: String =
            kind.iter().map(|byte| char::from(*byte)).filter(char::is_ascii_graphic).collect();
        let lower = kind.to_ascii_lowercase();
        let reserved = ["map", "driver", "patches", "free", "boot", "void", "scratch"];
        // What a disc calls the rest of it, between and behind the partitions.
        let filler = lower == "iso9660_data";
        parts.push(Part {
            number: u32::try_from(number).unwrap_or(u32::MAX),
            start,
            length: blocks.saturating_mul(size),
            is_reserved: filler || reserved.iter().any(|word| lower.contains(word)),
            kind,
        });
    }
    Ok(parts)
}
