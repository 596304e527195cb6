//! Files with compressed extents, decoded one extent at a time.

use super::super::batch::{Piece, read_in_order};
use super::super::number::{le32, part};
use super::item::{Extent, Packing};
use crate::coding::{Coding, decode, lzo};
use bytes::Bytes;
use lidless_io::number::{index, wide};
use lidless_io::{ReadAt, ReadError, ReadErrorKind, read_exact_vec};
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::{Arc, Mutex, PoisonError};

/// What an extent holds when decoded: the kernel makes 128 KiB.
const LARGEST: u64 = 1 << 20;

/// How much of the stored forms of many files is read ahead together.
const AHEAD: u64 = 16 << 20;

/// A volume of which some pieces were read already.
struct Ahead {
    volume: Arc<dyn ReadAt>,
    pieces: BTreeMap<u64, Bytes>,
}

impl ReadAt for Ahead {
    fn len(&self) -> u64 {
        self.volume.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let before = self.pieces.range(..=offset).next_back();
        let known = before.and_then(|(start, bytes)| {
            let from = index(offset.saturating_sub(*start));
            bytes.get(from..from.checked_add(buffer.len())?)
        });
        match known {
            Some(known) => {
                buffer.copy_from_slice(known);
                Ok(buffer.len())
            }
            None => self.volume.read_at(offset, buffer),
        }
    }

    fn gap_bytes(&self) -> u64 {
        self.volume.gap_bytes()
    }

    fn lanes(&self) -> usize {
        self.volume.lanes()
    }
}

/// Reads the stored forms of many files together, in the order of the disk.
///
/// # Errors
/// When the budget is spent.
pub(super) fn read_ahead(
    volume: &Arc<dyn ReadAt>,
    files: &mut [&mut Packed],
) -> Result<(), ReadError> {
    let mut left = AHEAD;
    let mut wanted = Vec::new();
    for extent in files.iter().flat_map(|file| &file.extents) {
        let length = match extent.packing {
            Packing::Plain => extent.length,
            _ => extent.stored_length,
        };
        let Some(rest) = left.checked_sub(length) else { break };
        left = rest;
        wanted.push(Piece { start: extent.stored, length, tag: extent.stored });
    }
    let mut pieces = BTreeMap::new();
    read_in_order(&**volume, wanted, &mut |start, at, bytes| {
        if at == 0 {
            pieces.insert(start, Bytes::copy_from_slice(bytes));
        }
    })?;
    let ahead: Arc<dyn ReadAt> = Arc::new(Ahead { volume: Arc::clone(volume), pieces });
    for file in files {
        file.volume = Arc::clone(&ahead);
    }
    Ok(())
}

/// What an extent that lay in a leaf holds; none when that is less than `size`, or broken.
pub(super) fn unpack_kept(
    extent: &Extent,
    kept: &[u8],
    size: u64,
    sector_bytes: u64,
) -> Option<Vec<u8>> {
    let fits = extent.at == 0 && extent.decoded <= LARGEST;
    let mut whole = fits.then(|| unpack(extent, kept.to_vec(), sector_bytes).ok()).flatten()?;
    (wide(whole.len()) >= size).then(|| whole.truncate(index(size)))?;
    Some(whole)
}

/// A file some extents of which are compressed. What no extent covers reads as zeros.
pub(super) struct Packed {
    pub(super) volume: Arc<dyn ReadAt>,
    /// In order; `stored` is a place in the volume.
    pub(super) extents: Vec<Extent>,
    pub(super) length: u64,
    pub(super) sector_bytes: u64,
    /// The extent that was decoded last.
    pub(super) last: Mutex<Option<(usize, Bytes)>>,
}

impl Packed {
    fn decoded(&self, number: usize, extent: &Extent) -> Result<Bytes, ReadError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, bytes)) = &*last
            && *known == number
        {
            return Ok(bytes.clone());
        }
        if extent.decoded > LARGEST || extent.stored_length > LARGEST {
            return Err(malformed("a compressed extent larger than the limit"));
        }
        let stored = read_exact_vec(&*self.volume, extent.stored, extent.stored_length)?;
        let bytes = Bytes::from(unpack(extent, stored, self.sector_bytes)?);
        *last = Some((number, bytes.clone()));
        Ok(bytes)
    }
}

