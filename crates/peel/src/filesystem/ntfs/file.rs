//! A file: its record and those that extend it.

use super::boot::Geometry;
use super::record::{Attribute, Body, Elsewhere, LIST, Name, Record, Reference};
use super::runs::{self, Run};
use crate::error::PeelError;
use lidless_core::Timestamp;
use lidless_io::{Extents, MemoryBytes, ReadAt};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A compressed attribute.
pub(super) const COMPRESSED: u16 = 0x0001;
/// An attribute encrypted with EFS.
pub(super) const ENCRYPTED: u16 = 0x4000;
/// The most records that one file may have: what a list of 256 KiB, the largest that Windows
/// writes, names.
pub(super) const EXTENSIONS: usize = 8_192;

/// What all records of a file say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    pub(super) reference: Reference,
    pub(super) in_use: bool,
    pub(super) is_directory: bool,
    pub(super) modified: Option<Timestamp>,
    pub(super) names: Vec<Name>,
    pub(super) attributes: Vec<Attribute>,
}

/// A whole attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stream {
    pub(super) flags: u16,
    pub(super) length: u64,
    pub(super) initialised: u64,
    /// Clusters of a compression unit, as a power of two.
    pub(super) unit: u8,
    pub(super) place: Place,
}

/// Where an attribute lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Inline(Vec<u8>),
    /// In its record, which has to be read again.
    Left,
    Runs(Vec<Run>),
}

impl File {
    pub(super) fn new(number: u64, record: Record) -> Self {
        Self {
            reference: Reference { number, sequence: record.sequence },
            in_use: record.in_use,
            is_directory: record.is_directory,
            modified: record.changed(),
            names: record.names,
            attributes: record.attributes,
        }
    }

    /// Adds what a record says that extends this one; nothing when it extends another.
    pub(super) fn extend(&mut self, record: Record) {
        let Some(base) = record.base.filter(|base| base.number == self.reference.number) else {
            return;
        };
        // Deleting a file counts its own record on, and not what its extensions say of it.
        let before = base.sequence.wrapping_add(1);
        let is_deleted = !self.in_use && before == self.reference.sequence;
        if base.sequence == self.reference.sequence || is_deleted {
            self.names.extend(record.names);
            self.attributes.extend(record.attributes);
        }
    }

    /// The names a path may end with: short ones only where there are no others.
    pub(super) fn best_names(&self) -> impl Iterator<Item = &Name> {
        let long = self.names.iter().any(|name| !name.is_short);
        self.names.iter().filter(move |name| !long || !name.is_short)
    }

    /// Whether some attributes lie in other records.
    pub(super) fn has_list(&self) -> bool {
        self.attributes.iter().any(|attribute| attribute.kind == LIST)
    }

    /// An attribute put together from its pieces; none when there is no such one.
    ///
    /// # Errors
    /// When its pieces do not fit together.
    pub(super) fn stream(&self, kind: u32, name: &str) -> Result<Option<Stream>, PeelError> {
        let pieces: Vec<&Attribute> = self
            .attributes
            .iter()
            .filter(|attribute| attribute.kind == kind && attribute.name == name)
            .collect();
        stream(&pieces).map_err(|expected| {
            let number = self.reference.number;
            PeelError::malformed("NTFS", 0, expected, format!("none in record {number}"))
        })
    }
}

/// Puts the pieces of one attribute together.
pub(super) fn stream(pieces: &[&Attribute]) -> Result<Option<Stream>, &'static str> {
    let mut parts: Vec<(&Attribute, &Elsewhere)> = Vec::new();
    for piece in pieces {
        let (place, length) = match &piece.body {
            Body::Resident(bytes) => {
                (Place::Inline(bytes.clone()), u64::try_from(bytes.len()).unwrap_or(0))
            }
            Body::Left(length) => (Place::Left, *length),
            Body::Elsewhere(elsewhere) => {
                parts.push((piece, elsewhere));
                continue;
            }
        };
        let flags = piece.flags;
        return Ok(Some(Stream { flags, length, initialised: length, unit: 0, place }));
    }
    parts.sort_by_key(|(_, elsewhere)| elsewhere.first_vcn);
    let Some((first, head)) = parts.first() else { return Ok(None) };
    if head.first_vcn != 0 {
        return Err("the beginning of an attribute");
    }
    let mut all: Vec<Run> = Vec::new();
    for (_, part) in &parts {
        all.extend(runs::decode(&part.pairs, part.first_vcn).ok_or("mapping pairs")?);
    }
    Ok(Some(Stream {
        flags: first.flags,
        length: head.length,
        initialised: head.initialised.min(head.length),
        unit: head.unit,
        place: Place::Runs(all),
    }))
}

impl Stream {
    /// Its bytes as they are stored.
    pub(super) fn stored(&self, volume: &Arc<dyn ReadAt>, geometry: &Geometry) -> Extents {
        match &self.place {
            Place::Inline(bytes) => {
                let whole = lidless_io::Extent { at: 0, length: self.length, source: Some(0) };
                Extents::new(Arc::new(MemoryBytes::new(bytes.clone())), vec![whole], self.length)
            }
            Place::Left => Extents::new(Arc::clone(volume), Vec::new(), 0),
            Place::Runs(runs) => {
                runs::extents(volume, geometry, runs, self.length, self.initialised)
            }
        }
    }

    /// Offset of its first byte on the volume, 0 where it has none.
    pub(super) fn first_byte(&self, geometry: &Geometry) -> u64 {
        match &self.place {
            Place::Inline(_) | Place::Left => 0,
            Place::Runs(runs) => {
                let first = runs.iter().find_map(|run| run.lcn).unwrap_or(0);
                first.saturating_mul(geometry.cluster)
            }
        }
    }

    /// Whether it has a length and no clusters.
    pub(super) fn is_hollow(&self) -> bool {
        match &self.place {
            Place::Inline(_) | Place::Left => false,
            Place::Runs(runs) => self.length > 0 && runs.iter().all(|run| run.lcn.is_none()),
        }
    }
}

/// The records that an attribute list names beside the one it stands in.
///
/// An entry: type at 0, length at 4, first cluster at 8, reference at 16.
pub(super) fn listed(list: &[u8], own: u64) -> BTreeSet<u64> {
    entries(list)
        .map(|(_, _, reference)| reference.number)
        .filter(|number| *number != own)
        .collect()
}

/// Type, first cluster and record of each entry of an attribute list.
pub(super) fn entries(list: &[u8]) -> impl Iterator<Item = (u32, u64, Reference)> {
    use lidless_io::number::{u16_le, u32_le, u64_le};
    let mut place = 0usize;
    std::iter::from_fn(move || {
        let entry = list.get(place..)?;
        let length = u16_le(entry, 4).filter(|length| *length >= 24)?;
        place = place.saturating_add(usize::from(length));
        Some((u32_le(entry, 0)?, u64_le(entry, 8)?, Reference::new(u64_le(entry, 16)?)))
    })
    .take(EXTENSIONS)
}
