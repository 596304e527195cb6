//! Transaction logs: what was written and did not reach the hive.
//!
//! After a base block, entries one after the other:
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 4 | `HvLE` |
//! | 4 | 4 | size of the entry |
//! | 12 | 4 | sequence number |
//! | 16 | 4 | length of the bins after it |
//! | 20 | 4 | pages |
//! | 24 | 8 | checksum of everything from 40 |
//! | 32 | 8 | checksum of the 32 bytes before |
//! | 40 | 8 each | pages: offset in the bins, size; then their bytes |

use super::base::{BASE, BINS, Base};
use super::marvin;
use crate::error::RecordError;
use bytes::Bytes;
use lidless_io::number;
use lidless_io::{ReadAt, ReadError, read_vec};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Windows keeps logs far below this; more is not looked at.
const LARGEST: u64 = 64 << 20;
const SECTOR: u64 = 512;
const HEAD: usize = 40;

/// One entry of a log.
struct Change {
    sequence: u32,
    bins_bytes: u32,
    /// Offset in the bins and bytes.
    pages: Vec<(u32, Bytes)>,
}

/// The entries of a log whose checksums hold, in their order, and the log's own base block.
fn changes(log: &dyn ReadAt) -> Result<Vec<Change>, RecordError> {
    let bytes = Bytes::from(read_vec(log, 0, LARGEST)?);
    let mut found: Vec<Change> = Vec::new();
    if Base::read(&bytes).ok().filter(|base| base.kind == 6).is_none() {
        return Ok(found);
    }
    let mut place = number::index(BASE);
    while let Some(change) = change(&bytes, place) {
        let (change, size) = change;
        // Older rounds of the log follow the newest one.
        let goes_on =
            found.last().is_none_or(|last| change.sequence == last.sequence.wrapping_add(1));
        if !goes_on {
            break;
        }
        found.push(change);
        place = place.saturating_add(size);
    }
    Ok(found)
}

fn change(log: &Bytes, place: usize) -> Option<(Change, usize)> {
    let field = |at: usize| number::u32_le(log, place.saturating_add(at));
    if number::slice(log, place, 4)? != b"HvLE" {
        return None;
    }
    let size = number::index(field(4)?);
    let entry = number::slice(log, place, size)?;
    if number::u64_le(entry, 24)? != marvin::sum(entry.get(HEAD..)?)
        || number::u64_le(entry, 32)? != marvin::sum(entry.get(..32)?)
    {
        return None;
    }
    let count = number::index(field(20)?);
    let table = number::slice(entry, HEAD, count.checked_mul(8)?)?;
    let mut data = HEAD.checked_add(table.len())?;
    let mut pages = Vec::with_capacity(count);
    for reference in table.chunks_exact(8) {
        let (offset, length) =
            (number::u32_le(reference, 0)?, number::index(number::u32_le(reference, 4)?));
        number::slice(entry, data, length)?;
        let from = place.checked_add(data)?;
        pages.push((offset, log.slice(from..from.checked_add(length)?)));
        data = data.checked_add(length)?;
    }
    Some((Change { sequence: field(12)?, bins_bytes: field(16)?, pages }, size))
}

/// A hive with the entries of its logs laid over it.
pub(super) struct Patched {
    source: Arc<dyn ReadAt>,
    length: u64,
    sectors: BTreeMap<u64, Bytes>,
}

/// Lays what the logs have over a hive; with the length of the bins then. None when no entry
/// goes on where the hive stopped.
pub(super) fn recover(
    hive: &Arc<dyn ReadAt>,
    base: &Base,
    logs: &[Arc<dyn ReadAt>],
) -> Result<Option<(Patched, u32)>, RecordError> {
    let mut rounds = Vec::new();
    for log in logs {
        rounds.push(changes(&**log)?);
    }
    rounds.retain(|round| !round.is_empty());
    rounds.sort_by_key(|round| round.first().map_or(0, |change| change.sequence));
    let mut next: Option<u32> = None;
    let mut sectors = BTreeMap::new();
    let mut bins_bytes = base.bins_bytes;
    for change in rounds.iter().flatten() {
        let wanted = match next {
            None => change.sequence >= base.secondary || !base.checksum_holds,
            Some(next) => change.sequence == next,
        };
        if !wanted {
            continue;
        }
        next = Some(change.sequence.wrapping_add(1));
        bins_bytes = change.bins_bytes;
        for (offset, page) in &change.pages {
            let start = BINS.saturating_add(u64::from(*offset)) / SECTOR;
            for (number, from) in (start..).zip((0..page.len()).step_by(number::index(SECTOR))) {
                let to = from.saturating_add(number::index(SECTOR)).min(page.len());
                sectors.insert(number, page.slice(from..to));
            }
        }
    }
    if next.is_none() {
        return Ok(None);
    }
    let end = sectors.last_key_value().map_or(0, |(number, bytes)| {
        number.saturating_mul(SECTOR).saturating_add(number::wide(bytes.len()))
    });
    let length = hive.len().max(end);
    Ok(Some((Patched { source: Arc::clone(hive), length, sectors }, bins_bytes)))
}

