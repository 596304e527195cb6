//! bzip2: Huffman codes over a move-to-front of a Burrows-Wheeler transform. Streams may follow
//! each other, as parallel compressors write them. Checksums are not compared: what a lenient
//! loader would see is what is looked at.
//!
//! | bits | field of a block |
//! | --- | --- |
//! | 48 | `0x314159265359`, or `0x177245385090` at the end of a stream |
//! | 32 | checksum |
//! | 1 | randomised (of the oldest versions) |
//! | 24 | where the transform starts |
//! | 16 + 16 n | which bytes occur |
//! | 3, 15 | number of codes, number of selectors |

use super::broken;
use lidless_io::number;
use std::io::{BufRead, BufReader, Read, Result};

const BLOCK: u64 = 0x3141_5926_5359;
const END: u64 = 0x1772_4538_5090;
/// Symbols that one selector is for.
const GROUP: usize = 50;
/// The longest code a stream may declare.
const LONGEST: usize = 20;

/// Reads what bzip2 streams hold.
pub(super) struct Bzip2<R> {
    bits: Bits<BufReader<R>>,
    /// The largest block of the stream being read; none between streams.
    block_bytes: Option<usize>,
    first: bool,
    block: Block,
}

impl<R: Read> Bzip2<R> {
    pub(super) fn new(source: R) -> Self {
        let bits = Bits { source: BufReader::new(source), held: 0, count: 0 };
        Self { bits, block_bytes: None, first: true, block: Block::default() }
    }

    /// Reads up to the next block; false at the end of the last stream.
    fn advance(&mut self) -> Result<bool> {
        loop {
            let Some(block_bytes) = self.block_bytes else {
                if !self.first && self.bits.source.fill_buf()?.is_empty() {
                    return Ok(false);
                }
                if self.bits.take(24)? != 0x0042_5a68 {
                    return Err(broken("bytes after the end"));
                }
                let level = self.bits.take(8)?.wrapping_sub(u64::from(b'0'));
                if !(1..=9).contains(&level) {
                    return Err(broken("no such block size"));
                }
                self.first = false;
                let level = usize::try_from(level).unwrap_or(9);
                self.block_bytes = Some(level.saturating_mul(100_000));
                continue;
            };
            match self.bits.take(48)? {
                BLOCK => {
                    self.block.read(&mut self.bits, block_bytes)?;
                    return Ok(true);
                }
                END => {
                    self.bits.take(32)?;
                    self.bits.align();
                    self.block_bytes = None;
                }
                _ => return Err(broken("no block where one should begin")),
            }
        }
    }
}

impl<R: Read> Read for Bzip2<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let count = self.block.write(buffer);
            if count > 0 {
                return Ok(count);
            }
            if !self.advance()? {
                return Ok(0);
            }
        }
    }
}

/// Bits, the highest of a byte first.
struct Bits<R> {
    source: R,
    held: u64,
    count: u32,
}

impl<R: BufRead> Bits<R> {
    fn fill(&mut self) -> Result<()> {
        let next = self.source.fill_buf()?.first().copied();
        let Some(byte) = next else { return Err(broken("the stream ends early")) };
        self.source.consume(1);
        self.held = self.held.wrapping_shl(8) | u64::from(byte);
        self.count = self.count.saturating_add(8);
        Ok(())
    }

    /// Takes up to 48 bits.
    fn take(&mut self, wanted: u32) -> Result<u64> {
        while self.count < wanted {
            self.fill()?;
        }
        self.count = self.count.saturating_sub(wanted);
        let mask = 1u64.wrapping_shl(wanted).wrapping_sub(1);
        Ok(self.held.wrapping_shr(self.count) & mask)
    }

    fn small(&mut self, wanted: u32) -> Result<usize> {
        self.take(wanted).map(number::index)
    }

    fn bit(&mut self) -> Result<bool> {
        self.take(1).map(|value| value == 1)
    }

    fn align(&mut self) {
        self.count = self.count.saturating_sub(self.count % 8);
    }
}

/// A canonical Huffman code.
struct Code {
    /// For each length: the largest code of it, and what to subtract from one to get its index.
    limit: [i64; LONGEST + 2],
    base: [i64; LONGEST + 2],
    symbols: Vec<u16>,
    shortest: usize,
}

