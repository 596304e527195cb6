//! What is known by its signature and not read: swap, managers of volumes, encryption.

use super::part::{Holder, Logical};
use crate::error::PeelError;
use lidless_io::ReadAt;
use std::sync::Arc;

/// Something that is told.
struct Told {
    /// Its name in reports.
    name: &'static str,
    /// What it is, in words.
    words: &'static str,
    /// Offset and bytes that all have to be there.
    signature: &'static [(usize, &'static [u8])],
}

const SWAP: &str = "swap space of Linux, not looked into";
const HIBERNATED: &str = "swap space of Linux with the memory of a machine, not looked into";
const POOL: &str = "a part of a storage pool that is not read";
const ENCRYPTION: &str = "encrypted, or a manager of volumes that is not read";
const BCACHE: &[u8] = &[
    0xc6, 0x85, 0x73, 0xf6, 0x4e, 0x1a, 0x45, 0xca, 0x82, 0x65, 0xf5, 0x7f, 0x48, 0xba, 0x6d, 0x81,
];
/// The beginning of the list of names and values in a label of ZFS: its first
/// name has seven letters.
const ZFS: &[u8] = b"\0\0\0\x07version\0";

const KNOWN: [Told; 15] = [
    Told { name: "Linux swap", words: SWAP, signature: &[(4086, b"SWAPSPACE2")] },
    Told { name: "Linux swap", words: SWAP, signature: &[(4086, b"SWAP-SPACE")] },
    Told { name: "Linux swap", words: SWAP, signature: &[(65526, b"SWAPSPACE2")] },
    Told { name: "Linux swap", words: HIBERNATED, signature: &[(4086, b"S1SUSPEND")] },
    Told { name: "Linux swap", words: HIBERNATED, signature: &[(4086, b"S2SUSPEND")] },
    Told { name: "Linux swap", words: HIBERNATED, signature: &[(4086, b"ULSUSPEND")] },
    Told { name: "Linux swap", words: HIBERNATED, signature: &[(4086, b"LINHIB0001")] },
    Told { name: "Storage Spaces", words: POOL, signature: &[(4096, b"SPACEDB ")] },
    Told { name: "Windows dynamic disk", words: POOL, signature: &[(3072, b"PRIVHEAD")] },
    Told { name: "ZFS", words: POOL, signature: &[(16384, &[1]), (16404, ZFS)] },
    Told { name: "bcache", words: POOL, signature: &[(4120, BCACHE)] },
    Told { name: "Ceph", words: POOL, signature: &[(0, b"bluestore block device")] },
    Told { name: "VDO", words: POOL, signature: &[(0, b"dmvdo001")] },
    Told { name: "Stratis", words: POOL, signature: &[(516, b"!Stra0tis\x86\xff\x02^\x41rh")] },
    Told { name: "GEOM ELI", words: ENCRYPTION, signature: &[(0, b"GEOM::ELI")] },
];

/// Everything that is told.
pub(super) fn told() -> Vec<Box<dyn Holder>> {
    KNOWN.into_iter().map(|one| Box::new(one) as Box<dyn Holder>).collect()
}

impl Holder for Told {
    fn name(&self) -> &'static str {
        self.name
    }

    fn recognises(&self, _: &dyn ReadAt, head: &[u8]) -> bool {
        self.signature
            .iter()
            .all(|(at, bytes)| head.get(*at..).is_some_and(|rest| rest.starts_with(bytes)))
    }

    fn open(&self, _: &Arc<dyn ReadAt>, _: &[u8]) -> Result<Vec<Logical>, PeelError> {
        let words = match self.words {
            SWAP | HIBERNATED => self.words.to_owned(),
            words => format!("{words} ({})", self.name),
        };
        Err(PeelError::Closed(words))
    }
}
