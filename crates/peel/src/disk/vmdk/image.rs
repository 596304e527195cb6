//! A VMDK as an image of a disk.

use super::super::image::{Disk, Image};
use super::super::mapped::{Mapped, cached, tables};
use super::super::parent::{Raw, Wanted, identity, last_name, short};
use super::descriptor::{Descriptor, Kind, is_descriptor};
use super::map::{Body, Extent, Extents};
use super::sparse::{FORMAT, Sparse, is_sparse};
use crate::error::PeelError;
use crate::joined::Joined;
use lidless_core::{Artifact, Limits};
use lidless_io::{ReadAt, read_vec};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// A descriptor of 32,768 extents is not longer.
const LONGEST_DESCRIPTOR: u64 = 2 << 20;
/// After so many extents that are not there, no more is looked for.
const MOST_MISSES: usize = 64;
/// How much of a descriptor beside an extent is read.
const DESCRIPTOR_BYTES: u64 = 64 << 10;

/// Disks of VMware.
pub(in crate::disk) struct Vmdk;

impl Image for Vmdk {
    fn name(&self) -> &'static str {
        FORMAT
    }

    fn recognises(&self, artifact: &Artifact, head: &[u8]) -> bool {
        is_sparse(head) || is_descriptor(head) || self.is_part(artifact, head)
    }

    fn open(&self, artifact: &Artifact, head: &[u8], limits: &Limits) -> Result<Disk, PeelError> {
        if !is_sparse(head) {
            let text = match u64::try_from(head.len()) {
                Ok(have) if have >= artifact.bytes.len() => head.to_vec(),
                _ => read_vec(&*artifact.bytes, 0, LONGEST_DESCRIPTOR)?,
            };
            return extents(artifact, &Descriptor::parse(&text), limits);
        }
        let file_bytes = artifact.bytes.len();
        let header = Sparse::read(&*artifact.bytes, head, 0, file_bytes)?;
        let described = match header.descriptor {
            None => None,
            Some((at, length)) => {
                let length = length.min(LONGEST_DESCRIPTOR);
                let near = usize::try_from(at).ok().zip(usize::try_from(length).ok());
                let near = near.and_then(|(at, length)| head.get(at..at.checked_add(length)?));
                let text = match near {
                    Some(text) => text.to_vec(),
                    None => read_vec(&*artifact.bytes, at, length)?,
                };
                Some(Descriptor::parse(&text))
            }
        };
        let mut disk = Disk::new(Arc::clone(&artifact.bytes));
        let mut parent = None;
        let mut is_child = false;
        match described {
            Some(described) => {
                is_child = described.parent_id.is_some();
                parent = describe(&mut disk, artifact, &described, limits)?;
            }
            None => {
                let reason = "an extent of a VMDK without its descriptor: the others are not seen";
                disk.gaps.push((reason.into(), None));
            }
        }
        let length = header.length;
        let body = Body::Sparse { base: 0, file_bytes, header: OnceLock::from(Ok(header)) };
        let extents = vec![Extent { start: 0, length, body }];
        let map = Extents { tables: tables(&artifact.bytes), extents, is_child };
        disk.bytes = Arc::new(Mapped::new(map, Arc::clone(&artifact.bytes), parent, length));
        Ok(disk)
    }

    fn is_part(&self, artifact: &Artifact, _: &[u8]) -> bool {
        let name = artifact.entry.file_name();
        let Some(beside) = descriptor_name(name) else { return false };
        let Some(found) = artifact.sibling(&beside) else { return false };
        // Descriptors of many extents are longer than a head.
        let Ok(text) = read_vec(&*found.bytes, 0, DESCRIPTOR_BYTES) else { return false };
        let names =
            |line: &super::descriptor::Line| last_name(&line.name).eq_ignore_ascii_case(name);
        is_descriptor(&text)
            && (Descriptor::parse(&text).extents.iter().any(names) || name.contains("-ctk."))
    }
}

