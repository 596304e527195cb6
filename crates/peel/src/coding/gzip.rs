//! gzip (RFC 1952): members one after another. Zeros after the last are the padding of tapes;
//! anything else there is an error, so that it is not passed over.

use super::broken;
use flate2::bufread::GzDecoder;
use std::io::{BufRead, BufReader, Read, Result};

/// Reads what gzip members hold.
pub(super) struct Gzip<R> {
    /// None only while one member is exchanged for the next.
    member: Option<GzDecoder<BufReader<R>>>,
}

impl<R: Read> Gzip<R> {
    pub(super) fn new(source: R) -> Self {
        Self { member: Some(GzDecoder::new(BufReader::new(source))) }
    }
}

impl<R: Read> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let Some(member) = &mut self.member else { return Ok(0) };
            let count = member.read(buffer)?;
            if count > 0 {
                return Ok(count);
            }
            let Some(member) = self.member.take() else { return Ok(0) };
            let mut source = member.into_inner();
            match next(&mut source)? {
                None => return Ok(0),
                Some(0x1f) => self.member = Some(GzDecoder::new(source)),
                Some(_) => return Err(broken("bytes after the end")),
            }
        }
    }
}

/// The next byte that is no padding, not consumed.
fn next(source: &mut impl BufRead) -> Result<Option<u8>> {
    loop {
        let held = source.fill_buf()?;
        let Some(first) = held.first().copied() else { return Ok(None) };
        if first != 0 {
            return Ok(Some(first));
        }
        let zeros = held.iter().take_while(|byte| **byte == 0).count();
        source.consume(zeros);
    }
}
