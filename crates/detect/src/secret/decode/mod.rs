//! Text inside text: base64, hex, percent signs, escapes, and what is compressed in them.

mod bytes;
mod escape;
mod expand;
mod kubernetes;
mod run;

pub(super) use expand::{Layer, expand, is_free};