impl ReadAt for Patched {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let left = number::index(self.length.saturating_sub(offset)).min(buffer.len());
        let Some(buffer) = buffer.get_mut(..left) else { return Ok(0) };
        let got = self.source.read_at(offset, buffer)?;
        if let Some(rest) = buffer.get_mut(got..) {
            rest.fill(0);
        }
        let end = offset.saturating_add(number::wide(buffer.len()));
        for (number, sector) in self.sectors.range(offset / SECTOR..end.div_ceil(SECTOR)) {
            let start = number.saturating_mul(SECTOR);
            let skipped = number::index(offset.saturating_sub(start));
            let to = number::index(start.saturating_sub(offset));
            let from = sector.get(skipped..).unwrap_or(&[]);
            if let Some(target) = buffer.get_mut(to..) {
                let size = target.len().min(from.len());
                if let (Some(target), Some(from)) = (target.get_mut(..size), from.get(..size)) {
                    target.copy_from_slice(from);
                }
            }
        }
        Ok(buffer.len())
    }

    fn gap_bytes(&self) -> u64 {
        self.source.gap_bytes()
    }

    fn lanes(&self) -> usize {
        self.source.lanes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hive::{Hive, HiveState};
    use lidless_io::MemoryBytes;

    fn base_block(mut base: Vec<u8>, kind: u32, primary: u32, secondary: u32) -> Vec<u8> {
        base.truncate(512);
        base[4..8].copy_from_slice(&primary.to_le_bytes());
        base[8..12].copy_from_slice(&secondary.to_le_bytes());
        base[28..32].copy_from_slice(&kind.to_le_bytes());
        let sum = base[..508]
            .chunks(4)
            .fold(0, |sum, word| sum ^ u32::from_le_bytes(word.try_into().unwrap()));
        base[508..512].copy_from_slice(&sum.to_le_bytes());
        base
    }

    fn entry(sequence: u32, bins_bytes: usize, pages: &[(usize, &[u8])]) -> Vec<u8> {
        let data: usize = pages.iter().map(|(_, bytes)| bytes.len()).sum();
        let size = (HEAD + pages.len() * 8 + data).next_multiple_of(512);
        let mut entry = b"HvLE".to_vec();
        for number in [size as u32, 0, sequence, bins_bytes as u32, pages.len() as u32] {
            entry.extend(number.to_le_bytes());
        }
        entry.extend([0; 16]);
        for (offset, bytes) in pages {
            entry.extend((*offset as u32).to_le_bytes());
            entry.extend((bytes.len() as u32).to_le_bytes());
        }
        pages.iter().for_each(|(_, bytes)| entry.extend(*bytes));
        entry.resize(size, 0);
        let first = marvin::sum(&entry[HEAD..]);
        entry[24..32].copy_from_slice(&first.to_le_bytes());
        let second = marvin::sum(&entry[..32]);
        entry[32..40].copy_from_slice(&second.to_le_bytes());
        entry
    }

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
        let (from, to) = (wide(from), wide(to));
        let mut bytes = bytes.to_vec();
        for at in 0..bytes.len() - from.len() {
            if bytes[at..].starts_with(&from) {
                bytes[at..at + to.len()].copy_from_slice(&to);
            }
        }
        bytes
    }

    fn host(hive: &Hive) -> String {
        let key = hive.key("ControlSet001\\Control\\ComputerName\\ComputerName").unwrap().unwrap();
        hive.value(&key, "ComputerName").unwrap().unwrap().text().unwrap()
    }

    /// Windows makes these logs, no tool here does: they are built by the specification.
    #[test]
    fn what_only_the_logs_have_is_laid_over_the_hive() {
        let Some(path) = lidless_kit::fixture("hive/SYSTEM") else { return };
        let new = std::fs::read(path).unwrap();
        let middle = replaced(&new, "WS-ALICE-01", "WS-BOB---02");
        let mut old = replaced(&new, "WS-ALICE-01", "WS-CAROL-03");
        let head = base_block(old.clone(), 0, 9, 7);
        old[..512].copy_from_slice(&head);
        let pages = |bytes: &'_ [u8]| -> Vec<(usize, Vec<u8>)> {
            (4096..bytes.len())
                .step_by(4096)
                .map(|at| (at - 4096, bytes[at..at + 4096].to_vec()))
                .collect()
        };
        let log = |sequence: u32, bytes: &[u8]| {
            let pages = pages(bytes);
            let pages: Vec<(usize, &[u8])> =
                pages.iter().map(|(at, page)| (*at, page.as_slice())).collect();
            entry(sequence, new.len() - 4096, &pages)
        };
        let first = [base_block(old.clone(), 6, 7, 7), log(7, &middle)].concat();
        let second = [base_block(old.clone(), 6, 8, 8), log(8, &new), log(3, &middle)].concat();
        let open = |logs: Vec<Vec<u8>>| {
            let old = Arc::new(MemoryBytes::new(old.clone()));
            Hive::open(old, || {
                let logs = logs.into_iter();
                logs.map(|log| Arc::new(MemoryBytes::new(log)) as Arc<dyn ReadAt>).collect()
            })
            .unwrap()
        };
        let stale = open(vec![]);
        assert_eq!((host(&stale).as_str(), stale.state()), ("WS-CAROL-03", HiveState::Stale));
        let half = open(vec![first.clone()]);
        assert_eq!((host(&half).as_str(), half.state()), ("WS-BOB---02", HiveState::Recovered));
        // In any order; what is left of an older round does not count.
        for logs in [[first.clone(), second.clone()], [second.clone(), first.clone()]] {
            assert_eq!(host(&open(logs.into())), "WS-ALICE-01");
        }
        let mut bad = first.clone();
        bad[512 + 300] ^= 1;
        assert_eq!(open(vec![bad]).state(), HiveState::Stale);
        for place in 512..700 {
            let mut bad = first.clone();
            bad[place] ^= 0x40;
            assert_eq!(open(vec![bad[..place * 9].to_vec()]).state(), HiveState::Stale);
        }
    }
}
