//! The objects a PDF is made of (ISO 32000-1, 7.3).

use std::collections::BTreeMap;
use std::rc::Rc;

/// Names to values.
pub(super) type Dictionary = BTreeMap<String, Object>;

/// An object. Copies share what they hold: a list may be looked up from every page.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Object {
    Null,
    Boolean(bool),
    Number(f64),
    Text(Rc<Vec<u8>>),
    Name(String),
    List(Rc<Vec<Object>>),
    Dictionary(Rc<Dictionary>),
    /// A dictionary and where its bytes begin, from the start of what was parsed.
    Stream(Rc<Dictionary>, u64),
    /// The number of another object.
    Reference(u32),
    /// An operator of a content stream, or a word like `obj`.
    Word(Vec<u8>),
}

impl Object {
    /// A whole number that is not negative.
    pub(super) fn whole(&self) -> Option<u64> {
        match self {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the range was checked"
            )]
            Self::Number(value) if (0.0..9e15).contains(value) => Some(*value as u64),
            _ => None,
        }
    }

    pub(super) fn number(&self) -> Option<f64> {
        if let Self::Number(value) = self { Some(*value) } else { None }
    }

    pub(super) fn name(&self) -> Option<&str> {
        if let Self::Name(name) = self { Some(name) } else { None }
    }

    pub(super) fn text(&self) -> Option<&[u8]> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(super) fn list(&self) -> Option<&[Object]> {
        if let Self::List(list) = self { Some(list) } else { None }
    }

    /// The dictionary, of a stream as well.
    pub(super) fn dictionary(&self) -> Option<&Dictionary> {
        match self {
            Self::Dictionary(dictionary) | Self::Stream(dictionary, _) => Some(dictionary),
            _ => None,
        }
    }

    /// The dictionary, shared.
    pub(super) fn shared(&self) -> Option<Rc<Dictionary>> {
        match self {
            Self::Dictionary(dictionary) | Self::Stream(dictionary, _) => {
                Some(Rc::clone(dictionary))
            }
            _ => None,
        }
    }
}

/// Text outside of pages: UTF-16 or UTF-8 with a mark in front, or single bytes.
pub(super) fn decoded(text: &[u8]) -> String {
    if let Some(rest) = text.strip_prefix(b"\xfe\xff") {
        return encoding_rs::UTF_16BE.decode_without_bom_handling(rest).0.into_owned();
    }
    if let Some(rest) = text.strip_prefix(b"\xef\xbb\xbf") {
        return String::from_utf8_lossy(rest).into_owned();
    }
    encoding_rs::WINDOWS_1252.decode_without_bom_handling(text).0.into_owned()
}
