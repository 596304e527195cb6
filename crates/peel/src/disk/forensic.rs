//! Forensic images that are known and not opened.

use super::image::{Disk, Image};
use crate::error::PeelError;
use lidless_core::{Artifact, Limits};

/// A forensic image that is told by its name.
pub(crate) struct Forensic {
    name: &'static str,
    magic: &'static [u8],
    why: &'static str,
}

impl Forensic {
    /// EnCase 7's own format.
    pub(crate) const EX01: Self = Self {
        name: "Ex01",
        magic: b"EVF2\x0d\x0a\x81\x00",
        why: "an Ex01 image (EnCase 7), not looked into",
    };
    /// Files without their disk.
    pub(crate) const L01: Self = Self {
        name: "L01",
        magic: b"LVF\x09\x0d\x0a\xff\x00",
        why: "an L01 image of files (EnCase), not looked into",
    };
    /// The same of EnCase 7.
    pub(crate) const LX01: Self = Self {
        name: "Lx01",
        magic: b"LEF2\x0d\x0a\x81\x00",
        why: "an Lx01 image of files (EnCase 7), not looked into",
    };
    /// Files as FTK Imager keeps them.
    pub(crate) const AD1: Self = Self {
        name: "AD1",
        magic: b"ADSEGMENTEDFILE\0",
        why: "an AD1 image of files (FTK), not looked into",
    };
    /// Whatever FTK Imager encrypted.
    pub(crate) const ADCRYPT: Self = Self {
        name: "AD1",
        magic: b"ADCRYPT\0",
        why: "an image encrypted by FTK Imager (AD encryption)",
    };
    /// The first Advanced Forensic Format.
    pub(crate) const AFF: Self =
        Self { name: "AFF", magic: b"AFF10\x0d\x0a\0", why: "an AFF image, not looked into" };
}

impl Image for Forensic {
    fn name(&self) -> &'static str {
        self.name
    }

    fn recognises(&self, _artifact: &Artifact, head: &[u8]) -> bool {
        head.starts_with(self.magic)
    }

    fn open(&self, _: &Artifact, _: &[u8], _: &Limits) -> Result<Disk, PeelError> {
        Err(PeelError::Closed(self.why.to_owned()))
    }
}

/// AFF4: a zip whose first member says so. It stands before zip in the table of formats.
pub(crate) struct Aff4;

impl Image for Aff4 {
    fn name(&self) -> &'static str {
        "AFF4"
    }

    fn recognises(&self, _artifact: &Artifact, head: &[u8]) -> bool {
        const FIRST: [&[u8]; 2] = [b"container.description", b"information.turtle"];
        head.starts_with(b"PK\x03\x04")
            && FIRST.iter().any(|name| head.get(30..).is_some_and(|rest| rest.starts_with(name)))
            && memchr::memmem::find(head, b"aff4:").is_some()
    }

    fn open(&self, _: &Artifact, _: &[u8], _: &Limits) -> Result<Disk, PeelError> {
        Err(PeelError::Closed("an AFF4 image, not looked into".to_owned()))
    }
}
