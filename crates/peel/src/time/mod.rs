//! Times as formats keep them, as moments.

mod civil;
mod dos;
mod windows;

pub(crate) use civil::Civil;
pub(crate) use dos::dos_time;
pub(crate) use windows::{filetime, filetime_seconds};
