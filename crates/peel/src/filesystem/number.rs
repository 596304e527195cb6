//! Numbers of on-disk structures. Structures are cut to their size first; what still lies past
//! the end reads as zero, as the rest of a shorter, older form of the structure does.

use lidless_io::number::{u16_be, u16_le, u32_be, u32_le, u64_be, u64_le};

/// The byte at `at`.
pub(super) fn byte(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

/// A little-endian 16-bit number.
pub(super) fn le16(bytes: &[u8], at: usize) -> u16 {
    u16_le(bytes, at).unwrap_or(0)
}

/// A little-endian 32-bit number.
pub(super) fn le32(bytes: &[u8], at: usize) -> u32 {
    u32_le(bytes, at).unwrap_or(0)
}

/// A little-endian 64-bit number.
pub(super) fn le64(bytes: &[u8], at: usize) -> u64 {
    u64_le(bytes, at).unwrap_or(0)
}

/// A big-endian 16-bit number.
pub(super) fn be16(bytes: &[u8], at: usize) -> u16 {
    u16_be(bytes, at).unwrap_or(0)
}

/// A big-endian 32-bit number.
pub(super) fn be32(bytes: &[u8], at: usize) -> u32 {
    u32_be(bytes, at).unwrap_or(0)
}

/// A big-endian 64-bit number.
pub(super) fn be64(bytes: &[u8], at: usize) -> u64 {
    u64_be(bytes, at).unwrap_or(0)
}

/// The part of `bytes` from `at`, at most `length` long.
pub(super) fn part(bytes: &[u8], at: usize, length: usize) -> &[u8] {
    let rest = bytes.get(at..).unwrap_or(&[]);
    rest.get(..length).unwrap_or(rest)
}