/// The name of the descriptor that an extent of this name belongs to.
fn descriptor_name(name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let stem = lower.strip_suffix(".vmdk")?;
    let (base, last) = stem.rsplit_once('-')?;
    let is_number = |text: &str| text.len() >= 3 && text.bytes().all(|it| it.is_ascii_digit());
    let is_extent = ["flat", "delta", "sesparse", "ctk", "rdm", "rdmp", "pt"].contains(&last)
        || last.strip_prefix(['s', 'f', 'p']).is_some_and(is_number);
    let end = name.get(stem.len()..)?;
    is_extent.then(|| name.get(..base.len()).map(|base| format!("{base}{end}"))).flatten()
}

/// Says what the descriptor says, and finds the parent.
fn describe(
    disk: &mut Disk,
    artifact: &Artifact,
    described: &Descriptor,
    limits: &Limits,
) -> Result<Option<Arc<dyn ReadAt>>, PeelError> {
    if described.is_encrypted {
        return Err(PeelError::Closed("a VMDK that is encrypted".into()));
    }
    disk.facts.push(("subformat", short(&described.create_type).into()));
    disk.facts.push(identity(&described.content_id));
    let Some(id) = &described.parent_id else { return Ok(None) };
    let wanted = Wanted {
        paths: described.parent.clone().into_iter().collect(),
        identities: vec![id.clone()],
        raw: Raw::Never,
    };
    Ok(wanted.find(artifact, limits, disk).map(|parent| parent.bytes))
}

/// A disk of extents in files beside the descriptor.
fn extents(
    artifact: &Artifact,
    described: &Descriptor,
    limits: &Limits,
) -> Result<Disk, PeelError> {
    let mut disk = Disk::new(Arc::clone(&artifact.bytes));
    let parent = describe(&mut disk, artifact, described, limits)?;
    if described.extents.is_empty() {
        return Err(PeelError::malformed(FORMAT, 0, "a descriptor with extents", "none"));
    }
    let mut files = Joined::default();
    let mut list: Vec<Extent> = Vec::new();
    let mut start = 0u64;
    // Extents may share a file: each is opened once.
    let mut opened: HashMap<String, Option<(u64, u64)>> = HashMap::new();
    let mut misses = 0usize;
    let mut missing = 0u64;
    for line in &described.extents {
        let body = match line.kind {
            Kind::Zero => Body::Zeros,
            Kind::Elsewhere => Body::Missing,
            Kind::Flat | Kind::Sparse => {
                let place = *opened.entry(line.name.clone()).or_insert_with(|| {
                    let found = match misses < MOST_MISSES {
                        true => artifact.sibling(&last_name(&line.name)),
                        false => None,
                    };
                    let Some(found) = found else {
                        misses = misses.saturating_add(1);
                        return None;
                    };
                    let length = found.bytes.len();
                    Some((files.add(found.bytes), length))
                });
                match place {
                    None => Body::Missing,
                    Some((base, length)) if line.kind == Kind::Flat => {
                        let held = length.saturating_sub(line.offset).min(line.length);
                        missing = missing.saturating_add(line.length.saturating_sub(held));
                        let offset = base.saturating_add(line.offset);
                        if held < line.length {
                            list.push(Extent { start, length: held, body: Body::Flat(offset) });
                            start = start.saturating_add(line.length);
                            continue;
                        }
                        Body::Flat(offset)
                    }
                    Some((base, file_bytes)) => {
                        Body::Sparse { base, file_bytes, header: OnceLock::new() }
                    }
                }
            }
        };
        if matches!(body, Body::Missing) {
            missing = missing.saturating_add(line.length);
        }
        list.push(Extent { start, length: line.length, body });
        start = start.saturating_add(line.length);
    }
    if missing > 0 {
        disk.gaps.push(("extents of a VMDK that are missing or not read".into(), Some(missing)));
    }
    let is_nothing = |one: &Extent| matches!(one.body, Body::Missing | Body::Zeros);
    if missing > 0 && list.iter().all(is_nothing) {
        return Err(PeelError::Closed("a VMDK of which no extent is there".into()));
    }
    let files = cached(files);
    let is_child = described.parent_id.is_some();
    let map = Extents { tables: tables(&files), extents: list, is_child };
    disk.bytes = Arc::new(Mapped::new(map, files, parent, start));
    Ok(disk)
}
