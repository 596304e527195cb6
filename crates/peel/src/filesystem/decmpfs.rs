//! Files that macOS compresses by itself, on HFS+ and APFS alike: an attribute says how, and
//! holds the content or leaves it to the resource fork. Apple's kernel sources (`decmpfs.h`)
//! name the parts; the least byte comes first, but for the head of the resource fork.
//!
//! ```text
//! attribute  0   4  "fpmc"
//!            4   4  method: 1 as it is, 3 zlib, 7 LZVN, 11 LZFSE here; 4, 8, 12 in the fork
//!            8   8  length of the file
//!           16   -  the content, for the methods that keep it here
//! fork, 4    0   4  where its data begin (greatest byte first)
//!            +4  4  blocks; for each its place behind the first four bytes, its length
//! fork, else 0  4n  where each block begins, and where the last ends
//! ```
//!
//! A block is 64 KiB of the file. One that would not get smaller stands as it is behind one byte:
//! `xf` for zlib, 06 for LZVN, ff for LZFSE.

use super::face::Content;
use crate::coding::{Coding, decode, lzfse, lzvn};
use crate::error::PeelError;
use lidless_io::number::{index, u32_be, u32_le, u64_le, wide};
use lidless_io::{ReadAt, ReadError, ReadErrorKind, read_exact_vec, read_vec};
use std::io::{Cursor, Read as _};
use std::sync::{Arc, Mutex, PoisonError};

/// The attribute.
pub(super) const ATTRIBUTE: &str = "com.apple.decmpfs";
/// Length of its header.
const HEADER: usize = 16;
/// What one block holds.
const BLOCK: u64 = 64 << 10;
/// The largest file whose content stands in an attribute.
const INLINE: u64 = 16 << 20;
/// The largest table: of a file of 64 GiB.
const TABLE: u64 = 8 << 20;
/// The beginning of the fork that is read for its table.
const LOOK: u64 = 16 << 10;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Compression {
    method: u32,
    /// Length of the file in bytes.
    pub(super) size: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Plain,
    Zlib,
    Lzvn,
    Lzfse,
}

impl Compression {
    /// Reads the attribute; its header is enough.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        if !value.starts_with(b"fpmc") {
            return None;
        }
        Some(Self { method: u32_le(value, 4)?, size: u64_le(value, 8)? })
    }

    /// Whether the content is in the resource fork.
    pub(super) fn is_in_fork(self) -> bool {
        matches!(self.method, 4 | 8 | 10 | 12 | 14)
    }

    fn method(self) -> Result<Method, PeelError> {
        match self.method {
            1 | 9 | 10 => Ok(Method::Plain),
            3 | 4 => Ok(Method::Zlib),
            7 | 8 => Ok(Method::Lzvn),
            11 | 12 => Ok(Method::Lzfse),
            _ => Err(PeelError::Closed("a file compressed by macOS in an unknown way".into())),
        }
    }

    /// The content, from the whole value of the attribute.
    ///
    /// # Errors
    /// When it is compressed in a way that is not read.
    pub(super) fn inline(self, value: &[u8]) -> Result<Content, PeelError> {
        let method = self.method()?;
        let stored = value.get(HEADER..).unwrap_or(&[]);
        let size = self.size.min(INLINE);
        Ok(Content::Inline(unpack(method, stored, size).map_err(PeelError::from)?))
    }

    /// The content, from the resource fork.
    ///
    /// # Errors
    /// When it is compressed in a way that is not read.
    pub(super) fn in_fork(self, fork: Arc<dyn ReadAt>) -> Result<Content, PeelError> {
        let method = self.method()?;
        let by_offsets = self.method != 4;
        let state = Mutex::new(State::default());
        Ok(Content::Decoded(Arc::new(Blocks { fork, method, by_offsets, size: self.size, state })))
    }
}

fn broken() -> ReadError {
    let why = "a file compressed by macOS that cannot be decompressed";
    ReadError::new(ReadErrorKind::Malformed, why)
}

/// Decodes a block of at most `size` bytes.
fn unpack(method: Method, stored: &[u8], size: u64) -> Result<Vec<u8>, ReadError> {
    let Some((first, after)) = stored.split_first() else { return Ok(Vec::new()) };
    let length = index(size);
    let as_it_is = match method {
        Method::Plain => Some(stored),
        Method::Zlib => (first & 0xf == 0xf).then_some(after),
        Method::Lzvn => (*first == 6).then_some(after),
        Method::Lzfse => (*first == 0xff).then_some(after),
    };
    if let Some(bytes) = as_it_is {
        return Ok(bytes.get(..length).unwrap_or(bytes).to_vec());
    }
    match method {
        Method::Lzvn => return lzvn(stored, length).ok_or_else(broken),
        Method::Lzfse => return lzfse(stored, length).ok_or_else(broken),
        Method::Plain | Method::Zlib => {}
    }
    let mut bytes = Vec::new();
    let reader = decode(Coding::Zlib, Cursor::new(stored.to_vec()));
    match reader.take(size).read_to_end(&mut bytes) {
        Err(_) if bytes.len() < length => Err(broken()),
        _ => Ok(bytes),
    }
}

