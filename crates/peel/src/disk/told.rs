//! Disk images that are known by their magic and not read.

use super::image::{Disk, Image};
use crate::error::PeelError;
use lidless_core::{Artifact, Limits};

/// A format that is told: its name, and how its files begin.
struct Told {
    name: &'static str,
    magic: &'static [u8],
}

/// Every format that is told.
pub(super) fn told() -> Vec<Box<dyn Image>> {
    let known: [(&str, &[u8]); 3] = [
        ("Proxmox VMA", b"VMA\0"),
        ("Bochs disk", b"Bochs Virtual HD Image"),
        ("cloop", b"#!/bin/sh\n#V2.0 Format"),
    ];
    known
        .into_iter()
        .map(|(name, magic)| Box::new(Told { name, magic }) as Box<dyn Image>)
        .collect()
}

impl Image for Told {
    fn name(&self) -> &'static str {
        self.name
    }

    fn recognises(&self, _: &Artifact, head: &[u8]) -> bool {
        head.starts_with(self.magic)
    }

    fn open(&self, _: &Artifact, _: &[u8], _: &Limits) -> Result<Disk, PeelError> {
        Err(PeelError::Closed(format!("a disk image of a form that is not read ({})", self.name)))
    }
}
