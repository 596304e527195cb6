//! The header (MS-CFB 2.2), one sector long.
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 8 | `d0 cf 11 e0 a1 b1 1a e1` |
//! | 26 | 2 | major version: 3 or 4 |
//! | 30 | 2 | sector shift: 9 or 12 |
//! | 32 | 2 | mini sector shift: 6 |
//! | 44 | 4 | number of FAT sectors |
//! | 48 | 4 | first sector of the directory |
//! | 56 | 4 | streams below this size lie in the mini stream: 4,096 |
//! | 60 | 4 | first sector of the mini FAT |
//! | 68 | 4 | first sector of the DIFAT |
//! | 76 | 436 | the first 109 FAT sectors |

use crate::error::RecordError;
use lidless_io::number::{u16_le, u32_le};

/// What compound files begin with.
const MAGIC: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
/// The highest number of a sector; those above say something else.
pub(super) const LAST_SECTOR: u32 = 0xffff_fffa;

pub(super) struct Header {
    pub(super) sector_bytes: u64,
    pub(super) version: u16,
    pub(super) directory: u32,
    pub(super) cutoff: u64,
    pub(super) mini_fat: u32,
    pub(super) difat: u32,
    /// FAT sectors that the header itself names.
    pub(super) fat: Vec<u32>,
}

/// A malformed compound file.
pub(super) fn malformed(offset: u64, expected: &str, found: impl ToString) -> RecordError {
    RecordError::Malformed {
        format: "compound file",
        offset,
        expected: expected.to_owned(),
        found: found.to_string(),
    }
}

impl Header {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        if !bytes.starts_with(MAGIC) {
            return Err(malformed(0, "the magic of compound files", "something else"));
        }
        let number = |at: usize| {
            u32_le(bytes, at).ok_or_else(|| malformed(0, "a header of 512 bytes", bytes.len()))
        };
        let shift = u16_le(bytes, 30).unwrap_or(0);
        let sector_bytes = match shift {
            9 => 512,
            12 => 4096,
            _ => return Err(malformed(30, "a sector shift of 9 or 12", shift)),
        };
        let mut fat = Vec::new();
        for index in 0..109usize {
            let sector = number(index.saturating_mul(4).saturating_add(76))?;
            if sector < LAST_SECTOR {
                fat.push(sector);
            }
        }
        Ok(Self {
            sector_bytes,
            version: u16_le(bytes, 26).unwrap_or(3),
            directory: number(48)?,
            cutoff: u64::from(number(56)?).min(1 << 20),
            mini_fat: number(60)?,
            difat: number(68)?,
            fat,
        })
    }
}
