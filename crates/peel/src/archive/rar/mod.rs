//! RAR archives: listed; members that are stored are opened.

mod five;
mod four;
mod peel;

pub(crate) use peel::Rar;
