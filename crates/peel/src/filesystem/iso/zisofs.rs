//! Compressed files of zisofs, version 1.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 8 | `37 e4 53 96 c9 db d6 07` |
//! | 8 | 4 | length when unpacked |
//! | 12 | 1 | length of this header, in words of 4 bytes |
//! | 13 | 1 | block size, as a power of two: 15 to 17 |
//! | header | 4 each | where each block begins in the file, and where the last ends |
//!
//! Blocks are zlib streams; one without bytes is zeros.

use super::super::blocks::{Blocks, Packed};
use crate::error::PeelError;
use lidless_io::number::{index, wide};
use lidless_io::{Extents, ReadAt, read_vec};
use std::io::Read as _;
use std::ops::Range;
use std::sync::Arc;

const MAGIC: &[u8] = b"\x37\xe4\x53\x96\xc9\xdb\xd6\x07";

struct Zisofs {
    stored: Extents,
    /// Where blocks begin.
    starts: Vec<u32>,
}

impl Packed for Zisofs {
    fn source(&self) -> &dyn ReadAt {
        &self.stored
    }

    fn range(&self, block: u64) -> Range<u64> {
        let at = index(block);
        let pair = (self.starts.get(at), self.starts.get(at.saturating_add(1)));
        match pair {
            (Some(from), Some(to)) => u64::from(*from)..u64::from(*to).max(u64::from(*from)),
            _ => 0..0,
        }
    }

    fn unpack(&self, _: u64, packed: &[u8], length: usize) -> std::io::Result<Vec<u8>> {
        let mut whole = Vec::with_capacity(length);
        let most = wide(length);
        flate2::read::ZlibDecoder::new(packed).take(most).read_to_end(&mut whole)?;
        Ok(whole)
    }
}

/// The content of a compressed file that says it unpacks to `length` bytes.
///
/// # Errors
/// `Malformed`, `Read`.
pub(super) fn unpacked(stored: Extents, length: u64) -> Result<Arc<dyn ReadAt>, PeelError> {
    let head = read_vec(&stored, 0, 2048)?;
    let bad = |found: &str| PeelError::malformed("ISO 9660", 0, "a header of zisofs", found);
    let [size @ .., words, shift] =
        *head.get(8..14).and_then(|b| b.first_chunk::<6>()).ok_or_else(|| bad("less"))?;
    let own = u64::from(u32::from_le_bytes(size));
    if !head.starts_with(MAGIC) || !(15..=17).contains(&shift) || own != length {
        return Err(bad("other numbers"));
    }
    let block_bytes = 1u64.checked_shl(u32::from(shift)).unwrap_or(1);
    let count = length.div_ceil(block_bytes).saturating_add(1);
    let table = u64::from(words).saturating_mul(4);
    let bytes = count.saturating_mul(4);
    if table.saturating_add(bytes) > stored.len() {
        return Err(bad("more blocks than fit"));
    }
    let read = read_vec(&stored, table, bytes)?;
    let starts = read.as_chunks::<4>().0.iter().map(|start| u32::from_le_bytes(*start)).collect();
    Ok(Arc::new(Blocks::new(Zisofs { stored, starts }, block_bytes, length)))
}
