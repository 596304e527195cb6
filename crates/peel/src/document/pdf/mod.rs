//! PDF (ISO 32000-1): the text of its pages, its links, forms and scripts as text, and the files
//! attached to it. Nothing in it is run.

mod content;
mod cross;
mod file;
mod filter;
mod font;
mod glyph;
mod lexer;
mod object;
mod peel;
mod text;

pub(crate) use peel::Pdf;
