//! The first bytes of an entry, and what was learned of them.

use lidless_core::{Encoding, Text};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Deref;

/// The first bytes of an entry. Many detectors ask the same of them; it is found out once.
#[derive(Debug, Clone)]
pub struct Head<'a> {
    bytes: &'a [u8],
    encoding: OnceCell<Option<Encoding>>,
    start: OnceCell<Option<Cow<'a, str>>>,
}

impl<'a> Head<'a> {
    /// Over these bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, encoding: OnceCell::new(), start: OnceCell::new() }
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// How they are encoded, as [`Encoding::of`] says; none when they are no text.
    #[must_use]
    pub fn encoding(&self) -> Option<Encoding> {
        *self.encoding.get_or_init(|| Encoding::of(self.bytes))
    }

    /// Whether they are the beginning of a text.
    #[must_use]
    pub fn is_text(&self) -> bool {
        self.encoding().is_some()
    }

    /// They as text.
    #[must_use]
    pub fn start(&self) -> Option<&str> {
        let decode = || Some(Text::decode_as(self.bytes, self.encoding()?).into_content());
        self.start.get_or_init(decode).as_deref()
    }
}

impl Deref for Head<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes
    }
}
