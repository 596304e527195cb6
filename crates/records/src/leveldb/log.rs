//! The framing of logs and of manifests.
//!
//! Blocks of 32 KiB; in them pieces: checksum (4), length (2), kind (1: 1 whole, 2 first, 3 middle,
//! 4 last), content. A piece never crosses a block; fewer than seven bytes at its end are zeros.

use crate::error::RecordError;
use lidless_io::number;
use lidless_io::{ReadAt, read_vec};
use std::ops::ControlFlow;

const BLOCK: usize = 32 << 10;
/// How many blocks one read brings.
const AHEAD: u64 = 32;
const HEAD: usize = 7;
/// The longest record that is put together.
const LONGEST: usize = 64 << 20;

/// Hands out the records of a log; says how many pieces fit nowhere.
pub(super) fn records(
    source: &dyn ReadAt,
    visit: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
) -> Result<u64, RecordError> {
    let mut broken = 0u64;
    let mut pending: Option<Vec<u8>> = None;
    let mut offset = 0u64;
    let step = number::wide(BLOCK).saturating_mul(AHEAD);
    while offset < source.len() {
        let chunk = read_vec(source, offset, step)?;
        if chunk.is_empty() {
            break;
        }
        for block in chunk.chunks(BLOCK) {
            let mut rest = block;
            while rest.len() >= HEAD {
                let length = number::u16_le(rest, 4).map_or(0, usize::from);
                let kind = rest.get(6).copied().unwrap_or(0);
                let Some(piece) =
                    number::slice(rest, HEAD, length).filter(|_| (1..=4).contains(&kind))
                else {
                    // Space set aside and never written is zeros; the rest of a block is lost
                    // when anything else is wrong with it.
                    let empty = rest.iter().all(|byte| *byte == 0);
                    broken = broken.saturating_add(u64::from(!empty));
                    break;
                };
                rest = rest.get(HEAD.saturating_add(length)..).unwrap_or(&[]);
                let whole = match (kind, &mut pending) {
                    (1, _) => {
                        pending = None;
                        Some(piece.to_vec())
                    }
                    (2, _) => {
                        pending = Some(piece.to_vec());
                        None
                    }
                    (_, Some(so_far)) if so_far.len().saturating_add(length) <= LONGEST => {
                        so_far.extend_from_slice(piece);
                        if kind == 4 { pending.take() } else { None }
                    }
                    _ => {
                        pending = None;
                        broken = broken.saturating_add(1);
                        None
                    }
                };
                if let Some(whole) = whole
                    && visit(&whole).is_break()
                {
                    return Ok(broken);
                }
            }
        }
        offset = offset.saturating_add(number::wide(chunk.len()));
    }
    // A record that was being written when the machine stopped.
    Ok(broken.saturating_add(u64::from(pending.is_some())))
}
