//! HFS+ as a format of file systems.

use super::files::Files;
use super::layout::{HEADER, HEADER_BYTES, HFS, Header, embedded};
use crate::error::PeelError;
use crate::filesystem::face::{FileSystem, Format};
use lidless_core::Limits;
use lidless_io::number::{u16_be, u32_be};
use lidless_io::{ReadAt, read_exact_vec};
use std::sync::Arc;

/// HFS+ and HFSX, also inside an HFS wrapper; HFS alone is told.
pub(crate) struct Hfs;

impl Format for Hfs {
    fn name(&self) -> &'static str {
        HFS
    }

    fn recognises(&self, _volume: &dyn ReadAt, head: &[u8]) -> bool {
        let Some(header) = head.get(1024..) else { return false };
        let version = u16_be(header, 2);
        match header.get(..2) {
            Some(b"H+") => version == Some(4),
            Some(b"HX") => version == Some(5),
            Some(b"BD") => u32_be(header, 20).is_some_and(|block| block > 0 && block % 512 == 0),
            _ => false,
        }
    }

    fn open(&self, volume: Arc<dyn ReadAt>, _: &Limits) -> Result<Arc<dyn FileSystem>, PeelError> {
        let head = read_exact_vec(&*volume, HEADER, HEADER_BYTES)?;
        let (base, length) = if head.starts_with(b"BD") {
            embedded(&head).ok_or_else(|| {
                PeelError::Closed("an HFS volume (before HFS+), not looked into".into())
            })?
        } else {
            (0, volume.len())
        };
        let read = |offset: u64| {
            let bytes = read_exact_vec(&*volume, offset, HEADER_BYTES)?;
            Header::parse(&bytes, offset)
        };
        let mut header = read(base.saturating_add(HEADER)).or_else(|error| {
            // The copy stands before the last 512 bytes.
            let end = base.saturating_add(length).min(volume.len());
            read(end.saturating_sub(1024)).map_err(|_| error)
        })?;
        header.base = base;
        Ok(Arc::new(Files::open(volume, &header)?))
    }
}
