//! Sparse images (`.sparseimage`): bands in the order in which they were first written.
//!
//! ```text
//! offset  size  field (greatest byte first)
//!      0     4  "sprs"
//!      8     4  sectors in a band
//!     16     4  sectors, the low half
//!     20     8  offset of the next index, 0 at the last
//!     28     8  sectors
//!     64  4032  for each band of the file behind these 4096 bytes: its number on the disk from
//!               1, 0 where none is
//! ```
//!
//! A later index has its next one's offset at 12 and its numbers from 56 on, and its bands stand
//! behind it in the same way.

use crate::disk::image::{Disk, Image};
use crate::error::PeelError;
use lidless_core::{Artifact, Limits};
use lidless_io::number::{u32_be, u64_be};
use lidless_io::{Extent, Extents, ReadAt as _, read_vec};
use std::collections::BTreeMap;
use std::sync::Arc;

const SPARSE: &str = "sparse image";
const MAGIC: &[u8] = b"sprs";
/// Length of an index.
const INDEX: u64 = 4096;
/// Bands of one image: two terabytes in bands of the usual size.
const BANDS: usize = 2 << 20;

/// A sparse image in one file.
pub(in crate::disk) struct SparseImage;

impl Image for SparseImage {
    fn name(&self) -> &'static str {
        SPARSE
    }

    fn recognises(&self, _: &Artifact, head: &[u8]) -> bool {
        head.starts_with(MAGIC) && u32_be(head, 4).is_some_and(|version| (1..=9).contains(&version))
    }

    fn open(&self, artifact: &Artifact, head: &[u8], _: &Limits) -> Result<Disk, PeelError> {
        let short = || PeelError::malformed(SPARSE, 0, "a header", "its end");
        let band = u64::from(u32_be(head, 8).ok_or_else(short)?).saturating_mul(512);
        let low = u64::from(u32_be(head, 16).ok_or_else(short)?);
        let length = u64_be(head, 28).ok_or_else(short)?.max(low).saturating_mul(512);
        if band == 0 || length > i64::MAX.unsigned_abs() {
            return Err(PeelError::malformed(SPARSE, 8, "a size of bands", band));
        }
        let mut bands: BTreeMap<u64, Extent> = BTreeMap::new();
        let mut at = 0u64;
        let mut index = head.get(..4096).unwrap_or(head).to_vec();
        let (mut next, mut numbers) = (u64_be(head, 20).ok_or_else(short)?, 64usize);
        let mut disk = Disk::new(Arc::clone(&artifact.bytes));
        loop {
            let places = index.get(numbers..).unwrap_or(&[]).chunks_exact(4);
            for (place, number) in (0u64..).zip(places) {
                let number = u64::from(u32_be(number, 0).unwrap_or(0));
                let offset = at.saturating_add(INDEX).saturating_add(place.saturating_mul(band));
                let Some(number) = number.checked_sub(1) else { continue };
                if offset >= artifact.bytes.len() {
                    continue;
                }
                let at = number.saturating_mul(band);
                bands.insert(number, Extent { at, length: band, source: Some(offset) });
            }
            if bands.len() > BANDS {
                let reason = "a sparse image of more bands than the limit";
                disk.gaps.push((reason.to_owned(), None));
                break;
            }
            // Indexes follow each other in the file.
            if next < at.saturating_add(INDEX) {
                break;
            }
            at = next;
            index = read_vec(&*artifact.bytes, at, INDEX)?;
            if !index.starts_with(MAGIC) {
                disk.gaps.push(("bands of a sparse image without their index".to_owned(), None));
                break;
            }
            next = u64_be(&index, 12).unwrap_or(0);
            numbers = 56;
        }
        let pieces = bands.into_values().collect();
        disk.bytes = Arc::new(Extents::new(Arc::clone(&artifact.bytes), pieces, length));
        Ok(disk)
    }
}
