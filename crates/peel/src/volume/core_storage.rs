//! Core Storage: Apple's volume manager before APFS, under FileVault 2 and Fusion drives. Told,
//! as its volumes are nearly always encrypted. libfvde documents it.
//!
//! ```text
//! offset  size  field (least byte first)
//!      8     2  version, 1
//!     10     2  kind of block, 0x10
//!     88     2  "CS"
//! ```

use super::part::{Holder, Logical};
use crate::error::PeelError;
use lidless_io::ReadAt;
use lidless_io::number::u16_le;
use std::sync::Arc;

/// A physical volume of Core Storage.
pub(super) struct CoreStorage;

impl Holder for CoreStorage {
    fn name(&self) -> &'static str {
        "Core Storage"
    }

    fn recognises(&self, _: &dyn ReadAt, head: &[u8]) -> bool {
        head.get(88..90) == Some(b"CS")
            && u16_le(head, 8) == Some(1)
            && u16_le(head, 10) == Some(0x10)
    }

    fn open(&self, _: &Arc<dyn ReadAt>, _: &[u8]) -> Result<Vec<Logical>, PeelError> {
        let why = "a Core Storage volume (FileVault or a Fusion drive), not looked into";
        Err(PeelError::Closed(why.into()))
    }
}
