//! Mail: single messages and the files that hold many.

mod charset;
mod eml;
mod emlx;
mod header;
mod mbox;
mod mime;
mod told;
mod transfer;

pub(crate) use eml::Eml;
pub(crate) use emlx::Emlx;
pub(crate) use mbox::Mbox;
pub(crate) use told::Told;
