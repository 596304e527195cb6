//! What all descriptors of UDF share (ECMA-167, sections 1/7 and 3/7.2; OSTA UDF 2.60).
//!
//! A descriptor begins with a tag:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 2 | kind |
//! | 4 | 1 | sum of the other 15 bytes of the tag |
//! | 8 | 2 | CRC of what follows the tag |
//! | 10 | 2 | bytes that it is of |
//! | 12 | 4 | the block it stands in |

use super::super::number::{le16, le32};
use crate::time::Civil;
use lidless_core::Timestamp;
use lidless_io::utf16;

pub(super) const ANCHOR: u16 = 2;
pub(super) const POINTER: u16 = 3;
pub(super) const PARTITION: u16 = 5;
pub(super) const LOGICAL_VOLUME: u16 = 6;
pub(super) const TERMINATING: u16 = 8;
pub(super) const INDIRECT: u16 = 248;
pub(super) const FILE_SET: u16 = 256;
pub(super) const FILE_NAME: u16 = 257;
pub(super) const MORE_EXTENTS: u16 = 258;
pub(super) const FILE: u16 = 261;
pub(super) const EXTENDED_FILE: u16 = 266;

/// The kind of the descriptor at the start of `bytes`, when its tag is one.
pub(super) fn kind(bytes: &[u8]) -> Option<u16> {
    let tag = bytes.first_chunk::<16>()?;
    let sum = tag
        .iter()
        .enumerate()
        .filter(|(at, _)| *at != 4)
        .fold(0u8, |sum, (_, byte)| sum.wrapping_add(*byte));
    (sum == *tag.get(4)?).then(|| le16(tag, 0)).filter(|kind| *kind != 0)
}

/// What an extent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExtentKind {
    Recorded,
    /// Zeros, whether or not there is room for it.
    Hole,
    /// More extents are listed there.
    More,
}

/// An extent of blocks of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) kind: ExtentKind,
    pub(super) bytes: u32,
    pub(super) block: u32,
    /// Number of the partition's map.
    pub(super) partition: u16,
}

impl Place {
    /// A long allocation descriptor: length 4 (two highest bits: kind), block 4, partition 2. A
    /// short one, of 8 bytes, is of the partition that it stands in.
    pub(super) fn parse(bytes: &[u8], is_short: bool, own: u16) -> Self {
        let length = le32(bytes, 0);
        Self {
            kind: match length >> 30 {
                0 => ExtentKind::Recorded,
                3 => ExtentKind::More,
                _ => ExtentKind::Hole,
            },
            bytes: length & 0x3fff_ffff,
            block: le32(bytes, 4),
            partition: if is_short { own } else { le16(bytes, 8) },
        }
    }
}

/// Text in OSTA compressed Unicode: 8 or 16 (254 or 255 when deleted) bits for each letter.
pub(super) fn text(bytes: &[u8]) -> String {
    match bytes.split_first() {
        Some((8 | 254, letters)) => letters.iter().map(|byte| char::from(*byte)).collect(),
        Some((16 | 255, letters)) => utf16::text(utf16::units_be(letters)),
        _ => String::new(),
    }
}

/// Text in a field whose last byte says how much of it is used.
pub(super) fn field(bytes: &[u8]) -> String {
    let used = bytes.last().map_or(0, |last| usize::from(*last));
    text(bytes.get(..used.min(bytes.len().saturating_sub(1))).unwrap_or(&[]))
}

/// A moment: kind and zone in minutes (4 and 12 bits), year 2, month, day, hour, minute, second.
pub(super) fn moment(bytes: &[u8]) -> Option<Timestamp> {
    let [zone_low, zone_high, year_low, year_high, month, day, hour, minute, second] =
        *bytes.first_chunk::<9>()?;
    let zone = u16::from_le_bytes([zone_low, zone_high]);
    // Twelve bits with a sign; the lowest number means that none is known.
    let minutes = i16::from_le_bytes((zone << 4).to_le_bytes()) >> 4;
    let offset_minutes = if zone >> 12 == 1 && minutes != -2047 { minutes } else { 0 };
    let year = u16::from_le_bytes([year_low, year_high]);
    Civil { year, month, day, hour, minute, second, offset_minutes }.timestamp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_letters_of_one_or_two_bytes() {
        assert_eq!(text(b"\x08na\xefve"), "naïve");
        assert_eq!(text(b"\x10\x20\x13\x00x"), "–x");
        assert_eq!(text(b""), "");
        assert_eq!(field(b"\x08LIDLESS\0\0\0\x08"), "LIDLESS");
    }

    #[test]
    fn moments_have_zones() {
        // 2020-09-13 14:26:40, two hours east; the same without a zone.
        let east = [120, 0x10, 0xe4, 7, 9, 13, 14, 26, 40];
        assert_eq!(moment(&east).map(|moment| moment.as_second()), Some(1_600_000_000));
        let none = [0x01, 0x18, 0xe4, 7, 9, 13, 12, 26, 40];
        assert_eq!(moment(&none).map(|moment| moment.as_second()), Some(1_600_000_000));
    }
}
