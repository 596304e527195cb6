//! lzop: blocks of LZO1X (Linux kernel, `Documentation/staging/lzo.rst`). Checksums are skipped.
//!
//! Header, big-endian: 9 bytes of magic, three versions (2 each), method and level (1 each), flags
//! (4; `800` a filter of 4 bytes follows), mode and time (12), length of a name (1), the name, a
//! checksum (4; with flag `40` an extra field and its checksum). Blocks: size when decoded (4, 0
//! ends), size (4), a checksum for each of the flags `1` and `100`, when compressed for `2` and
//! `200` as well, the data.

use super::{broken, skip};
use lidless_io::number::index;
use std::io::{BufReader, Read, Result};

const MAGIC: &[u8; 9] = b"\x89LZO\0\r\n\x1a\n";
/// The largest block that lzop makes.
const LARGEST: usize = 64 << 20;

/// Reads what an lzop stream holds.
pub(super) struct Lzop<R> {
    source: BufReader<R>,
    /// None until the header was read.
    flags: Option<u32>,
    is_over: bool,
    block: Vec<u8>,
    given: usize,
}

impl<R: Read> Lzop<R> {
    pub(super) fn new(source: R) -> Self {
        let source = BufReader::new(source);
        Self { source, flags: None, is_over: false, block: Vec::new(), given: 0 }
    }

    fn number(&mut self) -> Result<u32> {
        let mut bytes = [0; 4];
        self.source.read_exact(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn header(&mut self) -> Result<u32> {
        let mut start = [0u8; 17];
        self.source.read_exact(&mut start)?;
        let (magic, rest) = start.split_first_chunk::<9>().ok_or_else(|| broken("no header"))?;
        let version = rest.first_chunk::<2>().map_or(0, |bytes| u16::from_be_bytes(*bytes));
        if magic != MAGIC || version < 0x0940 {
            return Err(broken("an unknown version"));
        }
        let flags = self.number()?;
        let filter = if flags & 0x800 != 0 { 4 } else { 0u64 };
        skip(&mut self.source, filter.saturating_add(12))?;
        let mut length = [0u8; 1];
        self.source.read_exact(&mut length)?;
        let [length] = length;
        skip(&mut self.source, u64::from(length).saturating_add(4))?;
        if flags & 0x40 != 0 {
            let extra = u64::from(self.number()?);
            skip(&mut self.source, extra.saturating_add(4))?;
        }
        Ok(flags)
    }

    /// Unpacks the next block; false at the end.
    fn advance(&mut self) -> Result<bool> {
        if self.is_over {
            return Ok(false);
        }
        let flags = match self.flags {
            Some(flags) => flags,
            None => {
                let flags = self.header()?;
                self.flags = Some(flags);
                flags
            }
        };
        let decoded = index(self.number()?);
        if decoded == 0 {
            self.is_over = true;
            return Ok(false);
        }
        let size = index(self.number()?);
        if decoded > LARGEST || size > decoded {
            return Err(broken("a block larger than its size"));
        }
        let sums = if size < decoded { flags & 0x303 } else { flags & 0x101 };
        skip(&mut self.source, u64::from(sums.count_ones()).saturating_mul(4))?;
        let mut packed = Vec::new();
        self.source.by_ref().take(u64::try_from(size).unwrap_or(0)).read_to_end(&mut packed)?;
        if packed.len() < size {
            return Err(broken("a block that ends early"));
        }
        self.block = if size < decoded { unpack(&packed, decoded)? } else { packed };
        self.given = 0;
        Ok(true)
    }
}

impl<R: Read> Read for Lzop<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while self.given >= self.block.len() {
            if !self.advance()? {
                return Ok(0);
            }
        }
        let mut rest = self.block.get(self.given..).unwrap_or(&[]);
        let count = rest.read(buffer)?;
        self.given = self.given.saturating_add(count);
        Ok(count)
    }
}

