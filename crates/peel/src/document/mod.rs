//! Documents: their text as one entry, and what is embedded in them.

mod compound;
mod labels;
mod macros;
mod markup;
mod native;
mod open_document;
mod package;
mod paragraphs;
mod parts;
mod pdf;
mod presentation;
mod rtf;
mod sheet;
mod word;
mod workbook;

pub(crate) use compound::Compound;
pub(crate) use package::Package;
pub(crate) use pdf::Pdf;
pub(crate) use rtf::{Rtf, rtf_text};
