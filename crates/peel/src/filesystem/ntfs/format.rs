//! NTFS in the table of file systems.

use super::boot::{Geometry, is_boot, is_loader};
use super::volume::Volume;
use crate::error::PeelError;
use crate::filesystem::face::{FileSystem, Format};
use lidless_core::Limits;
use lidless_io::{ReadAt, read_vec};
use std::sync::Arc;

/// The format.
pub(in crate::filesystem) struct Ntfs;

/// The boot sector is looked for in the last sector of this size, then of the others.
const SECTORS: [u64; 2] = [512, 4096];

impl Format for Ntfs {
    fn name(&self) -> &'static str {
        "NTFS"
    }

    fn recognises(&self, volume: &dyn ReadAt, head: &[u8]) -> bool {
        // Where only the first sector was overwritten, its copy is worth a request.
        is_boot(head) || (is_loader(head) && copy(volume).is_some())
    }

    fn open(&self, volume: Arc<dyn ReadAt>, _: &Limits) -> Result<Arc<dyn FileSystem>, PeelError> {
        let head = read_vec(&*volume, 0, 512)?;
        let first = Geometry::parse(&head);
        let error = match first.map(|geometry| Volume::open(Arc::clone(&volume), geometry)) {
            Some(Ok(opened)) => return Ok(Arc::new(opened)),
            Some(Err(error @ PeelError::Read(_))) => return Err(error),
            Some(Err(error)) => error,
            None => {
                let found = "numbers that cannot be true";
                PeelError::malformed("NTFS", 0, "a boot sector", found)
            }
        };
        match copy(&*volume).filter(|second| first != Some(*second)) {
            Some(second) => Ok(Arc::new(Volume::open(volume, second)?)),
            None => Err(error),
        }
    }
}

/// What the copy of the boot sector says.
fn copy(volume: &dyn ReadAt) -> Option<Geometry> {
    let tail = read_vec(volume, volume.len().saturating_sub(4096), 4096).ok()?;
    SECTORS.iter().find_map(|sector| {
        let length = u64::try_from(tail.len()).ok()?;
        let start = usize::try_from(length.checked_sub(*sector)?).ok()?;
        Geometry::parse(tail.get(start..)?)
    })
}