/// What is left of a block, and what was made of it.
struct Block<'a> {
    rest: &'a [u8],
    output: Vec<u8>,
    most: usize,
}

impl Block<'_> {
    fn byte(&mut self) -> Result<usize> {
        let (first, rest) =
            self.rest.split_first().ok_or_else(|| broken("a block that ends early"))?;
        self.rest = rest;
        Ok(usize::from(*first))
    }

    fn word(&mut self) -> Result<usize> {
        Ok(self.byte()? | self.byte()? << 8)
    }

    /// A length that did not fit its bits: each zero stands for 255 more.
    fn length(&mut self, bits: usize, most: usize) -> Result<usize> {
        if bits != 0 {
            return Ok(bits);
        }
        let mut length = most;
        loop {
            match self.byte()? {
                0 => length = length.saturating_add(255),
                last => return Ok(length.saturating_add(last)),
            }
        }
    }

    fn literals(&mut self, count: usize) -> Result<()> {
        let (copied, rest) =
            self.rest.split_at_checked(count).ok_or_else(|| broken("a block that ends early"))?;
        if self.output.len().saturating_add(count) > self.most {
            return Err(broken("a block larger than its size"));
        }
        self.output.extend_from_slice(copied);
        self.rest = rest;
        Ok(())
    }

    fn copy(&mut self, distance: usize, count: usize) -> Result<()> {
        let from = self.output.len().checked_sub(distance).filter(|_| distance > 0);
        let mut from = from.ok_or_else(|| broken("a copy from before the beginning"))?;
        if self.output.len().saturating_add(count) > self.most {
            return Err(broken("a block larger than its size"));
        }
        // A copy may overlap what it makes: it is done in steps of at most its distance.
        let mut left = count;
        while left > 0 {
            let step = left.min(distance);
            self.output.extend_from_within(from..from.saturating_add(step));
            from = from.saturating_add(step);
            left = left.saturating_sub(step);
        }
        Ok(())
    }
}

/// Unpacks a block of LZO1X.
fn unpack(packed: &[u8], decoded: usize) -> Result<Vec<u8>> {
    let mut block = Block { rest: packed, output: Vec::new(), most: decoded };
    // How many literals came last; 4 for a long run of them.
    let mut before = 0usize;
    if let Some(run) = packed.first().and_then(|first| first.checked_sub(17)).filter(|run| *run > 0)
    {
        block.byte()?;
        let run = usize::from(run);
        block.literals(run)?;
        before = run.min(4);
    }
    loop {
        let code = block.byte()?;
        let after = match code {
            0..=15 if before == 0 => {
                let run = block.length(code, 15)?.saturating_add(3);
                block.literals(run)?;
                before = 4;
                continue;
            }
            0..=15 => {
                let distance = (block.byte()? << 2).saturating_add(code >> 2);
                let (near, length) = if before == 4 { (2049, 3) } else { (1, 2) };
                block.copy(distance.saturating_add(near), length)?;
                code & 3
            }
            16..=31 => {
                let length = block.length(code & 7, 7)?.saturating_add(2);
                let word = block.word()?;
                let distance = ((code >> 3 & 1) << 14).saturating_add(word >> 2);
                if distance == 0 {
                    return Ok(block.output);
                }
                block.copy(distance.saturating_add(16_384), length)?;
                word & 3
            }
            32..=63 => {
                let length = block.length(code & 31, 31)?.saturating_add(2);
                let word = block.word()?;
                block.copy((word >> 2).saturating_add(1), length)?;
                word & 3
            }
            _ => {
                let distance = (block.byte()? << 3).saturating_add(code >> 2 & 7);
                let (least, more) =
                    if code < 128 { (3, code >> 5 & 1) } else { (5, code >> 5 & 3) };
                let length = more.saturating_add(least);
                block.copy(distance.saturating_add(1), length)?;
                code & 3
            }
        };
        block.literals(after)?;
        before = after;
    }
}
