//! An EWF image as a disk.

use super::chunks::Chunks;
use super::layout::{EWF, FIRST, HEAD, Kind, Section, Volume, number};
use super::segments::{End, Segments, has_first};
use super::text;
use crate::disk::image::{Disk, Image};
use crate::disk::mapped::Mapped;
use crate::error::PeelError;
use lidless_core::{Artifact, Limits};
use lidless_io::read_vec;
use serde_json::Value;
use std::sync::Arc;

/// How many sections stand before the first chunks at most.
const BEFORE: usize = 64;
/// The most of a text that is read.
const TEXT: u64 = 64 << 10;

/// Images of EnCase, FTK Imager, SMART and libewf.
pub(in crate::disk) struct Ewf;

impl Image for Ewf {
    fn name(&self) -> &'static str {
        "E01"
    }

    fn recognises(&self, _artifact: &Artifact, head: &[u8]) -> bool {
        number(head).is_some()
    }

    fn open(&self, artifact: &Artifact, head: &[u8], _: &Limits) -> Result<Disk, PeelError> {
        if number(head) != Some(1) {
            let why = "a later segment of an E01 image whose first segment is missing";
            return Err(PeelError::Closed(why.into()));
        }
        let first = First::read(artifact)?;
        let segments = Segments::find(artifact);
        let mut facts = first.facts;
        facts.push(("segments", segments.files.len().into()));
        let mut gaps = Vec::new();
        let (hole, end) = (segments.has_hole(), segments.end());
        let volume = first.volume;
        let (joined, starts) = segments.joined();
        let chunks = Chunks::new(volume, segments, starts);
        if hole {
            let lost = chunks.place_around_the_hole().saturating_mul(volume.chunk_bytes);
            gaps.push(("an E01 image with a missing segment".to_owned(), Some(lost)));
        }
        match end {
            End::Done => {}
            End::MoreFollow => {
                gaps.push(("an E01 image whose last segments are missing".to_owned(), None));
            }
            End::Cut => gaps.push(("an E01 image that breaks off".to_owned(), None)),
        }
        let bytes = Arc::new(Mapped::new(chunks, joined, None, volume.length));
        Ok(Disk { bytes, facts, gaps })
    }

    fn is_part(&self, artifact: &Artifact, head: &[u8]) -> bool {
        number(head).is_some_and(|number| number != 1) && has_first(artifact)
    }
}

/// What the first segment says before its chunks.
struct First {
    volume: Volume,
    facts: Vec<(&'static str, Value)>,
}

impl First {
    fn read(artifact: &Artifact) -> Result<Self, PeelError> {
        let mut facts: Vec<(&'static str, Value)> = Vec::new();
        let mut offset = FIRST;
        for _ in 0..BEFORE {
            let bytes = read_vec(&*artifact.bytes, offset, HEAD)?;
            let Some(section) = Section::parse(&bytes, offset) else {
                return Err(PeelError::malformed(EWF, offset, "a section", "another checksum"));
            };
            let length = section.size.saturating_sub(HEAD).min(TEXT);
            match section.kind {
                // Both texts say the same; the first that says anything is taken.
                Kind::Header | Kind::Header2 if facts.is_empty() => {
                    let packed = read_vec(&*artifact.bytes, section.inside(), length)?;
                    facts = text::facts(section.kind, &packed);
                }
                Kind::Volume => {
                    let bytes = read_vec(&*artifact.bytes, section.inside(), length)?;
                    let volume = Volume::parse(&bytes, section.inside())?;
                    return Ok(Self { volume, facts });
                }
                _ => {}
            }
            if section.next <= offset {
                break;
            }
            offset = section.next;
        }
        Err(PeelError::malformed(EWF, offset, "a volume section", "none"))
    }
}
