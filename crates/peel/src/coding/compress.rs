//! compress (`.Z`): LZW with codes of 9 to 16 bits, as ncompress writes them.
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 2 | `1f 9d` |
//! | 2 | 1 | the most bits of a code (low five), block mode (highest) |
//!
//! Codes come lowest bit first, in groups of eight; where their width changes, the rest of a
//! group is filler. In block mode code 256 empties the table.

use super::broken;
use std::io::{BufReader, Read, Result};

const CLEAR: usize = 256;
const FIRST_BITS: u32 = 9;

/// Reads what a compress stream holds.
pub(super) struct Compress<R> {
    source: BufReader<R>,
    /// None until the header was read.
    table: Option<Table>,
    /// Eight codes, and how many bits of them were taken.
    group: Vec<u8>,
    taken: usize,
    out: Vec<u8>,
    given: usize,
}

struct Table {
    most_bits: u32,
    clears: bool,
    bits: u32,
    /// What each code from 256 on appends a byte to.
    prefix: Vec<u16>,
    suffix: Vec<u8>,
    free: usize,
    last: Option<usize>,
    /// The first byte of what the last code stood for.
    first: u8,
}

impl Table {
    fn new(flags: u8) -> Result<Self> {
        let most_bits = u32::from(flags & 0x1f);
        if !(FIRST_BITS..=16).contains(&most_bits) || flags & 0x60 != 0 {
            return Err(broken("no such width of codes"));
        }
        let clears = flags & 0x80 != 0;
        let size = 1usize << most_bits;
        Ok(Self {
            most_bits,
            clears,
            bits: FIRST_BITS,
            prefix: vec![0; size],
            suffix: vec![0; size],
            free: if clears { CLEAR.saturating_add(1) } else { CLEAR },
            last: None,
            first: 0,
        })
    }

    /// Appends what a code stands for.
    fn put(&mut self, code: usize, out: &mut Vec<u8>) -> Result<()> {
        let start = out.len();
        let Some(last) = self.last else {
            self.first = u8::try_from(code).map_err(|_| broken("a first code that is no byte"))?;
            self.last = Some(code);
            out.push(self.first);
            return Ok(());
        };
        let mut at = code;
        if code >= self.free {
            if code > self.free {
                return Err(broken("a code that was not defined"));
            }
            out.push(self.first);
            at = last;
        }
        while at >= CLEAR {
            // Each prefix was defined before its code, so this ends.
            let (Some(suffix), Some(prefix)) = (self.suffix.get(at), self.prefix.get(at)) else {
                return Err(broken("a code that was not defined"));
            };
            if out.len().saturating_sub(start) > self.prefix.len() {
                return Err(broken("codes that lead in a circle"));
            }
            out.push(*suffix);
            at = usize::from(*prefix);
        }
        self.first = u8::try_from(at).unwrap_or(0);
        out.push(self.first);
        if let Some(made) = out.get_mut(start..) {
            made.reverse();
        }
        if let (Some(prefix), Some(suffix)) =
            (self.prefix.get_mut(self.free), self.suffix.get_mut(self.free))
        {
            *prefix = u16::try_from(last).unwrap_or(0);
            *suffix = self.first;
            self.free = self.free.saturating_add(1);
        }
        self.last = Some(code);
        Ok(())
    }
}

impl<R: Read> Compress<R> {
    pub(super) fn new(source: R) -> Self {
        let source = BufReader::new(source);
        Self { source, table: None, group: Vec::new(), taken: 0, out: Vec::new(), given: 0 }
    }

    /// Unpacks some more; false at the end.
    fn advance(&mut self) -> Result<bool> {
        self.out.clear();
        self.given = 0;
        let mut table = match self.table.take() {
            Some(table) => table,
            None => {
                let mut header = [0u8; 3];
                self.source.read_exact(&mut header)?;
                let [0x1f, 0x9d, flags] = header else { return Err(broken("no compress header")) };
                Table::new(flags)?
            }
        };
        while self.out.len() < 32 << 10 {
            // The widest code is never exceeded: the table is full then.
            if table.bits < table.most_bits && table.free >= 1usize << table.bits {
                table.bits = table.bits.saturating_add(1);
                self.group.clear();
            }
            let Some(code) = self.code(table.bits)? else {
                self.table = Some(table);
                return Ok(!self.out.is_empty());
            };
            if code == CLEAR && table.clears && table.last.is_some() {
                table.bits = FIRST_BITS;
                // The entry that the next code defines is never used.
                table.free = CLEAR;
                self.group.clear();
                continue;
            }
            table.put(code, &mut self.out)?;
        }
        self.table = Some(table);
        Ok(true)
    }

    /// Bits in the group.
    fn held(&self) -> usize {
        self.group.len().saturating_mul(8)
    }

    fn code(&mut self, bits: u32) -> Result<Option<usize>> {
        let width = usize::try_from(bits).unwrap_or(0);
        if self.group.is_empty() || self.taken.saturating_add(width) > self.held() {
            self.group.clear();
            self.taken = 0;
            self.source.by_ref().take(u64::from(bits)).read_to_end(&mut self.group)?;
            if self.held() < width {
                return Ok(None);
            }
        }
        let start = self.taken / 8;
        let three = (0..3usize).rev().fold(0usize, |sum, at| {
            (sum << 8) | usize::from(self.group.get(start.saturating_add(at)).copied().unwrap_or(0))
        });
        let code = (three >> (self.taken % 8)) & ((1usize << bits).saturating_sub(1));
        self.taken = self.taken.saturating_add(width);
        Ok(Some(code))
    }
}

impl<R: Read> Read for Compress<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while self.given >= self.out.len() {
            if !self.advance()? {
                return Ok(0);
            }
        }
        let mut rest = self.out.get(self.given..).unwrap_or(&[]);
        let count = rest.read(buffer)?;
        self.given = self.given.saturating_add(count);
        Ok(count)
    }
}
