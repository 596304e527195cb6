//! ISO 9660, with Rock Ridge, Joliet and zisofs: what discs and installers come in.

mod boot;
mod descriptor;
mod files;
mod record;
mod susp;
mod zisofs;

pub(super) use files::Iso;
