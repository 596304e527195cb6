//! Header and lookup table of a Windows image ("Windows Imaging File Format (WIM)", Microsoft).
//!
//! Header, 208 bytes:
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 8 | `MSWIM` and three zeros |
//! | 8 | 4 | its size |
//! | 12 | 4 | version: `0x10d00`, `0xe00` with solid resources |
//! | 16 | 4 | flags: `0x2` compressed, `0x20000` XPRESS, `0x40000` LZX, `0x80000` LZMS |
//! | 20 | 4 | size of a chunk |
//! | 40 | 4 | number of this part, number of parts |
//! | 44 | 4 | number of images |
//! | 48, 72 | 24 | resources: lookup table, XML |
//!
//! A resource is a size (7 bytes), flags (1: `2` metadata, `4` compressed, `16` solid), an offset
//! and the size when decoded. A line of the lookup table is a resource, the number of its part, a
//! count of uses and the SHA-1 of its content.

use super::resource::Packing;
use crate::error::PeelError;
use lidless_io::{Cursor, CursorError};

pub(super) const HEADER: u64 = 208;
/// The size that marks the line of a solid resource itself.
const SOLID: u64 = 0x1_0000_0000;
pub(super) const METADATA: u8 = 2;
pub(super) const COMPRESSED: u8 = 4;
pub(super) const IN_SOLID: u8 = 16;
const LINE: usize = 50;

/// Where something lies in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place {
    pub(super) size: u64,
    pub(super) flags: u8,
    pub(super) offset: u64,
    pub(super) decoded: u64,
}

impl Place {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, CursorError> {
        let word = cursor.u64_le()?;
        let flags = u8::try_from(word >> 56).unwrap_or(0);
        let (offset, decoded) = (cursor.u64_le()?, cursor.u64_le()?);
        Ok(Self { size: word & 0x00ff_ffff_ffff_ffff, flags, offset, decoded })
    }

    /// Whether it is the solid resource that others lie in.
    pub(super) fn is_solid_itself(&self) -> bool {
        self.flags & IN_SOLID != 0 && self.decoded == SOLID
    }
}

/// What the header says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub(super) packing: Packing,
    pub(super) chunk: u64,
    pub(super) part: u16,
    pub(super) parts: u16,
    pub(super) lookup: Place,
    pub(super) xml: Place,
}

impl Header {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, PeelError> {
        let mut cursor = Cursor::new(bytes);
        let mut read = || -> Result<Self, CursorError> {
            cursor.skip(16)?;
            let flags = cursor.u32_le()?;
            let chunk = u64::from(cursor.u32_le()?);
            cursor.skip(16)?;
            let (part, parts) = (cursor.u16_le()?, cursor.u16_le()?);
            cursor.skip(4)?;
            let lookup = Place::read(&mut cursor)?;
            let xml = Place::read(&mut cursor)?;
            let packing = match flags {
                _ if flags & 0x2 == 0 => Packing::None,
                _ if flags & 0x2_0000 != 0 => Packing::Xpress,
                _ if flags & 0x4_0000 != 0 => Packing::Lzx,
                _ if flags & 0x8_0000 != 0 => Packing::Lzms,
                _ => Packing::Unknown,
            };
            // Old files without a size have the usual one.
            let chunk = if chunk == 0 { 32 << 10 } else { chunk };
            Ok(Self { packing, chunk, part, parts, lookup, xml })
        };
        read().map_err(|error| PeelError::cursor("WIM", 0, &error))
    }
}

/// A line of the lookup table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) place: Place,
    pub(super) hash: [u8; 20],
}

/// The lines of a lookup table.
pub(super) fn lines(table: &[u8]) -> impl Iterator<Item = Line> + '_ {
    table.chunks_exact(LINE).filter_map(|line| {
        let mut cursor = Cursor::new(line);
        let place = Place::read(&mut cursor).ok()?;
        cursor.skip(6).ok()?;
        Some(Line { place, hash: cursor.array().ok()? })
    })
}
