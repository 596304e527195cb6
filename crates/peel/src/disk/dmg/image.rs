//! A UDIF image as a disk.

use super::adc;
use super::blocks::{Form, Run, SECTOR, TRAILER, Trailer, UDIF, runs};
use crate::coding::{Coding, decode, lzfse};
use crate::disk::image::{Disk, Image};
use crate::disk::mapped::{LARGEST_CHUNK, Map, Mapped, Origin, Packed, Piece, broken, one_by_one};
use crate::error::PeelError;
use lidless_core::{Artifact, Limits};
use lidless_io::{ReadError, read_vec};
use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::sync::Arc;

/// Names of images whose last bytes are worth a request.
const NAMES: [&str; 4] = [".dmg", ".smi", ".udif", ".dmgpart"];

/// Images of Apple's disk utility.
pub(in crate::disk) struct Dmg;

/// The trailer: the last bytes, or the first ones where an image was made in one pass.
fn trailer(artifact: &Artifact, head: &[u8]) -> Option<Trailer> {
    if let Some(trailer) = Trailer::parse(head) {
        return Some(trailer);
    }
    let name = artifact.entry.lower_file_name();
    let begins_as_one = head.starts_with(b"bvx") && head.get(3).is_some_and(u8::is_ascii);
    if !begins_as_one && !NAMES.iter().any(|end| name.ends_with(end)) {
        return None;
    }
    let offset = artifact.bytes.len().checked_sub(TRAILER)?;
    Trailer::parse(&read_vec(&*artifact.bytes, offset, TRAILER).ok()?)
}

impl Image for Dmg {
    fn name(&self) -> &'static str {
        "DMG"
    }

    fn recognises(&self, artifact: &Artifact, head: &[u8]) -> bool {
        trailer(artifact, head).is_some()
    }

    fn open(&self, artifact: &Artifact, head: &[u8], _: &Limits) -> Result<Disk, PeelError> {
        let at = artifact.bytes.len().saturating_sub(TRAILER);
        let trailer = trailer(artifact, head)
            .ok_or_else(|| PeelError::malformed(UDIF, at, "a trailer", "none"))?;
        if trailer.segments > 1 {
            let why = "a disk image in several segments (.dmgpart), not looked into";
            return Err(PeelError::Closed(why.into()));
        }
        let (runs, overlaps) = runs(&*artifact.bytes, &trailer)?;
        let mut disk = Disk::new(Arc::clone(&artifact.bytes));
        if overlaps > 0 {
            disk.gaps.push(("parts of a disk image that overlap".to_owned(), Some(overlaps)));
        }
        let mut forms: BTreeMap<Form, u64> = BTreeMap::new();
        for run in &runs {
            let sum = forms.entry(run.form).or_default();
            *sum = sum.saturating_add(run.length);
        }
        for (form, bytes) in &forms {
            if *form == Form::Unknown {
                let reason = format!("parts of a disk image compressed by {}", form.name());
                disk.gaps.push((reason, Some(*bytes)));
            }
        }
        let forms: Vec<&str> = forms.keys().map(|form| form.name()).collect();
        disk.facts.push(("stored_as", forms.into()));
        let end = runs.last().map_or(0, |run| run.at.saturating_add(run.length));
        let length = end.max(trailer.sectors.saturating_mul(SECTOR)).min(i64::MAX.unsigned_abs());
        let image = Arc::clone(&artifact.bytes);
        disk.bytes = Arc::new(Mapped::new(Runs { runs, length }, image, None, length));
        Ok(disk)
    }

    fn is_distribution(&self) -> bool {
        true
    }
}

/// The runs of an image.
struct Runs {
    runs: Vec<Run>,
    length: u64,
}

impl Runs {
    /// What begins at an offset of the disk.
    fn piece(&self, offset: u64) -> Result<Piece, ReadError> {
        let next = self.runs.partition_point(|run| run.at <= offset);
        let run = next.checked_sub(1).and_then(|index| self.runs.get(index));
        let run = run.filter(|run| offset < run.at.saturating_add(run.length));
        let Some(run) = run else {
            // Between two runs.
            let end = self.runs.get(next).map_or(self.length, |run| run.at);
            return Ok(Piece { length: end.saturating_sub(offset), origin: Origin::Zeros });
        };
        let into = offset.saturating_sub(run.at);
        let left = run.length.saturating_sub(into);
        let (length, origin) = match run.form {
            Form::Zero => (left, Origin::Zeros),
            // What is short of its length is zeros.
            Form::Raw => match run.stored.saturating_sub(into) {
                0 => (left, Origin::Zeros),
                stored => (stored.min(left), Origin::Stored(run.offset.saturating_add(into))),
            },
            Form::Unknown => return Err(broken("a part of the image in a form not read")),
            _ if run.length > LARGEST_CHUNK || run.stored > LARGEST_CHUNK => {
                return Err(broken("a part of the image that is larger than the limit"));
            }
            _ => {
                let (offset, length, form) = (run.offset, run.stored, run.form.number());
                let chunk = Packed { offset, length, unpacked: run.length, form };
                (left, Origin::Packed(chunk, into))
            }
        };
        Ok(Piece { length, origin })
    }
}

impl Map for Runs {
    fn locate(&self, from: u64, to: u64) -> Result<Vec<Piece>, ReadError> {
        one_by_one(from, to, |at| self.piece(at))
    }

    fn unpack(&self, chunk: &Packed, stored: &[u8]) -> Result<Vec<u8>, ReadError> {
        let size = usize::try_from(chunk.unpacked).unwrap_or(0);
        let broken = || broken("a part of the image that cannot be decompressed");
        let coding = match Form::of(chunk.form) {
            Form::Adc => return adc::decode(stored, size).ok_or_else(broken),
            Form::Lzfse => return lzfse(stored, size).ok_or_else(broken),
            Form::Zlib => Coding::Zlib,
            Form::Bzip2 => Coding::Bzip2,
            Form::Xz => Coding::Xz,
            Form::Raw | Form::Zero | Form::Unknown => return Err(broken()),
        };
        let mut bytes = Vec::with_capacity(size);
        let reader = decode(coding, Cursor::new(stored.to_vec()));
        let read = reader.take(chunk.unpacked).read_to_end(&mut bytes);
        if read.is_err() && bytes.len() < size {
            return Err(broken());
        }
        Ok(bytes)
    }
}
