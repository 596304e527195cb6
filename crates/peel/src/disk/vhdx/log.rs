//! The log of VHDX ([MS-VHDX] 2.3): what was being written when the machine stopped.
//!
//! A ring of entries, each beginning on 4 KiB:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | `loge` |
//! | 4 | 4 | CRC-32C of the entry, this field as zeros |
//! | 8 | 4 | length of the entry |
//! | 12 | 4 | offset in the log of the oldest entry that still counts |
//! | 16 | 8 | sequence number |
//! | 24 | 4 | number of descriptors |
//! | 32 | 16 | GUID of the log |
//! | 64 | 32 each | descriptors |
//!
//! A descriptor is `desc` (4 last bytes, 8 first bytes, 8 offset in the file, 8 sequence number),
//! whose 4084 bytes between stand in a sector after the descriptors (`data`, 4 high sequence
//! number, the bytes, 4 low sequence number), or `zero` (4 reserved, 8 length, 8 offset).

use super::super::crc32c::crc32c;
use super::super::fields::Fields;
use super::header::{FORMAT, Header};
use super::overlay::Overlay;
use crate::error::PeelError;
use bytes::Bytes;
use lidless_io::number::index;
use lidless_io::{ReadAt, read_exact_vec};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// 16 times the usual log.
const LARGEST: u64 = 16 << 20;
const SECTOR: usize = 4096;
/// Entries may lie in each other in a hostile log: what is summed up at most, as a multiple of
/// the log.
const MOST_SUMMED: u64 = 4;

struct Entry {
    length: u64,
    tail: u64,
    sequence: u64,
    count: u32,
}

/// What the file looks like once its log was replayed; none when there is nothing to replay.
///
/// # Errors
/// When a log has to be replayed and cannot be.
pub(super) fn replay(
    source: &Arc<dyn ReadAt>,
    header: &Header,
) -> Result<Option<Overlay>, PeelError> {
    let Some(guid) = header.log else { return Ok(None) };
    let length = u64::from(header.log_length);
    if length > LARGEST {
        return Err(PeelError::Limit("a VHDX log larger than the limit"));
    }
    // The ring twice, so that every entry is one slice.
    let once = read_exact_vec(&**source, header.log_offset, length)?;
    let mut ring = once.clone();
    ring.extend_from_slice(&once);
    let found = entries(&ring, length, guid);
    let Some(chain) = newest(&found, length) else {
        let expected = "a log that can be replayed";
        return Err(PeelError::malformed(FORMAT, header.log_offset, expected, "none"));
    };
    let mut overlay = Overlay::new(Arc::clone(source));
    for at in chain {
        let Some(entry) = found.get(&at) else { continue };
        let whole = slice(&ring, at, entry.length).unwrap_or(&[]);
        apply(whole, entry, header.log_offset.saturating_add(at), &mut overlay)?;
    }
    Ok(Some(overlay))
}

fn slice(ring: &[u8], at: u64, length: u64) -> Option<&[u8]> {
    let at = usize::try_from(at).ok()?;
    ring.get(at..at.checked_add(usize::try_from(length).ok()?)?)
}

/// Every sound entry, by its offset.
fn entries(ring: &[u8], length: u64, guid: [u8; 16]) -> BTreeMap<u64, Entry> {
    let mut found = BTreeMap::new();
    let mut left = length.saturating_mul(MOST_SUMMED);
    let once = usize::try_from(length).unwrap_or(0);
    for (at, _) in (0u64..).step_by(SECTOR).zip(ring.chunks(SECTOR).take(once / SECTOR)) {
        let Some(begin) = slice(ring, at, 64) else { break };
        let fields = Fields::new(FORMAT, at, begin);
        let Some(entry) = entry(&fields, guid) else { continue };
        if entry.length > length || entry.length > left {
            continue;
        }
        left = left.saturating_sub(entry.length);
        let whole = slice(ring, at, entry.length).unwrap_or(&[]);
        let (Some(magic), Some(sum), Some(rest)) =
            (whole.get(..4), whole.get(4..8), whole.get(8..))
        else {
            continue;
        };
        if sum == crc32c(&[magic, &[0; 4], rest]).to_le_bytes() {
            found.insert(at, entry);
        }
    }
    found
}

fn entry(fields: &Fields<'_>, guid: [u8; 16]) -> Option<Entry> {
    let is_one = &fields.array::<4>(0).ok()? == b"loge" && fields.array::<16>(32).ok()? == guid;
    let length = u64::from(fields.u32_le(8).ok()?);
    let sectors = u64::try_from(SECTOR).ok()?;
    (is_one && length > 0 && length.is_multiple_of(sectors)).then_some(Entry {
        length,
        tail: u64::from(fields.u32_le(12).ok()?),
        sequence: fields.u64_le(16).ok()?,
        count: fields.u32_le(24).ok()?,
    })
}

/// The run of entries with the highest sequence number whose oldest is there, oldest first.
fn newest(found: &BTreeMap<u64, Entry>, length: u64) -> Option<Vec<u64>> {
    let after = |at: u64, entry: &Entry| {
        let next = at.saturating_add(entry.length).checked_rem(length)?;
        let follows = found.get(&next)?.sequence == entry.sequence.checked_add(1)?;
        follows.then_some(next)
    };
    let followed: BTreeSet<u64> = found.iter().filter_map(|(at, one)| after(*at, one)).collect();
    let mut best: Option<(u64, Vec<u64>)> = None;
    let mut walked = BTreeSet::new();
    for start in found.keys().filter(|at| !followed.contains(at)) {
        let mut run = vec![*start];
        let mut at = *start;
        while let Some(next) = found.get(&at).and_then(|entry| after(at, entry)) {
            if !walked.insert(next) {
                break;
            }
            run.push(next);
            at = next;
        }
        let Some(head) = found.get(&at) else { continue };
        let Some(from) = run.iter().position(|at| *at == head.tail) else { continue };
        if best.as_ref().is_none_or(|(sequence, _)| *sequence < head.sequence) {
            best = Some((head.sequence, run.split_off(from)));
        }
    }
    best.map(|(_, run)| run)
}

fn apply(whole: &[u8], entry: &Entry, base: u64, overlay: &mut Overlay) -> Result<(), PeelError> {
    let fields = Fields::new(FORMAT, base, whole);
    let count = index(entry.count);
    let described = count.saturating_mul(32).saturating_add(64);
    let mut data = described.div_ceil(SECTOR).saturating_mul(SECTOR);
    if described > whole.len() {
        return Err(fields.wrong(24, "descriptors inside their entry", count));
    }
    for number in 0..count {
        let at = number.saturating_mul(32).saturating_add(64);
        let (kind, offset) = (fields.array::<4>(at)?, fields.u64_le(at.saturating_add(16))?);
        if fields.u64_le(at.saturating_add(24))? != entry.sequence {
            return Err(fields.wrong(at, "a descriptor of its entry", "another"));
        }
        match &kind {
            b"zero" => overlay.put(offset, fields.u64_le(at.saturating_add(8))?, None),
            b"desc" => {
                let mut sector = Vec::with_capacity(SECTOR);
                sector.extend_from_slice(&fields.array::<8>(at.saturating_add(8))?);
                sector.extend_from_slice(&fields.array::<4084>(data.saturating_add(8))?);
                sector.extend_from_slice(&fields.array::<4>(at.saturating_add(4))?);
                overlay.put(offset, 4096, Some(Bytes::from(sector)));
                data = data.saturating_add(SECTOR);
            }
            _ => return Err(fields.wrong(at, "a descriptor", "something else")),
        }
    }
    Ok(())
}
