//! Encrypted images: told, as nothing of them is seen without the password.

use crate::disk::image::{Disk, Image};
use crate::error::PeelError;
use lidless_core::{Artifact, Limits};
use lidless_io::read_vec;

/// A disk image that is encrypted with AES: version 2 says so at its start, version 1 at its end.
pub(in crate::disk) struct Encrypted;

/// What version 2 begins with.
pub(super) const MAGIC: &[u8] = b"encrcdsa";
/// What version 1 ends with.
const END: &[u8] = b"cdsaencr";

impl Image for Encrypted {
    fn name(&self) -> &'static str {
        "encrypted DMG"
    }

    fn recognises(&self, artifact: &Artifact, head: &[u8]) -> bool {
        if head.starts_with(MAGIC) || head.starts_with(END) {
            return true;
        }
        let name = artifact.entry.lower_file_name();
        let named = [".dmg", ".sparseimage"].iter().any(|end| name.ends_with(end));
        let end = artifact.bytes.len().saturating_sub(8);
        named && read_vec(&*artifact.bytes, end, 8).is_ok_and(|last| last == END)
    }

    fn open(&self, _: &Artifact, _: &[u8], _: &Limits) -> Result<Disk, PeelError> {
        Err(PeelError::Closed("a disk image encrypted with AES (Apple)".to_owned()))
    }
}
