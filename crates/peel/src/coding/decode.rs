//! The codings there are, and what all of them share.

use super::bzip2::Bzip2;
use super::compress::Compress;
use super::gzip::Gzip;
use super::lz4::Lz4;
use super::lzip::Lzip;
use super::lzop::Lzop;
use super::zstd::Zstd;
use lzma_rust2::{LzmaReader, XzReader};
use std::io::{Error, ErrorKind, Read, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The most memory a stream may ask for (its window or dictionary): what `xz -9` asks for.
pub(super) const MEMORY_BYTES: u64 = 64 << 20;
/// The same for lzma-rust2, which adds what it needs itself.
const MEMORY_KIB: u32 = 66 << 10;

/// How a stream is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    Zlib,
    Deflate,
    Bzip2,
    Xz,
    Lzma,
    Zstd,
    Lz4,
    Lzip,
    Compress,
    Deflate64,
    Lzop,
}

impl Coding {
    /// The word for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zlib => "zlib",
            Self::Deflate => "deflate",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Lzma => "lzma",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
            Self::Lzip => "lzip",
            Self::Compress => "compress",
            Self::Deflate64 => "deflate64",
            Self::Lzop => "lzop",
        }
    }
}

/// What `source` holds when decoded. Bytes after the end of the stream are an error at the end.
pub(crate) fn decode<R: Read + 'static>(coding: Coding, source: R) -> Box<dyn Read> {
    match coding {
        Coding::Gzip => Box::new(Gzip::new(source)),
        Coding::Zlib => Box::new(flate2::read::ZlibDecoder::new(source)),
        Coding::Deflate => Box::new(flate2::read::DeflateDecoder::new(source)),
        Coding::Bzip2 => Box::new(Bzip2::new(source)),
        Coding::Xz => guarded(XzReader::new_mem_limit(source, true, MEMORY_KIB)),
        Coding::Lzma => match LzmaReader::new_mem_limit(source, MEMORY_KIB, None) {
            Ok(reader) => guarded(reader),
            Err(error) => Box::new(Failed(Some(error))),
        },
        Coding::Zstd => guarded(Zstd::new(source)),
        Coding::Lz4 => Box::new(Lz4::new(source)),
        Coding::Lzip => guarded(Lzip::new(source)),
        Coding::Lzop => Box::new(Lzop::new(source)),
        Coding::Compress => Box::new(Compress::new(source)),
        Coding::Deflate64 => guarded(deflate64::Deflate64Decoder::new(source)),
    }
}

/// LZMA as zip has it (APPNOTE 5.8.8): two bytes of version, a 16-bit length of properties, one
/// byte and a 32-bit dictionary size as properties, the stream. `length` is known when the
/// stream has no end mark.
pub(crate) fn lzma_of_zip<R: Read + 'static>(
    mut source: R,
    length: Option<u64>,
) -> Result<Box<dyn Read>> {
    let mut header = [0u8; 9];
    source.read_exact(&mut header)?;
    let [_, _, 5, 0, properties, dictionary @ ..] = header else {
        return Err(broken("no LZMA properties"));
    };
    let dictionary = u32::from_le_bytes(dictionary);
    if u64::from(dictionary) > MEMORY_BYTES {
        return Err(broken("a dictionary larger than the limit"));
    }
    let length = length.unwrap_or(u64::MAX);
    let reader = LzmaReader::new_with_props(source, length, properties, dictionary, None)?;
    Ok(guarded(reader))
}

pub(super) fn broken(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what.to_owned())
}

/// Skips `length` bytes of a stream, or to its end.
pub(super) fn skip(source: &mut impl Read, length: u64) -> Result<()> {
    std::io::copy(&mut source.take(length), &mut std::io::sink()).map(|_| ())
}

/// The magic number of the next frame, skippable frames (RFC 8878, 3.1.2) left out; none at the
/// end of the source, which the first frame must not be.
pub(super) fn frame_magic(source: &mut impl Read, first: bool) -> Result<Option<u32>> {
    loop {
        let mut magic = Vec::with_capacity(4);
        source.by_ref().take(4).read_to_end(&mut magic)?;
        let magic = match <[u8; 4]>::try_from(magic) {
            Ok(magic) => u32::from_le_bytes(magic),
            Err(rest) if rest.is_empty() && !first => return Ok(None),
            Err(_) => return Err(broken("the stream ends early")),
        };
        if magic & 0xffff_fff0 != 0x184d_2a50 {
            return Ok(Some(magic));
        }
        let mut length = [0; 4];
        source.read_exact(&mut length)?;
        skip(source, u64::from(u32::from_le_bytes(length)))?;
    }
}

/// A stream that could not be begun.
struct Failed(Option<Error>);

impl Read for Failed {
    fn read(&mut self, _buffer: &mut [u8]) -> Result<usize> {
        match self.0.take() {
            Some(error) => Err(error),
            None => Ok(0),
        }
    }
}

/// Turns a panic of a decoder from elsewhere into a broken stream: one hostile member must not
/// end a run.
struct Guarded<R> {
    reader: Option<R>,
}

fn guarded<R: Read + 'static>(reader: R) -> Box<dyn Read> {
    Box::new(Guarded { reader: Some(reader) })
}

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let Some(mut reader) = self.reader.take() else {
            return Err(broken("the decoder gave up"));
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let outcome = reader.read(buffer);
            (reader, outcome)
        }));
        match outcome {
            Ok((reader, outcome)) => {
                self.reader = Some(reader);
                outcome
            }
            Err(_) => Err(broken("the decoder gave up")),
        }
    }
}