impl Code {
    fn new(lengths: &[u8]) -> Self {
        let mut symbols = Vec::with_capacity(lengths.len());
        let (mut limit, mut base) = ([-1i64; LONGEST + 2], [0i64; LONGEST + 2]);
        let mut code = 0i64;
        let mut shortest = LONGEST;
        for length in 1..=LONGEST {
            let before = i64::try_from(symbols.len()).unwrap_or(0);
            for (symbol, own) in (0u16..).zip(lengths) {
                if usize::from(*own) == length {
                    symbols.push(symbol);
                    shortest = shortest.min(length);
                }
            }
            let here = i64::try_from(symbols.len()).unwrap_or(0).saturating_sub(before);
            if let (Some(limit), Some(base)) = (limit.get_mut(length), base.get_mut(length)) {
                *base = code.saturating_sub(before);
                code = code.saturating_add(here);
                *limit = if here > 0 { code.saturating_sub(1) } else { -1 };
            }
            code = code.saturating_mul(2);
        }
        Self { limit, base, symbols, shortest }
    }

    fn next<R: BufRead>(&self, bits: &mut Bits<R>) -> Result<u16> {
        let mut length = self.shortest;
        let mut code = i64::try_from(bits.take(u32::try_from(length).unwrap_or(1))?).unwrap_or(0);
        loop {
            let limit = self.limit.get(length).copied().unwrap_or(-1);
            if code <= limit {
                let base = self.base.get(length).copied().unwrap_or(0);
                let index = number::index(code.saturating_sub(base));
                return self.symbols.get(index).copied().ok_or_else(|| broken("no such code"));
            }
            if length >= LONGEST {
                return Err(broken("no such code"));
            }
            length = length.saturating_add(1);
            code = code.wrapping_shl(1) | i64::from(bits.bit()?);
        }
    }
}

/// One block, and how much of it was given out.
#[derive(Default)]
struct Block {
    /// The low byte is the content, the rest the next position.
    links: Vec<u32>,
    position: u32,
    left: usize,
    last: Option<u8>,
    run: u8,
    repeats: u8,
}

