//! Bytes with numbers put at offsets, as on-disk structures are described.

/// A structure of a fixed or growing size. What does not fit is left out: the tests that read the
/// images again would notice.
#[derive(Debug, Clone, Default)]
pub(super) struct Block(Vec<u8>);

impl Block {
    /// `size` zeros.
    pub(super) fn new(size: usize) -> Self {
        Self(vec![0; size])
    }

    /// Puts bytes at an offset.
    pub(super) fn put(&mut self, at: usize, bytes: &[u8]) -> &mut Self {
        if let Some(place) = self.0.get_mut(at..at.saturating_add(bytes.len())) {
            place.copy_from_slice(bytes);
        }
        self
    }

    pub(super) fn u16(&mut self, at: usize, value: u16) -> &mut Self {
        self.put(at, &value.to_le_bytes())
    }

    pub(super) fn u32(&mut self, at: usize, value: u32) -> &mut Self {
        self.put(at, &value.to_le_bytes())
    }

    pub(super) fn u64(&mut self, at: usize, value: u64) -> &mut Self {
        self.put(at, &value.to_le_bytes())
    }

    /// Adds bytes at the end.
    pub(super) fn push(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// Adds zeros up to a multiple of `unit`.
    pub(super) fn align(&mut self, unit: usize) -> &mut Self {
        let size = self.0.len().next_multiple_of(unit.max(1));
        self.0.resize(size, 0);
        self
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// A length as a number of the formats.
pub(super) fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// A number that is known to be small.
pub(super) fn small<T: TryFrom<u64> + Default>(value: u64) -> T {
    T::try_from(value).unwrap_or_default()
}

/// UTF-16, little endian.
pub(super) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// `value` cut down to a multiple of `unit`.
pub(super) fn whole(value: u64, unit: u64) -> u64 {
    value.saturating_sub(value.checked_rem(unit).unwrap_or(0))
}
