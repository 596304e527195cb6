//! File systems that are told by name and not read.
//!
//! | name | offset | signature | source |
//! | --- | --- | --- | --- |
//! | ReFS | 3 | `ReFS`, four zeros | libfsrefs, ReFS format |
//! | F2FS | 1024 | `0xf2f52010` | Linux, f2fs_fs.h |
//! | NILFS2 | 1024 | revision 2, at 6 `0x3434` | Linux, nilfs2_ondisk.h |
//! | EROFS | 1024 | `0xe0f5e1e2` | Linux, erofs_fs.h |
//! | OCFS2 | 1024 to 8192 | `OCFSV2` | Linux, ocfs2_fs.h |
//! | bcachefs | 4120 | UUID | bcachefs, Principles of Operation |
//! | HPFS | 8192 | `0xf995e849` | Linux, hpfs.h |
//! | UFS | 9564, 66908 | `0x00011954`, `0x19540119` | FreeBSD, ffs/fs.h |
//! | ZFS | 16384 | an XDR list that holds `pool_guid` | ZFS On-Disk Specification, 1.2 |
//! | JFS | 32768 | `JFS1` | Linux, jfs_superblock.h |
//! | ReiserFS | 8244, 65588 | `ReIsErFs`, `ReIsEr2Fs`, `ReIsEr3Fs` | Linux, reiserfs.h |
//! | Reiser4 | 65536 | `ReIsEr4` | reiser4progs |
//! | GFS2 | 65536 | `0x01161970`, big-endian, type 1 | Linux, gfs2_ondisk.h |
//! | UBI, UBIFS | 0 | `UBI#`, `0x06101831` | Linux, ubi-media.h, ubifs-media.h |

use super::face::{FileSystem, Format};
use crate::error::PeelError;
use lidless_core::Limits;
use lidless_io::ReadAt;
use std::sync::Arc;

/// A file system by its signatures: any of them tells it.
#[derive(Clone, Copy)]
struct Told {
    name: &'static str,
    signatures: &'static [(usize, &'static [u8])],
    /// What else has to stand within 4 KiB of the signature.
    with: &'static [u8],
}

const BCACHEFS: &[u8] = &[
    0xc6, 0x85, 0x73, 0xf6, 0x66, 0xce, 0x90, 0xa9, 0xd9, 0x6a, 0x60, 0xcf, 0x80, 0x3d, 0xf7, 0xef,
];

const ALL: &[Told] = &[
    Told { name: "ReFS", signatures: &[(3, b"ReFS\0\0\0\0")], with: b"" },
    Told { name: "F2FS", signatures: &[(1024, b"\x10\x20\xf5\xf2")], with: b"" },
    Told { name: "NILFS2", signatures: &[(1024, b"\x02\0\0\0\0\0\x34\x34")], with: b"" },
    Told { name: "EROFS", signatures: &[(1024, b"\xe2\xe1\xf5\xe0")], with: b"" },
    Told {
        name: "OCFS2",
        signatures: &[(1024, b"OCFSV2"), (2048, b"OCFSV2"), (4096, b"OCFSV2"), (8192, b"OCFSV2")],
        with: b"",
    },
    Told { name: "bcachefs", signatures: &[(4120, BCACHEFS)], with: b"" },
    Told { name: "HPFS", signatures: &[(8192, b"\x49\xe8\x95\xf9")], with: b"" },
    Told {
        name: "UFS",
        signatures: &[
            (9564, b"\x54\x19\x01\0"),
            (9564, b"\0\x01\x19\x54"),
            (66908, b"\x19\x01\x54\x19"),
            (66908, b"\x19\x54\x01\x19"),
        ],
        with: b"",
    },
    Told { name: "JFS", signatures: &[(32768, b"JFS1")], with: b"" },
    Told {
        name: "ReiserFS",
        signatures: &[
            (8244, b"ReIsErFs"),
            (65588, b"ReIsErFs"),
            (65588, b"ReIsEr2Fs"),
            (65588, b"ReIsEr3Fs"),
        ],
        with: b"",
    },
    Told { name: "Reiser4", signatures: &[(65536, b"ReIsEr4")], with: b"" },
    Told { name: "GFS2", signatures: &[(65536, b"\x01\x16\x19\x70\0\0\0\x01")], with: b"" },
    Told { name: "UBI", signatures: &[(0, b"UBI#")], with: b"" },
    Told { name: "UBIFS", signatures: &[(0, b"\x31\x18\x10\x06")], with: b"" },
    Told {
        name: "ZFS",
        signatures: &[(16384, b"\x01\x01\0\0"), (16384, b"\x01\0\0\0")],
        with: b"pool_guid",
    },
];

/// Every one of them.
pub(super) fn told() -> Vec<Box<dyn Format>> {
    ALL.iter().map(|one| Box::new(*one) as Box<dyn Format>).collect()
}

impl Format for Told {
    fn name(&self) -> &'static str {
        self.name
    }

    fn recognises(&self, _: &dyn ReadAt, head: &[u8]) -> bool {
        self.signatures.iter().any(|(at, signature)| {
            let rest = head.get(*at..).unwrap_or(&[]);
            let near = rest.get(..4096).unwrap_or(rest);
            rest.starts_with(signature)
                && (self.with.is_empty() || memchr::memmem::find(near, self.with).is_some())
        })
    }

    fn open(&self, _: Arc<dyn ReadAt>, _: &Limits) -> Result<Arc<dyn FileSystem>, PeelError> {
        Err(PeelError::Closed(format!("a file system of a kind that is not read ({})", self.name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_io::MemoryBytes;

    #[test]
    fn each_is_told_by_its_signature_and_by_no_other() {
        let nothing = MemoryBytes::default();
        let formats = told();
        for Told { name, signatures, with } in ALL {
            for (at, signature) in *signatures {
                let mut head = vec![0u8; 72 << 10];
                head[*at..at + signature.len()].copy_from_slice(signature);
                head[at + 100..at + 100 + with.len()].copy_from_slice(with);
                let found: Vec<&str> = formats
                    .iter()
                    .filter(|format| format.recognises(&nothing, &head))
                    .map(|format| format.name())
                    .collect();
                assert_eq!(found, [*name]);
            }
        }
        let opened = formats[0].open(Arc::new(nothing), &Limits::default());
        assert!(matches!(opened, Err(PeelError::Closed(why)) if why.ends_with("(ReFS)")));
    }
}