/// A file in blocks in its resource fork.
struct Blocks {
    fork: Arc<dyn ReadAt>,
    method: Method,
    by_offsets: bool,
    size: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Where each block is in the fork, and its length.
    table: Option<Arc<Vec<(u64, u64)>>>,
    /// The block that was decoded last.
    last: Option<(u64, Vec<u8>)>,
}

impl Blocks {
    fn table(&self) -> Result<Arc<Vec<(u64, u64)>>, ReadError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(table) = &state.table {
            return Ok(Arc::clone(table));
        }
        let table = Arc::new(self.read_table()?);
        state.table = Some(Arc::clone(&table));
        Ok(table)
    }

    fn read_table(&self) -> Result<Vec<(u64, u64)>, ReadError> {
        let head = read_vec(&*self.fork, 0, LOOK)?;
        // More of the fork where the table does not fit into what was read.
        let upto = |end: u64| {
            let held = u64::try_from(head.len()).is_ok_and(|held| held >= end);
            if held { Ok(head.clone()) } else { read_exact_vec(&*self.fork, 0, end.min(TABLE)) }
        };
        if self.by_offsets {
            let end = u64::from(u32_le(&head, 0).ok_or_else(broken)?);
            let bytes = upto(end)?;
            let places = bytes.get(..index(end)).ok_or_else(broken)?.chunks_exact(4);
            let places: Vec<u64> =
                places.filter_map(|place| u32_le(place, 0)).map(u64::from).collect();
            let ends = places.iter().skip(1);
            let blocks = places.iter().zip(ends).map(|(at, end)| (*at, end.saturating_sub(*at)));
            return Ok(blocks.collect());
        }
        let base = u64::from(u32_be(&head, 0).ok_or_else(broken)?).saturating_add(4);
        let count_end = base.saturating_add(4);
        let bytes = upto(count_end)?;
        let count = u64::from(u32_le(&bytes, index(base)).ok_or_else(broken)?);
        let count = count.min(self.size.div_ceil(BLOCK));
        let bytes = upto(count_end.saturating_add(count.saturating_mul(8)))?;
        let entries = bytes.get(index(count_end)..).unwrap_or(&[]).chunks_exact(8);
        let blocks = entries.take(index(count)).filter_map(|entry| {
            let at = base.saturating_add(u64::from(u32_le(entry, 0)?));
            Some((at, u64::from(u32_le(entry, 4)?)))
        });
        Ok(blocks.collect())
    }
}

impl ReadAt for Blocks {
    fn len(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let wanted = wide(buffer.len());
        let end = offset.saturating_add(wanted).min(self.size);
        if offset >= end {
            return Ok(0);
        }
        let table = self.table()?;
        let mut done = 0usize;
        // Blocks that are wanted are read in one go, a mebibyte of the file at a time.
        let mut number = offset / BLOCK;
        while number.saturating_mul(BLOCK) < end {
            let until = end.div_ceil(BLOCK).min(number.saturating_add(16));
            let run = table.get(index(number)..index(until)).ok_or_else(broken)?;
            let from = run.iter().map(|(at, _)| *at).min().unwrap_or(0);
            let to = run.iter().map(|(at, length)| at.saturating_add(*length)).max().unwrap_or(0);
            let last = {
                let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                state.last.clone().filter(|(known, _)| *known == number && run.len() == 1)
            };
            if to.saturating_sub(from) > 64 * BLOCK {
                return Err(broken());
            }
            let stored = match last {
                Some(_) => Vec::new(),
                None => read_exact_vec(&*self.fork, from, to.saturating_sub(from))?,
            };
            for (at, length) in run {
                let start = number.saturating_mul(BLOCK);
                let size = self.size.saturating_sub(start).min(BLOCK);
                let bytes = match &last {
                    Some((_, bytes)) => bytes.clone(),
                    None => {
                        let first = index(at.saturating_sub(from));
                        let part = stored.get(first..first.saturating_add(index(*length)));
                        let mut bytes = unpack(self.method, part.unwrap_or(&[]), size)?;
                        bytes.resize(index(size), 0);
                        bytes
                    }
                };
                let skip = index(offset.saturating_sub(start));
                let part = bytes.get(skip..).unwrap_or(&[]);
                let room = buffer.get_mut(done..).unwrap_or(&mut []);
                let size = part.len().min(room.len());
                if let (Some(to), Some(from)) = (room.get_mut(..size), part.get(..size)) {
                    to.copy_from_slice(from);
                }
                done = done.saturating_add(size);
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                state.last = Some((number, bytes));
                number = number.saturating_add(1);
            }
        }
        Ok(done)
    }