impl ReadAt for Packed {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let end = offset.saturating_add(wide(buffer.len())).min(self.length);
        let size = index(end.saturating_sub(offset));
        let Some(buffer) = buffer.get_mut(..size) else { return Ok(0) };
        buffer.fill(0);
        let first = self.extents.partition_point(|one| one.at.saturating_add(one.length) <= offset);
        for (extent, number) in self.extents.iter().zip(0usize..).skip(first) {
            if extent.at >= end {
                break;
            }
            let from = extent.at.max(offset);
            let to = extent.at.saturating_add(extent.length).min(end);
            let within = from.saturating_sub(extent.at).saturating_add(extent.skip);
            let target = index(from.saturating_sub(offset))..index(to.saturating_sub(offset));
            let Some(target) = buffer.get_mut(target) else { continue };
            if extent.packing == Packing::Plain {
                self.volume.read_at(extent.stored.saturating_add(within), target)?;
                continue;
            }
            let decoded = self.decoded(number, extent)?;
            let source = part(&decoded, index(within), target.len());
            if let Some(target) = target.get_mut(..source.len()) {
                target.copy_from_slice(source);
            }
        }
        Ok(size)
    }

    fn gap_bytes(&self) -> u64 {
        self.volume.gap_bytes()
    }

    fn lanes(&self) -> usize {
        self.volume.lanes()
    }
}

fn malformed(what: &str) -> ReadError {
    ReadError::new(ReadErrorKind::Malformed, what)
}

/// What an extent's stored bytes hold.
fn unpack(extent: &Extent, stored: Vec<u8>, sector_bytes: u64) -> Result<Vec<u8>, ReadError> {
    const BROKEN: &str = "a compressed extent that does not decode";
    let coding = match extent.packing {
        Packing::Zlib => Coding::Zlib,
        Packing::Zstd => Coding::Zstd,
        Packing::Lzo => return segments(&stored, extent.decoded, sector_bytes),
        Packing::Plain | Packing::Unknown => return Ok(stored),
    };
    let mut decoder = decode(coding, Cursor::new(stored)).take(extent.decoded);
    let mut decoded = Vec::new();
    // The end of the stream is not asked for: up to a sector of zeros stands behind it.
    let mut chunk = vec![0u8; 64 << 10];
    while wide(decoded.len()) < extent.decoded {
        match decoder.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => decoded.extend_from_slice(part(&chunk, 0, count)),
            Err(_) => return Err(malformed(BROKEN)),
        }
    }
    Ok(decoded)
}

/// LZO as btrfs stores it: length of all (4), then segments of a length (4) and a block that
/// decodes to a sector; no length stands across the end of a sector.
fn segments(stored: &[u8], most: u64, sector_bytes: u64) -> Result<Vec<u8>, ReadError> {
    const BROKEN: &str = "a compressed extent that does not decode";
    let sector = index(sector_bytes);
    let end = index(u64::from(le32(stored, 0))).min(stored.len());
    let mut decoded = Vec::new();
    let mut at = 4usize;
    while at.saturating_add(4) <= end && wide(decoded.len()) < most {
        let left = sector.saturating_sub(at.checked_rem(sector).unwrap_or(0));
        if left < 4 {
            at = at.saturating_add(left);
            continue;
        }
        let length = index(u64::from(le32(stored, at)));
        at = at.saturating_add(4);
        let Some(block) = stored.get(at..at.saturating_add(length)) else {
            return Err(malformed(BROKEN));
        };
        decoded.extend(lzo(block, sector).map_err(|_| malformed(BROKEN))?);
        at = at.saturating_add(length);
    }
    decoded.truncate(index(most));
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_of_lzo_do_not_cross_a_sector_with_their_length() {
        // Blocks of literals only, the first of which ends three bytes before a sector does.
        let block = |byte: u8, count: usize| {
            let mut block = vec![0];
            let mut rest = count - 3 - 15;
            while rest > 255 {
                block.push(0);
                rest -= 255;
            }
            block.push(rest as u8);
            block.extend(vec![byte; count]);
            block.extend([17, 0, 0]);
            block
        };
        let first = block(b'a', 477);
        let mut first = first;
        // What stands behind the end of a block is left out.
        first.resize(512 - 3 - 8, 0);
        let second = block(b'b', 100);
        let mut stored = vec![0, 0, 0, 0];
        stored.extend((first.len() as u32).to_le_bytes());
        stored.extend(&first);
        stored.extend([0; 3]);
        stored.extend((second.len() as u32).to_le_bytes());
        stored.extend(&second);
        let length = stored.len() as u32;
        stored[..4].copy_from_slice(&length.to_le_bytes());
        let decoded = segments(&stored, 1000, 512).unwrap();
        assert_eq!(decoded, [vec![b'a'; 477], vec![b'b'; 100]].concat());
        assert!(segments(&stored[..600], 1000, 512).is_err());
    }
}
