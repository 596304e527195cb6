//! Whether the log holds what was not written to its place yet (XFS Algorithms and Data
//! Structures, "Journaling Log").
//!
//! Sectors of 512 bytes are numbered by cycle: the first word of each, or the second one where
//! the first is `0xfeedbabe`, which begins a record. The log's head is where the number drops.
//! When a file system was left in order, the last record before the head is one operation, at 9
//! in its data the flag `0x20` of an unmount.

use super::super::number::{be32, byte};
use super::superblock::Superblock;
use lidless_io::number::wide;
use lidless_io::{ReadAt, ReadError, Window, read_vec};
use std::sync::Arc;

const RECORD: u32 = 0xfeed_babe;
const SECTOR: u64 = 512;
/// Behind which the last record begins: records of an unmount are two sectors long, but may be
/// padded to the stripe unit of the log, at most 256 KiB.
const BACK: u64 = 260 << 10;

/// What there is to say of the log; none when it is in order.
///
/// # Errors
/// When the log cannot be read.
pub(super) fn gap(
    volume: &Arc<dyn ReadAt>,
    superblock: &Superblock,
) -> Result<Option<&'static str>, ReadError> {
    if superblock.log_start == 0 {
        return Ok(Some("a log of XFS on another device, not replayed"));
    }
    let start = superblock.offset(superblock.log_start);
    let length = superblock.log_blocks.saturating_mul(superblock.block_bytes);
    let log = Window::new(Arc::clone(volume), start, length);
    let sectors = log.len() / SECTOR;
    if sectors < 2 {
        return Ok(Some("a log of XFS past the end of its volume"));
    }
    let cycle = |sector: u64| -> Result<u32, ReadError> {
        let bytes = read_vec(&log, sector.saturating_mul(SECTOR), 8)?;
        let first = be32(&bytes, 0);
        Ok(if first == RECORD { be32(&bytes, 4) } else { first })
    };
    let current = cycle(0)?;
    let (mut low, mut high) = (0u64, sectors);
    while high.saturating_sub(low) > 1 {
        let middle = low.saturating_add(high.saturating_sub(low) / 2);
        if cycle(middle)? == current {
            low = middle;
        } else {
            high = middle;
        }
    }
    // What lies before the head; where that is the start, at the end of the log.
    let end = high.saturating_mul(SECTOR);
    let from = end.saturating_sub(BACK);
    let bytes = read_vec(&log, from, end.saturating_sub(from))?;
    let last = bytes.chunks(512).rposition(|sector| be32(sector, 0) == RECORD);
    let in_order = last.is_some_and(|last| {
        let at = last.saturating_mul(512);
        let record = bytes.get(at..).unwrap_or(&[]);
        be32(record, 40) == 1 && byte(record, 512 + 9) & 0x20 != 0 && wide(record.len()) > SECTOR
    });
    Ok((!in_order).then_some("a log of XFS that was not replayed"))
}
