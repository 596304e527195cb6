//! zip, read as leniently as the loaders of models read it: flags and checksums are ignored,
//! every central directory and every local header within reach is read, and where two views of
//! one archive differ, that is said and both are looked at.

mod checkpoint;
mod directory;
mod guess;
mod hidden;
mod local;
mod member;
mod oddities;
mod parts;
mod peel;
mod runs;

pub(crate) use peel::Zip;