    fn gap_bytes(&self) -> u64 {
        self.fork.gap_bytes()
    }

    fn lanes(&self) -> usize {
        self.fork.lanes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_io::{Counted, MemoryBytes, Tally};

    fn attribute(method: u32, size: usize, rest: &[u8]) -> Vec<u8> {
        let mut value = b"fpmc".to_vec();
        value.extend_from_slice(&method.to_le_bytes());
        value.extend_from_slice(&(size as u64).to_le_bytes());
        value.extend_from_slice(rest);
        value
    }

    fn encoded(bytes: &[u8]) -> Vec<u8> {
        let mut packed = Vec::new();
        lzfse_rust::encode_bytes(bytes, &mut packed).unwrap();
        packed
    }

    fn text(length: usize) -> Vec<u8> {
        (0..).flat_map(|n: u32| format!("line {n}\n").into_bytes()).take(length).collect()
    }

    #[test]
    fn contents_in_attributes_are_decoded() {
        let sample = text(900);
        let packed = encoded(&sample);
        assert!(packed.starts_with(b"bvxn"));
        let plain = |first: u8| [&[first], &sample[..]].concat();
        for (method, stored) in [
            (1, sample.clone()),
            (3, plain(0xff)),
            (7, packed[12..].to_vec()),
            (7, plain(6)),
            (11, packed),
            (11, plain(0xff)),
        ] {
            let value = attribute(method, sample.len(), &stored);
            let Ok(Content::Inline(bytes)) = Compression::parse(&value).unwrap().inline(&value)
            else {
                panic!("method {method}");
            };
            assert_eq!(bytes, sample, "method {method}");
        }
        for method in [0, 2, 13, 99] {
            let value = attribute(method, 9, b"x");
            let content = Compression::parse(&value).unwrap().inline(&value);
            assert!(matches!(content, Err(PeelError::Closed(_))), "method {method}");
        }
    }

    /// A fork of blocks whose table is of offsets.
    fn fork(sample: &[u8], lzvn: bool) -> Vec<u8> {
        let blocks: Vec<Vec<u8>> = sample
            .chunks(65_536)
            .map(|block| {
                let packed = encoded(block);
                match (lzvn, packed.starts_with(b"bvxn")) {
                    (false, _) => packed,
                    (true, true) => packed[12..].to_vec(),
                    (true, false) => [&[6], block].concat(),
                }
            })
            .collect();
        let mut at = 4 * (blocks.len() as u32 + 1);
        let mut whole = at.to_le_bytes().to_vec();
        for block in &blocks {
            at += block.len() as u32;
            whole.extend_from_slice(&at.to_le_bytes());
        }
        whole.extend(blocks.concat());
        whole
    }

    #[test]
    fn contents_in_forks_are_decoded_in_few_reads() {
        let sample = text(1_000_000);
        for (method, lzvn) in [(8, true), (12, false)] {
            let value = attribute(method, sample.len(), b"");
            let tally = Tally::default();
            let fork = Arc::new(MemoryBytes::new(fork(&sample, lzvn)));
            let fork = Arc::new(Counted::new(fork, tally.clone()));
            let Ok(Content::Decoded(bytes)) = Compression::parse(&value).unwrap().in_fork(fork)
            else {
                panic!("method {method}");
            };
            assert!(read_vec(&*bytes, 0, u64::MAX).unwrap() == sample, "method {method}");
            assert!(tally.requests() <= 3, "{}", tally.requests());
            for at in [0, 65_530, 131_072, 999_990] {
                let part = read_vec(&*bytes, at as u64, 100).unwrap();
                assert_eq!(part, sample[at..(at + 100).min(sample.len())]);
            }
        }
    }

    #[test]
    fn cut_and_changed_forks_end() {
        let sample = text(3000);
        for (method, lzvn) in [(8, true), (12, false), (4, false)] {
            let value = attribute(method, 1 << 40, b"");
            lidless_kit::cut_and_flip(&fork(&sample, lzvn), |bytes| {
                let fork = Arc::new(MemoryBytes::new(bytes.to_vec()));
                if let Ok(Content::Decoded(bytes)) =
                    Compression::parse(&value).unwrap().in_fork(fork)
                {
                    let _ = read_vec(&*bytes, 0, 100_000);
                    let _ = read_vec(&*bytes, 1 << 39, 10);
                }
            });
        }
    }
}
