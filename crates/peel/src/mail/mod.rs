//! Mail: single messages and the files that hold many.

mod charset;
mod eml;
mod emlx;
mod header;
mod letter;
mod mbox;
mod mime;
pub(crate) mod msg;
mod pst;
mod tnef;
mod transfer;

pub(crate) use charset::{code_page, decode as decode_charset};
pub(crate) use eml::Eml;
pub(crate) use emlx::Emlx;
pub(crate) use mbox::Mbox;
pub(crate) use pst::Pst;
pub(crate) use tnef::Tnef;
