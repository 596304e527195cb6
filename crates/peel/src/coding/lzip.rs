//! lzip (RFC draft-diaz-lzip): members one after another.
//!
//! Member: `LZIP`, a version (1), a coded dictionary size; an LZMA stream with its end mark and
//! the properties `lc=3 lp=0 pb=2`; a trailer of 20 bytes: CRC-32, length of the content, length
//! of the member.

use super::{MEMORY_BYTES, broken, skip};
use lzma_rust2::LzmaReader;
use std::io::{BufReader, Read, Result};

/// `lc=3 lp=0 pb=2` as LZMA writes them.
const PROPERTIES: u8 = 0x5d;
const TRAILER: u64 = 20;

/// Reads what lzip members hold.
pub(super) struct Lzip<R: Read> {
    /// None while one member is exchanged for the next.
    member: Option<LzmaReader<Given<R>>>,
    source: Option<Given<R>>,
    first: bool,
}

impl<R: Read> Lzip<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            member: None,
            source: Some(Given { back: Vec::new(), source: BufReader::new(source) }),
            first: true,
        }
    }

    /// Starts the next member; false after the last.
    fn advance(&mut self) -> Result<bool> {
        let Some(mut source) = self.source.take() else { return Ok(false) };
        let mut header = Vec::with_capacity(6);
        source.by_ref().take(6).read_to_end(&mut header)?;
        let [b'L', b'Z', b'I', b'P', 1, coded] = *header.as_slice() else {
            let end = header.is_empty() && !self.first;
            return if end { Ok(false) } else { Err(broken("bytes after the end")) };
        };
        self.first = false;
        let base = 1u64.checked_shl(u32::from(coded & 0x1f)).unwrap_or(u64::MAX);
        let less = (base / 16).saturating_mul(u64::from(coded >> 5));
        let dictionary = base.saturating_sub(less);
        let Some(dictionary) = u32::try_from(dictionary)
            .ok()
            .filter(|size| *size >= 4 << 10 && u64::from(*size) <= MEMORY_BYTES)
        else {
            return Err(broken("a dictionary larger than the limit"));
        };
        let member = LzmaReader::new_with_props(source, u64::MAX, PROPERTIES, dictionary, None)?;
        self.member = Some(member);
        Ok(true)
    }
}

impl<R: Read> Read for Lzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let Some(member) = &mut self.member else {
                if self.advance()? {
                    continue;
                }
                return Ok(0);
            };
            let count = member.read(buffer)?;
            if count > 0 {
                return Ok(count);
            }
            if let Some(member) = self.member.take() {
                // What the decoder took too much of belongs to the trailer and the next member.
                let (source, mut back) = member.into_parts();
                back.extend(source.back);
                let mut source = Given { back, source: source.source };
                skip(&mut source, TRAILER)?;
                self.source = Some(source);
            }
        }
    }
}

/// A source with bytes that were given back to it.
struct Given<R> {
    back: Vec<u8>,
    source: BufReader<R>,
}

impl<R: Read> Read for Given<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.back.is_empty() {
            return self.source.read(buffer);
        }
        let count = self.back.as_slice().read(buffer)?;
        self.back.drain(..count);
        Ok(count)
    }
}
