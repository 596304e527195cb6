//! The header (MS-PST 2.2.2.6), in its three layouts.
//!
//! | offset, 32 bits | offset, 64 bits | size | field |
//! | --- | --- | --- | --- |
//! | 0 | 0 | 4 | `!BDN` |
//! | 8 | 8 | 2 | `SM` a PST, `SO` an OST, `AB` an address book |
//! | 10 | 10 | 2 | version: 14, 15 with 32 bits; from 23 with 64; from 36 with pages of 4 KiB |
//! | 184 | 216 | 8, 16 | root of the tree of nodes: block id, offset |
//! | 192 | 232 | 8, 16 | root of the tree of blocks: block id, offset |
//! | 461 | 513 | 1 | encoding of blocks: 0 none, 1 permute, 2 cyclic, 16 encrypted by Windows |

use crate::error::RecordError;
use lidless_io::number::{u16_le, u32_le, u64_le};

/// How long the header is at most.
pub(super) const LENGTH: u64 = 564;

/// Which of the layouts a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Ids and offsets of 32 bits, pages of 512 bytes: Outlook 97 to 2002.
    Narrow,
    /// 64 bits, pages of 512 bytes: since Outlook 2003.
    Wide,
    /// 64 bits, pages of 4 KiB, blocks that may be compressed: OST since Outlook 2013.
    Large,
}

/// How blocks are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    None,
    Permute,
    Cyclic,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub(super) layout: Layout,
    pub(super) coding: Coding,
    pub(super) is_offline: bool,
    /// Offsets of the root pages.
    pub(super) nodes: u64,
    pub(super) blocks: u64,
}

pub(super) fn malformed(offset: u64, expected: &str, found: impl ToString) -> RecordError {
    RecordError::Malformed {
        format: "PST",
        offset,
        expected: expected.to_owned(),
        found: found.to_string(),
    }
}

impl Layout {
    /// An id or an offset at `at`.
    pub(super) fn number_at(self, bytes: &[u8], at: usize) -> Option<u64> {
        match self {
            Self::Narrow => u32_le(bytes, at).map(u64::from),
            Self::Wide | Self::Large => u64_le(bytes, at),
        }
    }

    /// How long an id or an offset is.
    pub(super) fn width(self) -> usize {
        if self == Self::Narrow { 4 } else { 8 }
    }
}

impl Header {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        if !bytes.starts_with(b"!BDN") {
            return Err(malformed(0, "!BDN", "something else"));
        }
        let version = u16_le(bytes, 10).unwrap_or(0);
        let layout = match version {
            14 | 15 => Layout::Narrow,
            23..=35 => Layout::Wide,
            36.. => Layout::Large,
            _ => return Err(malformed(10, "a version of 14, 15 or from 23", version)),
        };
        let (nodes, blocks, coding) =
            if layout == Layout::Narrow { (188, 196, 461) } else { (224, 240, 513) };
        let number = |at: usize| {
            layout.number_at(bytes, at).ok_or_else(|| malformed(0, "a header", "a shorter file"))
        };
        let coding = match bytes.get(coding) {
            Some(0) => Coding::None,
            Some(1) => Coding::Permute,
            Some(2) => Coding::Cyclic,
            Some(16) => {
                let why = "an Outlook store encrypted by Windows Information Protection";
                return Err(RecordError::Closed(why.to_owned()));
            }
            other => {
                let found = other.map_or_else(|| "nothing".to_owned(), u8::to_string);
                return Err(malformed(513, "an encoding of 0, 1, 2 or 16", found));
            }
        };
        Ok(Self {
            layout,
            coding,
            is_offline: bytes.get(8..10) == Some(b"SO"),
            nodes: number(nodes)?,
            blocks: number(blocks)?,
        })
    }
}
