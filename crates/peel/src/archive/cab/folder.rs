//! The content of a folder of a cabinet: blocks of at most 32 KiB, each with the history of those
//! before it.
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 4 | checksum |
//! | 4 | 2 | size of the data |
//! | 6 | 2 | its size when decoded; 0: goes on in the next cabinet |
//! | 8 | | bytes kept for others, then the data |
//!
//! MSZIP: `CK` and a deflate stream that ends in the block. LZX: one stream over all blocks.

use lzxd::{Lzxd, WindowSize};
use std::io::{Error, ErrorKind, Read, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A block is at most this long when decoded.
const BLOCK: usize = 32 << 10;

/// How the blocks of a folder are compressed.
pub(super) enum Packing {
    Stored,
    MsZip,
    /// None once the decoder gave up.
    Lzx(Option<Box<Lzxd>>),
}

impl Packing {
    /// By the number in the header of a folder; none for what is not read.
    pub(super) fn new(kind: u16) -> Option<Self> {
        match kind & 0xf {
            0 => Some(Self::Stored),
            1 => Some(Self::MsZip),
            3 => {
                let window = match kind >> 8 & 0x1f {
                    15 => WindowSize::KB32,
                    16 => WindowSize::KB64,
                    17 => WindowSize::KB128,
                    18 => WindowSize::KB256,
                    19 => WindowSize::KB512,
                    20 => WindowSize::MB1,
                    21 => WindowSize::MB2,
                    _ => return None,
                };
                Some(Self::Lzx(Some(Box::new(Lzxd::new(window)))))
            }
            _ => None,
        }
    }
}

/// Reads a folder front to back.
pub(super) struct Folder<R> {
    source: R,
    packing: Packing,
    /// Blocks that are still to come.
    blocks: u16,
    /// Bytes of each block that are kept for others.
    kept: u8,
    block: Vec<u8>,
    given: usize,
}

fn broken(why: &str) -> Error {
    Error::new(ErrorKind::InvalidData, why.to_owned())
}

impl<R: Read> Folder<R> {
    /// `source` begins with the first block.
    pub(super) fn new(source: R, packing: Packing, blocks: u16, kept: u8) -> Self {
        Self { source, packing, blocks, kept, block: Vec::new(), given: 0 }
    }

    fn advance(&mut self) -> Result<()> {
        let mut header = [0u8; 8];
        self.source.read_exact(&mut header)?;
        let [_, _, _, _, a, b, c, d] = header;
        let (size, decoded) = (u16::from_le_bytes([a, b]), usize::from(u16::from_le_bytes([c, d])));
        let mut kept = vec![0u8; usize::from(self.kept)];
        self.source.read_exact(&mut kept)?;
        let mut data = vec![0u8; usize::from(size)];
        self.source.read_exact(&mut data)?;
        if decoded == 0 || decoded > BLOCK {
            return Err(broken("a block that goes on in the next cabinet"));
        }
        self.block = match &mut self.packing {
            Packing::Stored => data,
            Packing::MsZip => inflate(&data, &self.block, decoded)?,
            Packing::Lzx(decoder) => lzx(decoder, &data, decoded)?,
        };
        if self.block.len() != decoded {
            return Err(broken("a block of another length"));
        }
        self.given = 0;
        Ok(())
    }
}

/// Decodes a block of MSZIP. The block before is the history: a stored block of deflate in front
/// puts it there.
fn inflate(data: &[u8], history: &[u8], decoded: usize) -> Result<Vec<u8>> {
    let stream = data.strip_prefix(b"CK").ok_or_else(|| broken("no mark of MSZIP"))?;
    let mut input = Vec::with_capacity(history.len().saturating_add(stream.len()));
    if !history.is_empty() {
        let length = u16::try_from(history.len()).map_err(|_| broken("a block too long"))?;
        input.push(0);
        input.extend(length.to_le_bytes());
        input.extend((!length).to_le_bytes());
        input.extend(history);
    }
    input.extend(stream);
    let most = history.len().saturating_add(decoded);
    let mut output = Vec::with_capacity(most);
    let decoder = flate2::read::DeflateDecoder::new(input.as_slice());
    decoder.take(u64::try_from(most).unwrap_or(0)).read_to_end(&mut output)?;
    output.drain(..history.len().min(output.len()));
    Ok(output)
}

fn lzx(decoder: &mut Option<Box<Lzxd>>, data: &[u8], decoded: usize) -> Result<Vec<u8>> {
    let Some(mut own) = decoder.take() else { return Err(broken("the decoder gave up")) };
    // The library is not ours: a panic in it is a broken stream.
    let done = catch_unwind(AssertUnwindSafe(|| {
        let output = own.decompress_next(data, decoded).map(<[u8]>::to_vec);
        (output, own)
    }));
    let Ok((Ok(output), own)) = done else { return Err(broken("a block that cannot be decoded")) };
    *decoder = Some(own);
    Ok(output)
}

impl<R: Read> Read for Folder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        while self.given >= self.block.len() {
            let Some(left) = self.blocks.checked_sub(1) else { return Ok(0) };
            if buffer.is_empty() {
                return Ok(0);
            }
            self.blocks = left;
            self.advance()?;
        }
        let mut rest = self.block.get(self.given..).unwrap_or(&[]);
        let count = rest.read(buffer)?;
        self.given = self.given.saturating_add(count);
        Ok(count)
    }
}
