//! Compressed streams, decoded leniently and within bounds.

mod bzip2;
mod compress;
mod decode;
mod gzip;
mod huffman;
mod lz4;
mod lzfse;
mod lzip;
pub(crate) mod lzms;
pub(crate) mod lznt1;
mod lzo;
mod lzop;
mod lzvn;
pub(crate) mod lzx;
pub(crate) mod xpress;
mod zstd;

pub(crate) use decode::{Coding, decode, lzma_of_zip};
use decode::{MEMORY_BYTES, broken, frame_magic, skip};
pub(crate) use lz4::unpack as unpack_lz4;
pub(crate) use lzfse::lzfse;
pub(crate) use lzo::lzo;
pub(crate) use lzvn::lzvn;
