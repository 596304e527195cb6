//! Virtual partitions, of discs that are written once: a table says where each block lies now
//! (OSTA UDF 2.60, section 2.2.11; of UDF 1.50, section 2.2.10 there).
//!
//! The file entry of the table is the last block that was written. From UDF 2.00 on its kind is
//! 248, and the table begins with the length of a head (2 bytes); before, it ends with a name of
//! 32 bytes and the place of the table before it (4). Between lie the blocks, 4 bytes each, the
//! highest number for one that is not in use.

use super::entry::{Entry, Form};
use super::extents::extents_of;
use super::space::Space;
use lidless_io::number::u16_le;
use lidless_io::{Extent, Extents, ReadAt, read_vec};
use std::sync::Arc;

/// How far from the end the table's entry is looked for: what drives write after it.
const RUN_OUT: u64 = 256;
/// How long a table may be: of a disc of 25 GB it has 50 MB at most, and never comes near that.
const TABLE_BYTES: u64 = 16 << 20;
const NAME: &[u8] = b"*UDF Virtual Alloc Tbl";
const UNUSED: u32 = u32::MAX;

/// The blocks of the virtual partition over `space`, whose only partition begins at `start`.
pub(super) fn blocks(source: &Arc<dyn ReadAt>, space: &Space, start: u64) -> Option<Extents> {
    let table = table(source, space)?;
    let size = space.block_bytes;
    let mut pieces: Vec<Extent> = Vec::new();
    let mut at = 0u64;
    for block in table {
        let place = start.saturating_add(u64::from(block).saturating_mul(size));
        match pieces.last_mut() {
            _ if block == UNUSED => {}
            Some(Extent { at: begin, length, source: Some(source) })
                if begin.saturating_add(*length) == at
                    && source.saturating_add(*length) == place =>
            {
                *length = length.saturating_add(size);
            }
            _ => pieces.push(Extent { at, length: size, source: Some(place) }),
        }
        at = at.saturating_add(size);
    }
    Some(Extents::new(Arc::clone(source), pieces, at))
}

/// The newest table.
fn table(source: &Arc<dyn ReadAt>, space: &Space) -> Option<Vec<u32>> {
    let size = space.block_bytes;
    let behind = source.len().checked_div(size)?;
    let first = behind.saturating_sub(RUN_OUT);
    let from = first.saturating_mul(size);
    let last = read_vec(&**source, from, behind.saturating_sub(first).saturating_mul(size)).ok()?;
    let step = usize::try_from(size).ok()?;
    last.chunks(step).rev().find_map(|block| {
        let entry = Entry::parse(block, 0).filter(|entry| matches!(entry.file_kind, 0 | 248))?;
        let bytes = match entry.form {
            Form::Inline(_) => entry.extents.clone(),
            _ => {
                let whole = extents_of(source, space, 0, &entry).ok()?;
                read_vec(&whole, 0, entry.length.min(TABLE_BYTES)).ok()?
            }
        };
        let length = usize::try_from(entry.length).ok()?;
        let bytes = bytes.get(..length)?;
        let own = if entry.file_kind == 248 {
            let head = usize::from(u16_le(bytes, 0)?);
            bytes.get(head..)?
        } else {
            let (own, tail) = bytes.split_at_checked(bytes.len().checked_sub(36)?)?;
            tail.get(1..)?.starts_with(NAME).then_some(own)?
        };
        Some(own.as_chunks::<4>().0.iter().map(|block| u32::from_le_bytes(*block)).collect())
    })
}
