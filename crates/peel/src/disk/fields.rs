//! Numbers at fixed places of a structure.

use crate::error::PeelError;
use lidless_io::number;

/// A structure of which fields are read by their offset; too short is malformed.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    format: &'static str,
    base: u64,
    bytes: &'a [u8],
}

impl<'a> Fields<'a> {
    /// A structure of `format` that begins at `base` in what is being read.
    pub(crate) fn new(format: &'static str, base: u64, bytes: &'a [u8]) -> Self {
        Self { format, base, bytes }
    }

    /// All of it.
    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Exactly `N` bytes at `at`.
    pub(crate) fn array<const N: usize>(&self, at: usize) -> Result<[u8; N], PeelError> {
        let found = number::array(self.bytes, at);
        found.ok_or_else(|| self.wrong(at, format!("{N} bytes"), "the end"))
    }

    /// One byte.
    pub(crate) fn u8(&self, at: usize) -> Result<u8, PeelError> {
        self.array::<1>(at).map(|[byte]| byte)
    }

    /// A little-endian number of 16 bits.
    pub(crate) fn u16_le(&self, at: usize) -> Result<u16, PeelError> {
        self.array(at).map(u16::from_le_bytes)
    }

    /// A little-endian number of 32 bits.
    pub(crate) fn u32_le(&self, at: usize) -> Result<u32, PeelError> {
        self.array(at).map(u32::from_le_bytes)
    }

    /// A big-endian number of 32 bits.
    pub(crate) fn u32_be(&self, at: usize) -> Result<u32, PeelError> {
        self.array(at).map(u32::from_be_bytes)
    }

    /// A little-endian number of 64 bits.
    pub(crate) fn u64_le(&self, at: usize) -> Result<u64, PeelError> {
        self.array(at).map(u64::from_le_bytes)
    }

    /// A big-endian number of 64 bits.
    pub(crate) fn u64_be(&self, at: usize) -> Result<u64, PeelError> {
        self.array(at).map(u64::from_be_bytes)
    }

    /// The error that says what was wrong with the field at `at`.
    pub(crate) fn wrong(
        &self,
        at: usize,
        expected: impl Into<String>,
        found: impl std::fmt::Display,
    ) -> PeelError {
        let at = number::wide(at);
        PeelError::malformed(self.format, self.base.saturating_add(at), expected, found)
    }
}

/// A GUID as Microsoft stores it (the first three numbers little-endian), in capital letters.
pub(crate) fn guid_text(bytes: [u8; 16]) -> String {
    let [a, b, c, d, e, f, g, h, rest @ ..] = bytes;
    let tail: String = rest.iter().map(|byte| format!("{byte:02X}")).collect();
    let (node, last) = tail.split_at_checked(4).unwrap_or((&tail, ""));
    format!(
        "{:08X}-{:04X}-{:04X}-{node}-{last}",
        u32::from_le_bytes([a, b, c, d]),
        u16::from_le_bytes([e, f]),
        u16::from_le_bytes([g, h]),
    )
}
