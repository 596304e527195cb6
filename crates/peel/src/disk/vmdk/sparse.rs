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
//!
//! | offset | size | field of a space-efficient extent (seSparse; as qemu reads it) |
//! |---|---|---|
//! | 0 | 8 | BE BA FE CA |
//! | 8 | 8 | version: 0x200000001 |
//! | 16 | 8 | length of the extent |
//! | 24 | 8 | length of a grain |
//! | 32 | 8 | length of a table |
//! | 128 | 8 | the directory |
//! | 144 | 8 | the tables |
//! | 192 | 8 | the grains |
//! | 536 | 8 | whether its journal has to be replayed |
//!
//! There the entries have 8 bytes, with their kind in the upper 4 bits. Directory: 1, and the
//! number of a table. Tables: 0 none, 1 unmapped, 2 zeros, 3 the number of a grain, of which the
//! lower 12 bits stand in front of the upper 48.

use super::super::fields::Fields;
use super::descriptor::SECTOR;
use crate::error::PeelError;
use lidless_io::number::u32_le;
use lidless_io::{ReadAt, ReadError, read_exact_vec};

/// The name of the format in reports.
pub(super) const FORMAT: &str = "VMDK";
const EFFICIENT: &[u8] = &[0xbe, 0xba, 0xfe, 0xca, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0];
const ZEROED_GRAINS: u32 = 4;
const PACKED: u32 = 1 << 16;
const LARGEST_GRAIN: u64 = 16 << 20;

/// How the tables of an extent are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Places; whether a grain of 1 is zeros.
    Plain { has_zeros: bool },
    /// Places of packed grains.
    Packed,
    /// Numbers of tables and grains, which begin at these offsets.
    Efficient { tables: u64, grains: u64 },
}

/// An entry of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grain {
    /// Not here: the parent's.
    None,
    Zeros,
    /// At this offset in the file.
    At(u64),
}

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
    pub(super) form: Form,
    /// Offset and length of the descriptor inside, when there is one.
    pub(super) descriptor: Option<(u64, u64)>,
}

/// Whether a file begins as a sparse extent does.
pub(super) fn is_sparse(head: &[u8]) -> bool {
    head.starts_with(b"KDMV") || head.starts_with(b"COWD") || head.starts_with(EFFICIENT)
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
        if head.starts_with(EFFICIENT) {
            return efficient(&Fields::new(FORMAT, 0, head));
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
        form: match is_packed {
            true => Form::Packed,
            false => Form::Plain { has_zeros: flags & ZEROED_GRAINS != 0 },
        },
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
        form: Form::Plain { has_zeros: false },
        descriptor: None,
    }
    .check(fields)
}

fn efficient(fields: &Fields<'_>) -> Result<Sparse, PeelError> {
    if fields.u64_le(536)? != 0 {
        let reason = "a VMDK whose journal has to be replayed, not looked into";
        return Err(PeelError::Closed(reason.into()));
    }
    let bytes = |at: usize| fields.u64_le(at).map(|sectors| sectors.saturating_mul(SECTOR));
    Sparse {
        length: bytes(16)?,
        grain: bytes(24)?,
        per_table: bytes(32)? / 8,
        directory: bytes(128)?,
        form: Form::Efficient { tables: bytes(144)?, grains: bytes(192)? },
        descriptor: None,
    }
    .check(fields)
}

impl Sparse {
    /// Bytes of an entry of the directory and of the tables.
    pub(super) fn entry_bytes(&self) -> u64 {
        if matches!(self.form, Form::Efficient { .. }) { 8 } else { 4 }
    }

    /// Where the table is that an entry of the directory stands for; none when there is none.
    pub(super) fn table(&self, entry: u64) -> Option<u64> {
        match self.form {
            Form::Plain { .. } | Form::Packed => (entry != 0).then(|| entry.saturating_mul(SECTOR)),
            Form::Efficient { tables, .. } => (entry >> 32 == 0x1000_0000).then(|| {
                let number = entry & u64::from(u32::MAX);
                number.saturating_mul(self.per_table).saturating_mul(8).saturating_add(tables)
            }),
        }
    }

    /// What an entry of a table stands for.
    pub(super) fn grain(&self, entry: u64) -> Grain {
        match (self.form, entry) {
            (_, 0) => Grain::None,
            (Form::Plain { has_zeros: true }, 1) => Grain::Zeros,
            (Form::Plain { .. } | Form::Packed, _) => Grain::At(entry.saturating_mul(SECTOR)),
            (Form::Efficient { grains, .. }, _) => match entry >> 60 {
                0 => Grain::None,
                3 => {
                    let number = (entry >> 48 & 0xfff) | (entry & 0xffff_ffff_ffff) << 12;
                    Grain::At(number.saturating_mul(self.grain).saturating_add(grains))
                }
                _ => Grain::Zeros,
            },
        }
    }
}

/// The stream of a packed grain.
pub(super) fn stream(stored: &[u8]) -> Option<&[u8]> {
    let length = u32_le(stored, 8)?;
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
        other => super::super::mapped::broken(&other.to_string()),
    }
}
