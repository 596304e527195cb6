//! A volume of a container as a format of file systems.

use super::files::Files;
use super::layout::{APFS, is_whole, object};
use super::tree::{Names, Tree, object_map};
use crate::error::PeelError;
use crate::filesystem::face::{FileSystem, Format};
use lidless_core::Limits;
use lidless_io::number::{u32_le, u64_le};
use lidless_io::{ReadAt, read_vec};
use std::sync::Arc;

/// A volume of an APFS container.
pub(crate) struct Apfs;

/// The label in the block of a volume.
pub(super) fn label(block: &[u8]) -> Option<String> {
    let name = block.get(704..960)?.split(|byte| *byte == 0).next()?;
    let name = String::from_utf8_lossy(name).into_owned();
    (!name.is_empty()).then_some(name)
}

impl Format for Apfs {
    fn name(&self) -> &'static str {
        APFS
    }

    fn recognises(&self, _: &dyn ReadAt, head: &[u8]) -> bool {
        head.get(32..36) == Some(b"APSB") && object(head).is_some_and(|(_, kind)| kind == 13)
    }

    fn open(&self, volume: Arc<dyn ReadAt>, _: &Limits) -> Result<Arc<dyn FileSystem>, PeelError> {
        let head = read_vec(&*volume, 0, 4096)?;
        let short = || PeelError::malformed(APFS, 0, "a volume", "its end");
        let number = |at: usize| u64_le(&head, at).ok_or_else(short);
        if number(264)? & 1 == 0 {
            let why = "an APFS volume encrypted with FileVault";
            return Err(PeelError::Closed(why.into()));
        }
        let map = number(128)?;
        // The volume does not say how large blocks are: its object map has the right sum for one.
        let sizes = (12..=16u32).map(|bits| 1u64.wrapping_shl(bits));
        let mut fits = None;
        for size in sizes {
            let bytes = read_vec(&*volume, map.saturating_mul(size), size)?;
            if object(&bytes).is_some_and(|(_, kind)| kind == 11) && is_whole(&bytes) {
                fits = Some(size);
                break;
            }
        }
        let block = fits.unwrap_or(4096);
        let map = Arc::new(object_map(&volume, block, map, u64::MAX)?);
        let kind = u32_le(&head, 116).ok_or_else(short)?;
        let names = if kind & 0x4000_0000 != 0 { Names::Blocks } else { Names::Numbers(map) };
        let tree =
            |root: u64, names: Names| Tree { volume: Arc::clone(&volume), block, root, names };
        let features = number(56)?;
        // A sealed volume keeps the extents of its files in a tree of their own.
        let sealed = features & 0x20 != 0;
        let extents = number(1032)?;
        Ok(Arc::new(Files {
            label: label(&head),
            tree: tree(number(136)?, names),
            extents: (sealed && extents != 0).then(|| tree(extents, Names::Blocks)),
            hashed: features & 9 != 0,
            snapshots: number(216)?,
            known: std::sync::Mutex::default(),
        }))
    }
}
