//! The base block, which hives and their logs begin with.

use crate::error::RecordError;
use lidless_io::number;
use lidless_io::utf16::{text_to_zero, units_le};

pub(super) const FORMAT: &str = "registry hive";
pub(super) const MAGIC: &[u8; 4] = b"regf";
/// Length of a base block that counts; the bins begin at [`BINS`].
pub(super) const BASE: u64 = 512;
/// Where the bins begin.
pub(super) const BINS: u64 = 4096;

#[derive(Debug, Clone)]
pub(super) struct Base {
    pub(super) primary: u32,
    pub(super) secondary: u32,
    pub(super) written: u64,
    pub(super) kind: u32,
    pub(super) root: u32,
    pub(super) bins_bytes: u32,
    pub(super) file_name: String,
    pub(super) checksum_holds: bool,
}

impl Base {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, RecordError> {
        let field = |at: usize| number::u32_le(bytes, at).unwrap_or(0);
        if !bytes.starts_with(MAGIC) || bytes.len() < number::index(BASE) {
            return Err(malformed(0, "regf and a base block", "other bytes"));
        }
        let sum = bytes
            .get(..508)
            .unwrap_or(&[])
            .chunks_exact(4)
            .fold(0u32, |sum, word| sum ^ number::u32_le(word, 0).unwrap_or(0));
        let sum = match sum {
            0 => 1,
            u32::MAX => u32::MAX.wrapping_sub(1),
            sum => sum,
        };
        Ok(Self {
            primary: field(4),
            secondary: field(8),
            written: number::u64_le(bytes, 12).unwrap_or(0),
            kind: field(28),
            root: field(36),
            bins_bytes: field(40),
            file_name: text_to_zero(units_le(bytes.get(48..112).unwrap_or(&[]))),
            checksum_holds: field(508) == sum,
        })
    }

    /// Whether all that was written went into the file.
    pub(super) fn is_clean(&self) -> bool {
        self.primary == self.secondary && self.checksum_holds
    }
}

pub(super) fn malformed(offset: u64, expected: &str, found: &str) -> RecordError {
    RecordError::Malformed {
        format: FORMAT,
        offset,
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
}

/// A time of Windows (100 ns since 1601) in seconds since 1970; none when it is unset.
#[must_use]
pub fn unix_seconds(filetime: u64) -> Option<i64> {
    let seconds = i64::try_from(filetime / 10_000_000).ok()?;
    if filetime == 0 { None } else { seconds.checked_sub(11_644_473_600) }
}
