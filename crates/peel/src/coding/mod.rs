//! Compressed streams, decoded leniently and within bounds.

mod bzip2;
mod compress;
mod decode;
mod gzip;
mod huffman;
mod lz4;
mod lzip;
pub(crate) mod lznt1;
pub(crate) mod lzms;
mod lzop;
pub(crate) mod lzx;
pub(crate) mod xpress;
mod lzo;
mod lzfse;
mod lzvn;
mod zstd;

pub(crate) use decode::{Coding, decode, lzma_of_zip};
use decode::{MEMORY_BYTES, broken, frame_magic, skip};
pub(crate) use lz4::unpack as unpack_lz4;
pub(crate) use lzo::lzo;
pub(crate) use lzfse::lzfse;
pub(crate) use lzvn::lzvn;
