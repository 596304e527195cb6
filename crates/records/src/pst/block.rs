//! Data of a node: one block, or the blocks that a block of ids names (MS-PST 2.2.2.8).
//!
//! A block of ids: 1 byte `01`, 1 byte level (1 or 2), 2 bytes number of ids, 4 bytes length of
//! all data, the ids.

use super::cipher::decode;
use super::header::malformed;
use super::tree::{Located, Trees};
use crate::error::RecordError;
use lidless_io::number::{index, u16_le, wide};
use lidless_io::{ReadAt, ReadError, ReadErrorKind, read_merged, read_vec};
use std::io::Read as _;
use std::ops::Range;

/// Blocks that name others say so in their id.
const INTERNAL: u64 = 2;

/// The data of a node, decoded as it is read.
#[derive(Clone)]
pub(super) struct Data {
    trees: Trees,
    pieces: Vec<Located>,
    /// Where each piece ends.
    ends: Vec<u64>,
}

impl Trees {
    /// The bytes of one block as they are stored.
    pub(super) fn raw(&self, block: &Located) -> Result<Vec<u8>, RecordError> {
        let bytes = read_vec(&*self.source, block.offset, u64::from(block.stored))?;
        Ok(inflated(block, bytes)?)
    }

    /// Whether a block names others instead of holding data.
    fn is_internal(id: u64) -> bool {
        id & INTERNAL != 0
    }

    /// The data that begins with a block; empty for block 0.
    pub(super) fn data(&self, id: u64) -> Result<Data, RecordError> {
        let mut pieces = Vec::new();
        // Every block takes 64 bytes at least: more of them than fit are named twice.
        let most = index(self.source.len() / 64).saturating_add(1);
        let mut open = if id == 0 { Vec::new() } else { vec![(id, 3u8)] };
        while let Some((id, above)) = open.pop() {
            let block = self.block(id)?;
            if !Self::is_internal(id) {
                pieces.push(block);
            } else {
                let bytes = self.raw(&block)?;
                let level = bytes.get(1).copied().unwrap_or(0);
                if bytes.first() != Some(&1) || level == 0 || level >= above {
                    return Err(malformed(block.offset, "a block of ids", level));
                }
                let count = usize::from(u16_le(&bytes, 2).unwrap_or(0));
                let width = self.header.layout.width();
                let ids = bytes.get(8..).unwrap_or(&[]).chunks_exact(width).take(count);
                let numbers = ids.filter_map(|id| self.header.layout.number_at(id, 0));
                open.extend(numbers.rev().map(|id| (id, level)));
            }
            if pieces.len().saturating_add(open.len()) > most {
                return Err(malformed(block.offset, "each block once", "more than the file has"));
            }
        }
        let mut end = 0u64;
        let ends = pieces
            .iter()
            .map(|piece| {
                end = end.saturating_add(u64::from(piece.length));
                end
            })
            .collect();
        Ok(Data { trees: self.clone(), pieces, ends })
    }
}

/// What a block holds: inflated where it is compressed.
fn inflated(block: &Located, bytes: Vec<u8>) -> Result<Vec<u8>, ReadError> {
    if block.stored == block.length {
        return Ok(bytes);
    }
    let mut out = Vec::new();
    let decoder = flate2::read::ZlibDecoder::new(&*bytes);
    let read = decoder.take(u64::from(block.length)).read_to_end(&mut out);
    match read {
        Ok(_) => Ok(out),
        Err(_) => Err(ReadError::new(ReadErrorKind::Malformed, "a block that does not inflate")),
    }
}

impl Data {
    /// The lengths of the blocks: rows of a table and items of a heap do not cross them.
    pub(super) fn lengths(&self) -> impl Iterator<Item = usize> {
        self.pieces.iter().map(|piece| usize::from(piece.length))
    }

    fn start(&self, index: usize) -> u64 {
        index.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0)
    }
}

impl ReadAt for Data {
    fn len(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let wanted = wide(buffer.len());
        let end = offset.saturating_add(wanted).min(self.len());
        if offset >= end {
            return Ok(0);
        }
        // Which blocks, and which part of each.
        let first = self.ends.partition_point(|after| *after <= offset);
        let mut parts: Vec<(Located, u64, Range<u64>)> = Vec::new();
        for (index, piece) in self.pieces.iter().enumerate().skip(first) {
            let start = self.start(index);
            if start >= end {
                break;
            }
            let from = offset.saturating_sub(start);
            let to = end.saturating_sub(start).min(u64::from(piece.length));
            let whole = piece.stored != piece.length;
            let stored = u64::from(piece.stored);
            let range = if whole { 0..stored } else { from..to.min(stored) };
            let at = |within: u64| piece.offset.saturating_add(within);
            parts.push((*piece, from, at(range.start)..at(range.end)));
        }
        let ranges: Vec<Range<u64>> = parts.iter().map(|(_, _, range)| range.clone()).collect();
        let mut done = 0usize;
        for ((piece, from, range), bytes) in
            parts.iter().zip(read_merged(&*self.trees.source, &ranges)?)
        {
            let mut bytes = bytes.to_vec();
            let missing = range.end.saturating_sub(range.start);
            if u64::try_from(bytes.len()).is_ok_and(|got| got < missing) {
                return Err(ReadError::short(range.start, missing, 0));
            }
            let position = range.start.saturating_sub(piece.offset);
            let coding = self.trees.header.coding;
            let plain = if piece.stored == piece.length {
                decode(coding, piece.id, position, &mut bytes);
                bytes
            } else {
                let mut whole = inflated(piece, bytes)?;
                decode(coding, piece.id, 0, &mut whole);
                let from = index(*from);
                whole.get(from..).unwrap_or(&[]).to_vec()
            };
            let Some(rest) = buffer.get_mut(done..) else { break };
            let size = plain.len().min(rest.len());
            if let (Some(to), Some(from)) = (rest.get_mut(..size), plain.get(..size)) {
                to.copy_from_slice(from);
            }
            done = done.saturating_add(size);
        }
        Ok(done)
    }

    fn gap_bytes(&self) -> u64 {
        self.trees.source.gap_bytes()
    }

    fn lanes(&self) -> usize {
        self.trees.source.lanes()
    }
}
