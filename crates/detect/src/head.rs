//! The first bytes of an entry, and what was learned of them.

use lidless_core::Text;
use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Deref;

/// The first bytes of an entry. Many detectors ask the same of them; it is found out once.
#[derive(Debug, Clone)]
pub struct Head<'a> {
    bytes: &'a [u8],
    is_text: OnceCell<bool>,
    start: OnceCell<Option<Cow<'a, str>>>,
}

impl<'a> Head<'a> {
    /// Over these bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, is_text: OnceCell::new(), start: OnceCell::new() }
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether they are the beginning of a text, as [`Text::is_text`] says.
    #[must_use]
    pub fn is_text(&self) -> bool {
        *self.is_text.get_or_init(|| Text::is_text(self.bytes))
    }

    /// They as text, as [`Text::decode`] says.
    #[must_use]
    pub fn start(&self) -> Option<&str> {
        if !self.is_text() {
            return None;
        }
        self.start.get_or_init(|| Text::peek(self.bytes)).as_deref()
    }
}

impl Deref for Head<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes
    }
}
