//! LVM2 as a holder of volumes.

use super::group::{SECTOR, Volume, volumes};
use super::text::parse;
use crate::disk::Fields;
use crate::error::PeelError;
use crate::volume::part::{Holder, Logical};
use lidless_io::number::{index, wide};
use lidless_io::{Extents, ReadAt, ReadError, ReadErrorKind, read_exact_vec};
use std::ops::Range;
use std::sync::Arc;

const FORMAT: &str = "LVM2";
const MAGIC: &[u8; 16] = b" LVM2 x[5A%r0N*>";
/// Areas of one physical volume; two of metadata is the most that tools make.
const MOST_AREAS: usize = 16;
/// The text of a group with thousands of volumes.
const LONGEST_TEXT: u64 = 4 << 20;

/// Physical volumes of LVM2.
pub(in crate::volume) struct Lvm;

impl Holder for Lvm {
    fn name(&self) -> &'static str {
        FORMAT
    }

    fn recognises(&self, _: &dyn ReadAt, head: &[u8]) -> bool {
        label(head).is_some()
    }

    fn open(&self, volume: &Arc<dyn ReadAt>, head: &[u8]) -> Result<Vec<Logical>, PeelError> {
        let base = label(head).unwrap_or(0);
        let sector = head.get(base..base.saturating_add(512)).unwrap_or(&[]);
        let fields = Fields::new(FORMAT, u64::try_from(base).unwrap_or(0), sector);
        let header = index(fields.u32_le(20)?);
        let own: [u8; 32] = fields.array(header)?;
        let own = String::from_utf8_lossy(&own).into_owned();
        // Areas of data, an empty one, areas of metadata, an empty one.
        let mut areas = Vec::new();
        let mut is_metadata = false;
        for number in 0..MOST_AREAS {
            let at = header.saturating_add(40).saturating_add(number.saturating_mul(16));
            let (offset, length) = (fields.u64_le(at)?, fields.u64_le(at.saturating_add(8))?);
            match (offset, is_metadata) {
                (0, true) => break,
                (0, false) => is_metadata = true,
                (_, true) => areas.push((offset, length)),
                (_, false) => {}
            }
        }
        let mut failed = None;
        for (offset, length) in areas {
            match metadata(&**volume, head, offset, length) {
                Ok(Some(text)) => {
                    let found = volumes(&parse(&text), &own);
                    return Ok(found.into_iter().map(|one| logical(volume, one)).collect());
                }
                Ok(None) => {}
                Err(error) => failed = Some(error),
            }
        }
        // A physical volume that belongs to no group yet has no text.
        failed.map_or(Ok(Vec::new()), Err)
    }
}

/// Where the label stands.
fn label(head: &[u8]) -> Option<usize> {
    [0usize, 512, 1024, 1536].into_iter().find(|at| {
        let sector = head.get(*at..).unwrap_or(&[]);
        sector.starts_with(b"LABELONE") && sector.get(24..32) == Some(b"LVM2 001")
    })
}

/// The text in an area of metadata; none when there is none.
fn metadata(
    volume: &dyn ReadAt,
    head: &[u8],
    area: u64,
    length: u64,
) -> Result<Option<String>, PeelError> {
    let near = |from: u64, length: u64| {
        let from = usize::try_from(from).ok()?;
        let to = from.checked_add(usize::try_from(length).ok()?)?;
        head.get(from..to).map(<[u8]>::to_vec)
    };
    let read = |from: u64, length: u64| match near(from, length) {
        Some(bytes) => Ok(bytes),
        None => read_exact_vec(volume, from, length),
    };
    let header = read(area, SECTOR)?;
    let fields = Fields::new(FORMAT, area, &header);
    if &fields.array::<16>(4)? != MAGIC {
        return Err(fields.wrong(4, "an area of metadata", "something else"));
    }
    let (at, size) = (fields.u64_le(40)?, fields.u64_le(48)?);
    if at == 0 || size == 0 {
        return Ok(None);
    }
    if size > LONGEST_TEXT || at >= length || size >= length {
        return Err(fields.wrong(40, "a text inside its area", at));
    }
    let first = size.min(length.saturating_sub(at));
    let mut text = read(area.saturating_add(at), first)?;
    // The area is a ring after its header.
    text.extend(read(area.saturating_add(SECTOR), size.saturating_sub(first))?);
    Ok(Some(String::from_utf8_lossy(&text).into_owned()))
}

fn logical(volume: &Arc<dyn ReadAt>, one: Volume) -> Logical {
    let bytes = Extents::new(Arc::clone(volume), one.pieces, one.length);
    let bytes: Arc<dyn ReadAt> = match one.why {
        None => Arc::new(bytes),
        Some(why) => Arc::new(Partial { bytes, missing: one.missing, why }),
    };
    Logical { name: one.name, bytes }
}

/// A logical volume of which a part is not here: reading that fails, and says why.
struct Partial {
    bytes: Extents,
    missing: Vec<Range<u64>>,
    why: String,
}

impl Partial {
    fn check(&self, wanted: &Range<u64>) -> Result<(), ReadError> {
        let is_in = |missing: &Range<u64>| {
            missing.start < wanted.end && wanted.start < missing.end && wanted.start < wanted.end
        };
        if self.missing.iter().any(is_in) {
            let message = format!("a logical volume {}", self.why);
            return Err(ReadError::new(ReadErrorKind::Offline, message));
        }
        Ok(())
    }
}

impl ReadAt for Partial {
    fn len(&self) -> u64 {
        self.bytes.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let wanted = wide(buffer.len());
        self.check(&(offset..offset.saturating_add(wanted)))?;
        self.bytes.read_at(offset, buffer)
    }

    fn read_apart(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let wanted = wide(buffer.len());
        self.check(&(offset..offset.saturating_add(wanted)))?;
        self.bytes.read_apart(offset, buffer)
    }

    fn read_ranges(&self, ranges: &[Range<u64>]) -> Result<Vec<bytes::Bytes>, ReadError> {
        ranges.iter().try_for_each(|range| self.check(range))?;
        self.bytes.read_ranges(ranges)
    }

    fn gap_bytes(&self) -> u64 {
        self.bytes.gap_bytes()
    }

    fn lanes(&self) -> usize {
        self.bytes.lanes()
    }
}
