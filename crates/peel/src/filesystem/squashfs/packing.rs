//! How blocks of SquashFS are packed.

use crate::coding::{Coding, decode, lzo, unpack_lz4};
use crate::error::PeelError;
use lidless_io::number::wide;
use std::io::{Cursor, Read as _};

/// A packing that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// zlib streams, whatever the name says.
    Gzip,
    Lzma,
    /// LZO1X blocks without a frame.
    Lzo,
    Xz,
    /// Blocks without a frame.
    Lz4,
    Zstd,
}

impl Packing {
    /// The packing with this number.
    ///
    /// # Errors
    /// For a number that is none.
    pub(super) fn of(number: u16) -> Result<Self, PeelError> {
        match number {
            1 => Ok(Self::Gzip),
            2 => Ok(Self::Lzma),
            3 => Ok(Self::Lzo),
            4 => Ok(Self::Xz),
            5 => Ok(Self::Lz4),
            6 => Ok(Self::Zstd),
            other => Err(PeelError::malformed("SquashFS", 20, "a packing", other)),
        }
    }

    /// Unpacks a block, to `most` bytes.
    ///
    /// # Errors
    /// What the decoder says.
    pub(super) fn unpack(self, packed: &[u8], most: usize) -> std::io::Result<Vec<u8>> {
        let mut whole = Vec::new();
        let coding = match self {
            Self::Lz4 => {
                unpack_lz4(packed, &mut whole, most)?;
                return Ok(whole);
            }
            Self::Lzo => return lzo(packed, most),
            Self::Gzip => Coding::Zlib,
            Self::Lzma => Coding::Lzma,
            Self::Xz => Coding::Xz,
            Self::Zstd => Coding::Zstd,
        };
        let most = wide(most);
        decode(coding, Cursor::new(packed.to_vec())).take(most).read_to_end(&mut whole)?;
        Ok(whole)
    }
}
