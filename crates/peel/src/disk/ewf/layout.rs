//! The structures of a segment.

use crate::error::PeelError;
use lidless_io::number::{array, u16_le, u32_le, u64_le};

/// The format's name in reports.
pub(super) const EWF: &str = "EWF";
/// What a segment begins with.
pub(super) const MAGIC: &[u8] = b"EVF\x09\x0d\x0a\xff\x00";
/// Where the sections begin.
pub(super) const FIRST: u64 = 13;
/// The size of the head of a section.
pub(super) const HEAD: u64 = 76;
/// The largest chunk that is decoded: sixteen times what acquisition programs offer at most.
const LARGEST_CHUNK: u64 = 16 << 20;

/// One sector; smaller ones would cost a look-up each.
const SMALLEST_CHUNK: u64 = 512;

/// The number of a segment; none when the bytes are not one.
pub(super) fn number(head: &[u8]) -> Option<u16> {
    head.starts_with(MAGIC).then(|| u16_le(head, 9)).flatten()
}

/// The head of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Section {
    /// Where it begins in its segment.
    pub(super) offset: u64,
    pub(super) kind: Kind,
    /// Where the next one begins.
    pub(super) next: u64,
    /// Its length with its head.
    pub(super) size: u64,
}

/// What a section holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text about the case: UTF-16.
    Header2,
    /// The same in bytes.
    Header,
    Volume,
    Sectors,
    Table,
    Table2,
    Next,
    Done,
    Other,
}

impl Section {
    /// The section at `offset`, when its checksum is right.
    pub(super) fn parse(bytes: &[u8], offset: u64) -> Option<Self> {
        let sum = u32_le(bytes, 72)?;
        if adler32(bytes.get(..72)?) != sum {
            return None;
        }
        let name: [u8; 16] = array(bytes, 0)?;
        let kind = match name.split(|byte| *byte == 0).next().unwrap_or(&[]) {
            b"header2" => Kind::Header2,
            b"header" => Kind::Header,
            b"volume" | b"disk" => Kind::Volume,
            b"sectors" => Kind::Sectors,
            b"table" => Kind::Table,
            b"table2" => Kind::Table2,
            b"next" => Kind::Next,
            b"done" => Kind::Done,
            _ => Kind::Other,
        };
        Some(Self { offset, kind, next: u64_le(bytes, 16)?, size: u64_le(bytes, 24)? })
    }

    /// Where what it holds begins.
    pub(super) fn inside(&self) -> u64 {
        self.offset.saturating_add(HEAD)
    }
}

/// The size of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Volume {
    pub(super) chunks: u64,
    pub(super) chunk_bytes: u64,
    /// Length of the disk in bytes.
    pub(super) length: u64,
}

impl Volume {
    /// Reads what a volume section holds.
    pub(super) fn parse(bytes: &[u8], offset: u64) -> Result<Self, PeelError> {
        let short = || PeelError::malformed(EWF, offset, "a volume section", "its end");
        let chunks = u64::from(u32_le(bytes, 4).ok_or_else(short)?);
        let sectors_in_chunk = u64::from(u32_le(bytes, 8).ok_or_else(short)?);
        let sector = u64::from(u32_le(bytes, 12).ok_or_else(short)?);
        let sectors = match bytes.len() {
            // SMART's is 94 bytes long and counts in 32 bits.
            0..=94 => u64::from(u32_le(bytes, 16).ok_or_else(short)?),
            _ => u64_le(bytes, 16).ok_or_else(short)?,
        };
        let chunk_bytes = sectors_in_chunk.saturating_mul(sector);
        if !(SMALLEST_CHUNK..=LARGEST_CHUNK).contains(&chunk_bytes) {
            let found = format!("{sectors_in_chunk} sectors of {sector} bytes");
            return Err(PeelError::malformed(EWF, offset, "a size of chunks", found));
        }
        let most = chunks.saturating_mul(chunk_bytes);
        let said = sectors.saturating_mul(sector);
        let length = if said == 0 { most } else { said.min(most) };
        Ok(Self { chunks, chunk_bytes, length })
    }
}

/// Adler-32 (RFC 1950).
pub(super) fn adler32(bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (1u32, 0u32);
    for byte in bytes {
        low = low.wrapping_add(u32::from(*byte)) % 65_521;
        high = high.wrapping_add(low) % 65_521;
    }
    high.wrapping_shl(16) | low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_rfc() {
        assert_eq!(adler32(b""), 1);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
    }
}
