//! zip, read as leniently as the loaders of models read it: flags and checksums are ignored,
//! every central directory is read, and where two views of one archive differ, that is said.

mod directory;
mod member;
mod peel;

pub(crate) use peel::Zip;
