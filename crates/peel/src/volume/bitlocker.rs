//! `BitLocker`, the encryption of Windows: told with what opens it (libbde: BDE format).
//!
//! | offset | size | field of the boot sector |
//! |---|---|---|
//! | 3 | 8 | `-FVE-FS-`; of removable disks (To Go) `MSWIN4.1`, with a FAT of its own before |
//! | 160, 424 | 16 | 4967D63B-2E29-4AD8-8399-F6A339E3D001; 424 on removable disks |
//! | 176, 440 | 3 × 8 | offsets of the three copies of the metadata |
//!
//! A block of metadata is 64 bytes (`-FVE-FS-`), a header of 48 (4 size, 4 version, 4 size of
//! this header, at 36 the method of encryption), and entries: 2 size, 2 type, 2 type of the
//! value, 2 version. Each entry of type 2 is a key; what protects it stands 26 bytes after that.

use super::part::{Holder, Logical};
use crate::disk::{Fields, guid_text};
use crate::error::PeelError;
use lidless_io::number::index;
use lidless_io::{ReadAt, read_vec};
use std::collections::BTreeSet;
use std::sync::Arc;

const FORMAT: &str = "BitLocker";
const MAGIC: &[u8; 8] = b"-FVE-FS-";
const GUIDS: [&str; 2] =
    ["4967D63B-2E29-4AD8-8399-F6A339E3D001", "92A84D3B-DD80-4D0E-9E4E-B1E3284EAED8"];
/// Where the GUID stands on fixed and on removable disks.
const PLACES: [usize; 2] = [160, 424];
/// Metadata are a few kilobytes.
const METADATA_BYTES: u64 = 16 << 10;
const MOST_ENTRIES: usize = 256;

/// Volumes of `BitLocker`.
pub(super) struct BitLocker;

impl Holder for BitLocker {
    fn name(&self) -> &'static str {
        FORMAT
    }

    fn recognises(&self, _: &dyn ReadAt, head: &[u8]) -> bool {
        head.get(3..11) == Some(MAGIC) || (head.get(3..11) == Some(b"MSWIN4.1") && to_go(head))
    }

    fn is_before_files(&self) -> bool {
        true
    }

    fn open(&self, volume: &Arc<dyn ReadAt>, head: &[u8]) -> Result<Vec<Logical>, PeelError> {
        let name = if to_go(head) { "BitLocker To Go" } else { "BitLocker" };
        // What opens it is worth a word, and no reason to fail.
        let keys = keys(volume, head).unwrap_or_default();
        let keys: Vec<&str> = keys.into_iter().collect();
        let reason = match (keys.contains(&CLEAR), &*keys) {
            (true, _) => format!("encrypted with {name}, suspended: its key lies in the clear"),
            (false, []) => format!("encrypted with {name}"),
            (false, keys) => format!("encrypted with {name}, opened by {}", keys.join(" or ")),
        };
        Err(PeelError::Closed(reason))
    }
}

const CLEAR: &str = "a clear key";

fn has_guid(head: &[u8], at: usize) -> bool {
    let guid = Fields::new(FORMAT, 0, head).array::<16>(at).map(guid_text).unwrap_or_default();
    GUIDS.contains(&&*guid)
}

fn to_go(head: &[u8]) -> bool {
    has_guid(head, 424)
}

/// What protects the keys, in words.
fn keys(volume: &Arc<dyn ReadAt>, head: &[u8]) -> Result<BTreeSet<&'static str>, PeelError> {
    let fields = Fields::new(FORMAT, 0, head);
    let place = PLACES.into_iter().find(|at| has_guid(head, *at));
    let place = place.ok_or_else(|| fields.wrong(160, "the GUID of BitLocker", "another"))?;
    let at = fields.u64_le(place.saturating_add(16))?;
    let metadata = read_vec(&**volume, at, METADATA_BYTES)?;
    let fields = Fields::new(FORMAT, at, &metadata);
    if &fields.array::<8>(0)? != MAGIC {
        return Err(fields.wrong(0, "metadata", "something else"));
    }
    let size = index(fields.u32_le(64)?);
    let end = size.saturating_add(64).min(metadata.len());
    let header = index(fields.u32_le(72)?);
    let mut at = header.saturating_add(64);
    let mut found = BTreeSet::new();
    for _ in 0..MOST_ENTRIES {
        if at.saturating_add(8) > end {
            break;
        }
        let (size, kind) = (fields.u16_le(at)?, fields.u16_le(at.saturating_add(2))?);
        if size < 8 {
            break;
        }
        if kind == 2 {
            found.insert(match fields.u16_le(at.saturating_add(8).saturating_add(26))? {
                0 => CLEAR,
                0x0100 => "a TPM",
                0x0200 => "a startup key",
                0x0400 => "a TPM and a startup key",
                0x0500 => "a TPM and a PIN",
                0x0800 => "a recovery password",
                0x1000 => "a network key",
                0x2000 => "a password",
                _ => "a key of another kind",
            });
        }
        at = at.saturating_add(usize::from(size));
    }
    Ok(found)
}
