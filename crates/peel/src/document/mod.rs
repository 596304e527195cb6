//! Documents: their text as one entry, and what is embedded in them.

mod markup;
mod open_document;
mod package;
mod paragraphs;
mod parts;
mod rtf;
mod sheet;

pub(crate) use package::Package;
pub(crate) use rtf::{Rtf, rtf_text};
