//! Sparse extents: a directory of tables of grains.
//!
//! Numbers are little-endian, places in sectors.
//!
//! | offset | size | field of a hosted extent |
//! |---|---|---|
//! | 0 | 4 | `KDMV` |
//! | 8 | 4 | flags: 4 a grain of 1 is zeros, 0x10000 packed |
//! | 12 | 8 | length of the extent |
//! | 20 | 8 | length of a grain |
//! | 28 | 8 + 8 | the descriptor inside: place and length |
//! | 44 | 4 | entries of a table |
//! | 56 | 8 | the directory; all ones: the footer says, 1024 bytes before the end |
//! | 77 | 2 | packing: 1 deflate |
//!
//! | offset | size | field of an extent of ESX |
//! |---|---|---|
//! | 0 | 4 | `COWD` |
//! | 12 | 4 | length of the extent |
//! | 16 | 4 | length of a grain |
//! | 20 | 4 | the directory |
//!
//! Directory and tables have 4 bytes an entry: a place, or 0. A packed grain is 8 bytes of its
//! own place on the disk, 4 of its length, and a zlib stream.

use super::super::fields::Fields;
use super::{FORMAT, SECTOR};
use crate::error::PeelError;
use lidless_io::{ReadAt, ReadError, read_exact_vec};

const ZEROED_GRAINS: u32 = 4;
const PACKED: u32 = 1 << 16;
const LARGEST_GRAIN: u64 = 16 << 20;

/// Where the grains of an extent are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sparse {
    /// Length of the extent in bytes.
    pub(super) length: u64,
    /// Length of a grain in bytes.
    pub(super) grain: u64,
    /// Entries of a table.
    pub(super) per_table: u64,
    /// Offset of the directory in the file.
    pub(super) directory: u64,
    pub(super) has_zeros: bool,
    pub(super) is_packed: bool,
    /// Offset and length of the descriptor inside, when there is one.
    pub(super) descriptor: Option<(u64, u64)>,
}

/// Whether a file begins as a sparse extent does.
pub(super) fn is_sparse(head: &[u8]) -> bool {
    head.starts_with(b"KDMV") || head.starts_with(b"COWD")
}

impl Sparse {
    /// Reads the header of an extent, of which `head` is the beginning; `length` is the file's.
    pub(super) fn read(
        source: &dyn ReadAt,
        head: &[u8],
        base: u64,
        length: u64,
    ) -> Result<Self, PeelError> {
        if head.starts_with(b"COWD") {
            return esx(&Fields::new(FORMAT, 0, head));
        }
        let first = hosted(&Fields::new(FORMAT, 0, head))?;
        if first.directory != u64::MAX {
            return Ok(first);
        }
        let at = length.saturating_sub(1024);
        let footer = read_exact_vec(source, base.saturating_add(at), SECTOR)?;
        let last = hosted(&Fields::new(FORMAT, at, &footer))?;
        if last.directory == u64::MAX {
            return Err(PeelError::malformed(FORMAT, at, "a footer with the directory", "none"));
        }
        Ok(Self { descriptor: first.descriptor, ..last })
    }

    /// Whether the numbers can be worked with.
    fn check(self, fields: &Fields<'_>) -> Result<Self, PeelError> {
        if !self.grain.is_power_of_two() || self.grain > LARGEST_GRAIN {
            return Err(fields.wrong(20, "grains of 512 bytes to 16 MiB", self.grain));
        }
        if !(1..=(64 << 10)).contains(&self.per_table) {
            return Err(fields.wrong(44, "tables of 1 to 65536 grains", self.per_table));
        }
        Ok(self)
    }
}

fn hosted(fields: &Fields<'_>) -> Result<Sparse, PeelError> {
    if &fields.array::<4>(0)? != b"KDMV" {
        return Err(fields.wrong(0, "the header of a sparse extent", "something else"));
    }
    let bytes = |at: usize| fields.u64_le(at).map(|sectors| sectors.saturating_mul(SECTOR));
    let flags = fields.u32_le(8)?;
    let is_packed = flags & PACKED != 0;
    if is_packed && fields.u16_le(77)? != 1 {
        return Err(PeelError::Closed("a VMDK packed in an unknown way".into()));
    }
    let (place, length) = (bytes(28)?, bytes(36)?);
    // All ones times 512 stays all ones.
    Sparse {
        length: bytes(12)?,
        grain: bytes(20)?,
        per_table: u64::from(fields.u32_le(44)?),
        directory: bytes(56)?,
        has_zeros: flags & ZEROED_GRAINS != 0,
        is_packed,
        descriptor: (place > 0 && length > 0).then_some((place, length)),
    }
    .check(fields)
}

fn esx(fields: &Fields<'_>) -> Result<Sparse, PeelError> {
    let bytes = |at: usize| fields.u32_le(at).map(|it| u64::from(it).saturating_mul(SECTOR));
    Sparse {
        length: bytes(12)?,
        grain: bytes(16)?,
        per_table: 4096,
        directory: bytes(20)?,
        has_zeros: false,
        is_packed: false,
        descriptor: None,
    }
    .check(fields)
}

/// The stream of a packed grain.
pub(super) fn stream(stored: &[u8]) -> Option<&[u8]> {
    let length = u32::from_le_bytes(stored.get(8..12)?.try_into().ok()?);
    stored.get(12..)?.get(..usize::try_from(length).ok()?)
}

/// What a packed grain takes at most: deflate adds little to what does not shrink.
pub(super) fn most_packed(grain: u64) -> u64 {
    grain.saturating_add(grain / 512).saturating_add(SECTOR)
}

/// An error of a read in words.
pub(super) fn as_read(error: PeelError) -> ReadError {
    match error {
        PeelError::Read(error) => error,
        other => super::super::pieces::broken(&other.to_string()),
    }
}
