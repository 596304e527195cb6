//! Documents: their text as one entry, and what is embedded in them.

mod markup;
mod open_document;
mod package;
mod paragraphs;
mod parts;
mod sheet;

pub(crate) use package::Package;
