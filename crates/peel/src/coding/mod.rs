//! Compressed streams, decoded leniently and within bounds.

mod bzip2;
mod decode;
mod gzip;
mod lz4;
mod lzfse;
mod lzvn;
mod zstd;

pub(crate) use decode::{Coding, decode, lzma_of_zip};
use decode::{MEMORY_BYTES, broken, frame_magic, skip};
pub(crate) use lzfse::lzfse;
pub(crate) use lzvn::lzvn;
