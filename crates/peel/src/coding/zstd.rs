//! Zstandard (RFC 8878): frames one after another, skippable ones between them.

use super::{MEMORY_BYTES, broken, frame_magic};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::io::{BufReader, Read, Result};

const MAGIC: u32 = 0xfd2f_b528;

/// Reads what Zstandard frames hold.
pub(super) struct Zstd<R> {
    source: BufReader<R>,
    decoder: FrameDecoder,
    first: bool,
}

impl<R: Read> Zstd<R> {
    pub(super) fn new(source: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MEMORY_BYTES);
        Self { source: BufReader::new(source), decoder, first: true }
    }

    /// Starts the next frame; false after the last.
    fn frame(&mut self) -> Result<bool> {
        match frame_magic(&mut self.source, self.first)? {
            None => return Ok(false),
            Some(MAGIC) => {}
            Some(_) => return Err(broken("bytes after the end")),
        }
        self.first = false;
        let magic = MAGIC.to_le_bytes();
        let source = (&magic[..]).chain(&mut self.source);
        self.decoder.reset(source).map_err(std::io::Error::other)?;
        Ok(true)
    }
}

impl<R: Read> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(buffer);
            }
            if self.decoder.is_finished() {
                if !self.frame()? {
                    return Ok(0);
                }
                continue;
            }
            let one = BlockDecodingStrategy::UptoBlocks(1);
            self.decoder.decode_blocks(&mut self.source, one).map_err(std::io::Error::other)?;
        }
    }
}
