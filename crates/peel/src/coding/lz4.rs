//! LZ4 frames: LZ4 Frame Format 1.6 and LZ4 Block Format. Checksums are skipped.
//!
//! Frame: magic `04 22 4d 18`; flags (bit 5 blocks stand alone, 4 block checksums, 3 content
//! size, 2 content checksum, 0 dictionary id); block size code; the optional fields; a checksum
//! byte; blocks of a 32-bit size (highest bit: stored) and data; a size of 0 ends the frame.

use super::{broken, frame_magic, skip};
use lidless_io::number::index;
use std::io::{BufReader, Read, Result};

const MAGIC: u32 = 0x184d_2204;
/// How far back a copy may reach.
const HISTORY: usize = 64 << 10;

/// Reads what LZ4 frames hold.
pub(super) struct Lz4<R> {
    source: BufReader<R>,
    frame: Option<Frame>,
    /// History of earlier blocks and the block being given out.
    window: Vec<u8>,
    given: usize,
    first: bool,
}

#[derive(Clone, Copy)]
struct Frame {
    block_bytes: usize,
    block_checksum: bool,
    content_checksum: bool,
    linked: bool,
}

impl<R: Read> Lz4<R> {
    pub(super) fn new(source: R) -> Self {
        let source = BufReader::new(source);
        Self { source, frame: None, window: Vec::new(), given: 0, first: true }
    }

    fn u32(&mut self) -> Result<u32> {
        let mut bytes = [0; 4];
        self.source.read_exact(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn header(&mut self) -> Result<Frame> {
        let mut two = [0u8; 2];
        self.source.read_exact(&mut two)?;
        let [flags, sizes] = two;
        if flags >> 6 != 1 {
            return Err(broken("an unknown version"));
        }
        let optional = if flags & 8 != 0 { 8 } else { 0u64 };
        let dictionary = if flags & 1 != 0 { 4 } else { 0u64 };
        skip(&mut self.source, optional.saturating_add(dictionary).saturating_add(1))?;
        let block_bytes = match (sizes >> 4) & 7 {
            4 => 64 << 10,
            5 => 256 << 10,
            6 => 1 << 20,
            7 => 4 << 20,
            _ => return Err(broken("no such block size")),
        };
        Ok(Frame {
            block_bytes,
            block_checksum: flags & 16 != 0,
            content_checksum: flags & 4 != 0,
            linked: flags & 32 == 0,
        })
    }

    /// Unpacks the next block; false at the end of the last frame.
    fn advance(&mut self) -> Result<bool> {
        loop {
            let Some(frame) = self.frame else {
                match frame_magic(&mut self.source, self.first)? {
                    None => return Ok(false),
                    Some(MAGIC) => {
                        self.frame = Some(self.header()?);
                        self.window.clear();
                        self.given = 0;
                    }
                    Some(_) => return Err(broken("bytes after the end")),
                }
                self.first = false;
                continue;
            };
            let size = self.u32()?;
            if size == 0 {
                if frame.content_checksum {
                    self.u32()?;
                }
                self.frame = None;
                continue;
            }
            let stored = size & 0x8000_0000 != 0;
            let size = index(size & 0x7fff_ffff);
            if size > frame.block_bytes {
                return Err(broken("a block larger than its size"));
            }
            let mut packed = vec![0; size];
            self.source.read_exact(&mut packed)?;
            if frame.block_checksum {
                self.u32()?;
            }
            let keep = if frame.linked { HISTORY } else { 0 };
            self.window.drain(..self.window.len().saturating_sub(keep));
            self.given = self.window.len();
            if stored {
                self.window.extend_from_slice(&packed);
            } else {
                let most = self.window.len().saturating_add(frame.block_bytes);
                unpack(&packed, &mut self.window, most)?;
            }
            return Ok(true);
        }
    }
}

impl<R: Read> Read for Lz4<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while self.given >= self.window.len() {
            if !self.advance()? {
                return Ok(0);
            }
        }
        let mut rest = self.window.get(self.given..).unwrap_or(&[]);
        let count = rest.read(buffer)?;
        self.given = self.given.saturating_add(count);
        Ok(count)
    }
}

/// Unpacks a block onto the end of `window`, up to `most` bytes in it.
pub(crate) fn unpack(packed: &[u8], window: &mut Vec<u8>, most: usize) -> Result<()> {
    let mut rest = packed;
    while let Some((token, after)) = rest.split_first() {
        rest = after;
        let literals = length(usize::from(token >> 4), &mut rest)?;
        let Some((copied, after)) = rest.split_at_checked(literals) else {
            return Err(broken("a block that ends early"));
        };
        if window.len().saturating_add(literals) > most {
            return Err(broken("a block larger than its size"));
        }
        window.extend_from_slice(copied);
        rest = after;
        // The last sequence has no copy.
        let Some((distance, after)) = rest.split_first_chunk::<2>() else { break };
        rest = after;
        let distance = usize::from(u16::from_le_bytes(*distance));
        let count = length(usize::from(token & 15), &mut rest)?.saturating_add(4);
        let Some(mut from) = window.len().checked_sub(distance).filter(|_| distance > 0) else {
            return Err(broken("a copy from before the beginning"));
        };
        if window.len().saturating_add(count) > most {
            return Err(broken("a block larger than its size"));
        }
        // A copy may overlap what it makes: it is done in steps of at most its distance.
        let mut left = count;
        while left > 0 {
            let step = left.min(distance);
            window.extend_from_within(from..from.saturating_add(step));
            from = from.saturating_add(step);
            left = left.saturating_sub(step);
        }
    }
    Ok(())
}

fn length(start: usize, rest: &mut &[u8]) -> Result<usize> {
    let mut sum = start;
    if start == 15 {
        loop {
            let Some((more, after)) = rest.split_first() else {
                return Err(broken("a block that ends early"));
            };
            *rest = after;
            sum = sum.saturating_add(usize::from(*more));
            if *more != 255 {
                break;
            }
        }
    }
    Ok(sum)
}
