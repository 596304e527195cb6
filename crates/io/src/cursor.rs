//! A reader over a slice that cannot panic and cannot forget where it was.

/// What a [`Cursor`] expected and did not find.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("offset {offset}: expected {expected}, found {found}")]
pub struct CursorError {
    /// Where, in bytes from the start of the slice.
    pub offset: usize,
    /// What was needed.
    pub expected: String,
    /// What was there.
    pub found: String,
}

/// Reads numbers and slices front to back, with every length checked.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    /// Starts at the beginning of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// Bytes consumed so far.
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }

    /// Bytes not consumed yet.
    #[must_use]
    pub fn remaining(&self) -> &'a [u8] {
        self.bytes.get(self.position..).unwrap_or(&[])
    }

    /// True when everything was consumed.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.position >= self.bytes.len()
    }

    /// Takes the next `length` bytes.
    ///
    /// # Errors
    /// When fewer are left; nothing is consumed then.
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], CursorError> {
        let left = self.remaining();
        match left.get(..length) {
            Some(taken) => {
                self.position = self.position.saturating_add(length);
                Ok(taken)
            }
            None => Err(CursorError {
                offset: self.position,
                expected: format!("{length} bytes"),
                found: format!("{}", left.len()),
            }),
        }
    }

    /// Skips `length` bytes.
    ///
    /// # Errors
    /// As [`Cursor::take`].
    pub fn skip(&mut self, length: usize) -> Result<(), CursorError> {
        self.take(length).map(|_| ())
    }

    /// Takes exactly `N` bytes as an array.
    ///
    /// # Errors
    /// As [`Cursor::take`].
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], CursorError> {
        let taken = self.take(N)?;
        let mut array = [0; N];
        array.copy_from_slice(taken);
        Ok(array)
    }

    /// Takes one byte.
    ///
    /// # Errors
    /// As [`Cursor::take`].
    pub fn u8(&mut self) -> Result<u8, CursorError> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Takes a little-endian 16-bit number.
    ///
    /// # Errors
    /// As [`Cursor::take`].
    pub fn u16_le(&mut self) -> Result<u16, CursorError> {
        self.array().map(u16::from_le_bytes)
    }

    /// Takes a little-endian 32-bit number.
    ///
    /// # Errors
    /// As [`Cursor::take`].
    pub fn u32_le(&mut self) -> Result<u32, CursorError> {
        self.array().map(u32::from_le_bytes)
    }

    /// Takes a little-endian 64-bit number.
    ///
    /// # Errors
    /// As [`Cursor::take`].
    pub fn u64_le(&mut self) -> Result<u64, CursorError> {
        self.array().map(u64::from_le_bytes)
    }

    /// Takes the bytes up to the next newline and consumes the newline, which is not returned.
    ///
    /// # Errors
    /// When there is no newline.
    pub fn line(&mut self) -> Result<&'a [u8], CursorError> {
        let left = self.remaining();
        match left.iter().position(|byte| *byte == b'\n') {
            Some(end) => {
                let line = self.take(end)?;
                self.skip(1)?;
                Ok(line)
            }
            None => Err(CursorError {
                offset: self.position,
                expected: "a line".into(),
                found: "no newline".into(),
            }),
        }
    }
}