impl Block {
    fn read<R: BufRead>(&mut self, bits: &mut Bits<R>, block_bytes: usize) -> Result<()> {
        bits.take(32)?;
        if bits.bit()? {
            return Err(broken("a randomised block"));
        }
        let start = bits.small(24)?;
        let mut used = used_bytes(bits)?;
        let codes = bits.small(3)?;
        if !(2..=6).contains(&codes) || used.is_empty() {
            return Err(broken("no codes"));
        }
        let selectors = selectors(bits, codes)?;
        let alphabet = used.len().saturating_add(2);
        let codes = (0..codes).map(|_| code(bits, alphabet)).collect::<Result<Vec<Code>>>()?;
        self.links.clear();
        let mut counts = [0u32; 256];
        let mut run = 0usize;
        let mut weight = 1usize;
        let end = alphabet.saturating_sub(1);
        'groups: for selector in &selectors {
            let code = codes.get(usize::from(*selector)).ok_or_else(|| broken("no such table"))?;
            for _ in 0..GROUP {
                let symbol = usize::from(code.next(bits)?);
                if symbol < 2 {
                    run = run.saturating_add(weight.saturating_mul(symbol.saturating_add(1)));
                    weight = weight.saturating_mul(2);
                    if run > block_bytes {
                        return Err(broken("a run longer than its block"));
                    }
                    continue;
                }
                if run > 0 {
                    let byte = used.first().copied().unwrap_or(0);
                    self.push(byte, run, &mut counts, block_bytes)?;
                    (run, weight) = (0, 1);
                }
                if symbol == end {
                    break 'groups;
                }
                let index = symbol.saturating_sub(1);
                let Some(front) = used.get_mut(..=index) else {
                    return Err(broken("no such symbol"));
                };
                front.rotate_right(1);
                let byte = used.first().copied().unwrap_or(0);
                self.push(byte, 1, &mut counts, block_bytes)?;
            }
        }
        self.link(&counts);
        self.left = self.links.len();
        (self.last, self.run, self.repeats) = (None, 0, 0);
        match self.links.get(start) {
            Some(link) => self.position = link >> 8,
            None => return Err(broken("the transform starts outside its block")),
        }
        Ok(())
    }

    fn push(
        &mut self,
        byte: u8,
        times: usize,
        counts: &mut [u32; 256],
        block_bytes: usize,
    ) -> Result<()> {
        let size = self.links.len().saturating_add(times);
        if size > block_bytes {
            return Err(broken("a block longer than its size"));
        }
        self.links.resize(size, u32::from(byte));
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count = count.saturating_add(u32::try_from(times).unwrap_or(0));
        }
        Ok(())
    }

    /// Links each position to the one that follows it in the text.
    fn link(&mut self, counts: &[u32; 256]) {
        let mut starts = [0u32; 256];
        let mut sum = 0u32;
        for (start, count) in starts.iter_mut().zip(counts) {
            *start = sum;
            sum = sum.saturating_add(*count);
        }
        for index in 0..self.links.len() {
            let byte = self.links.get(index).map_or(0, |link| link & 0xff);
            let slot = usize::try_from(byte).ok().and_then(|byte| starts.get_mut(byte));
            let Some(slot) = slot else { continue };
            let at = number::index(*slot);
            *slot = slot.saturating_add(1);
            if let Some(link) = self.links.get_mut(at) {
                *link |= u32::try_from(index).unwrap_or(0).wrapping_shl(8);
            }
        }
    }

    /// Gives out what follows, with the runs of the outer coding (four equal bytes and a count).
    fn write(&mut self, buffer: &mut [u8]) -> usize {
        let mut written = 0usize;
        for slot in buffer.iter_mut() {
            loop {
                if self.repeats > 0 {
                    self.repeats = self.repeats.saturating_sub(1);
                    *slot = self.last.unwrap_or(0);
                    break;
                }
                if self.left == 0 {
                    return written;
                }
                self.left = self.left.saturating_sub(1);
                let at = number::index(self.position);
                let link = self.links.get(at).copied().unwrap_or(0);
                self.position = link >> 8;
                let [byte, ..] = link.to_le_bytes();
                if self.run == 4 {
                    self.repeats = byte;
                    self.run = 0;
                    continue;
                }
                self.run = if self.last == Some(byte) { self.run.saturating_add(1) } else { 1 };
                self.last = Some(byte);
                *slot = byte;
                break;
            }
            written = written.saturating_add(1);
        }
        written
    }
}

fn used_bytes<R: BufRead>(bits: &mut Bits<R>) -> Result<Vec<u8>> {
    let rows = bits.take(16)?;
    let mut used = Vec::with_capacity(256);
    for row in 0..16u8 {
        if rows & 0x8000u64.wrapping_shr(u32::from(row)) == 0 {
            continue;
        }
        let columns = bits.take(16)?;
        for column in 0..16u8 {
            if columns & 0x8000u64.wrapping_shr(u32::from(column)) != 0 {
                used.push(row.wrapping_shl(4) | column);
            }
        }
    }
    Ok(used)
}

fn selectors<R: BufRead>(bits: &mut Bits<R>, codes: usize) -> Result<Vec<u8>> {
    let count = bits.small(15)?;
    let mut order: [u8; 6] = [0, 1, 2, 3, 4, 5];
    let mut found = Vec::with_capacity(count);
    for _ in 0..count {
        let mut index = 0usize;
        while bits.bit()? {
            index = index.saturating_add(1);
            if index >= codes {
                return Err(broken("no such table"));
            }
        }
        if let Some(front) = order.get_mut(..=index) {
            front.rotate_right(1);
        }
        found.extend(order.first());
    }
    Ok(found)
}

fn code<R: BufRead>(bits: &mut Bits<R>, alphabet: usize) -> Result<Code> {
    let mut length = i16::try_from(bits.small(5)?).unwrap_or(0);
    let mut lengths = Vec::with_capacity(alphabet);
    for _ in 0..alphabet {
        while bits.bit()? {
            length = length.saturating_add(if bits.bit()? { -1 } else { 1 });
            if !(1..=20).contains(&length) {
                return Err(broken("a code of impossible length"));
            }
        }
        match u8::try_from(length) {
            Ok(own @ 1..=20) => lengths.push(own),
            _ => return Err(broken("a code of impossible length")),
        }
    }
    Ok(Code::new(&lengths))
}
