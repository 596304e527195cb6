//! A Windows image as a wrapping: each image in it is visited like a volume.

use super::files::{Files, Part, Store};
use super::header::{HEADER, Header, lines};
use super::metadata::Tree;
use crate::archive::beside;
use crate::error::PeelError;
use crate::filesystem::{Content, Tour, Toured};
use crate::peeler::{Peeler, Sink};
use lidless_core::{
    Artifact, Category, Confidence, Finding, Layer, Limits, Place, Provenance, Severity,
};
use lidless_io::utf16;
use lidless_io::{BlockCache, ReadAt, read_exact_vec, read_vec};
use serde_json::{Value, json};
use std::sync::Arc;

/// The largest lookup table and the largest metadata of an image that are read: some half a
/// million files at the least.
const LARGEST_TABLE: u64 = 128 << 20;
const LARGEST_METADATA: u64 = 128 << 20;
const MOST_IMAGES: usize = 256;
/// How the reads of contents in their order are joined.
const BLOCK_BYTES: u64 = 64 << 10;
const CACHE_BYTES: u64 = 8 << 20;
const AHEAD_BYTES: u64 = 1 << 20;

/// A Windows image.
pub(crate) struct Wim;

impl Peeler for Wim {
    fn name(&self) -> &'static str {
        "WIM"
    }

    fn recognises(&self, _artifact: &Artifact, head: &[u8]) -> bool {
        head.starts_with(b"MSWIM\0\0\0")
    }

    fn peel(&self, artifact: &Artifact, _head: &[u8], limits: &Limits, sink: &mut dyn Sink) {
        let place = &artifact.entry.provenance;
        let length = artifact.bytes.len();
        match open(artifact) {
            Ok(None) => {}
            Ok(Some(store)) => visit(artifact, Arc::new(store), limits, sink),
            Err(error) => error.say(place, Some(length), sink),
        }
    }
}

/// Reads header and lookup table of a part.
fn part(artifact: &Artifact) -> Result<(Part, Vec<super::header::Line>), PeelError> {
    let cache = BlockCache::new(Arc::clone(&artifact.bytes), BLOCK_BYTES, CACHE_BYTES);
    let bytes: Arc<dyn ReadAt> = Arc::new(cache.reading_ahead(AHEAD_BYTES));
    let header = Header::read(&read_vec(&*bytes, 0, HEADER)?)?;
    let lookup = header.lookup;
    if lookup.size > LARGEST_TABLE {
        return Err(PeelError::Limit("a Windows image with more contents than the limit"));
    }
    let part = Part { bytes, header };
    let table = read_exact_vec(&*part.bytes, lookup.offset, lookup.size)?;
    let found = lines(&table).collect();
    Ok((part, found))
}

/// Opens an image with all of its parts; none when it is read through its first part.
fn open(artifact: &Artifact) -> Result<Option<Store>, PeelError> {
    let first = part(artifact)?;
    let Header { part: number, parts: total, .. } = first.0.header;
    let name = artifact.entry.file_name();
    let (stem, end) = name.rsplit_once('.').unwrap_or((name, ""));
    if number > 1 {
        let stem = stem.trim_end_matches(|digit: char| digit.is_ascii_digit());
        if beside(artifact, &format!("{stem}.{end}")).is_some() {
            return Ok(None);
        }
        return Err(PeelError::Closed(
            "a part of a Windows image, the first of which is missing".into(),
        ));
    }
    let mut all = vec![first];
    for number in 2..=total {
        let Some(next) = beside(artifact, &format!("{stem}{number}.{end}")) else { break };
        all.push(part(&next)?);
    }
    let is_incomplete = all.len() < usize::from(total);
    Ok(Some(Store::new(all, is_incomplete)))
}

fn visit(artifact: &Artifact, store: Arc<Store>, limits: &Limits, sink: &mut dyn Sink) {
    let place = &artifact.entry.provenance;
    let images = store.metadata.len();
    let mut seen = Vec::new();
    let mut has_a_user = false;
    if store.is_incomplete {
        let closed = PeelError::Closed("a Windows image of which parts are missing".to_owned());
        closed.say(place, None, sink);
    }
    for index in 0..images.min(MOST_IMAGES) {
        // Names are unique in an image only.
        let place = match images {
            1 => place.clone(),
            _ => {
                let number = index.saturating_add(1).to_string();
                place.child(Layer::Member { path: number })
            }
        };
        match files(&store, index, artifact.bytes.len(), limits) {
            Ok(files) => {
                has_a_user |= files.has_a_user();
                let files = Arc::new(files);
                let volume = &artifact.bytes;
                let tour = Tour { place: &place, volume, files, format: "WIM", limits };
                seen.push(tour.run(sink));
            }
            Err(error) => error.say(&place, None, sink),
        }
    }
    if images > MOST_IMAGES {
        PeelError::Limit("more images in a file than the limit").say(place, None, sink);
    }
    if let Some(finding) = finding(artifact, place, &seen, has_a_user) {
        sink.finding(finding.with_detail("images", names(&store)));
    }
}

fn files(
    store: &Arc<Store>,
    index: usize,
    length: u64,
    limits: &Limits,
) -> Result<Files, PeelError> {
    let Some((part, metadata)) = store.metadata.get(index).copied() else {
        return Err(PeelError::Closed("an image that is missing".to_owned()));
    };
    if metadata.decoded > LARGEST_METADATA.min(limits.expanded(length)) {
        return Err(PeelError::Limit("a Windows image with more names than the limit"));
    }
    let bytes: Arc<dyn ReadAt> = match store.open(part, metadata)? {
        Content::Inline(_) => return Err(PeelError::Limit("an image without names")),
        Content::Extents(extents) => Arc::new(extents),
        Content::Decoded(bytes) => bytes,
    };
    let bytes = read_vec(&*bytes, 0, metadata.decoded)?;
    Ok(Files::new(Arc::clone(store), Tree::read(&bytes, limits.members)?))
}

/// The names of the images, from the XML that stands at the end.
fn names(store: &Store) -> Value {
    let Some(first) = store.parts.first() else { return Value::Null };
    let xml = first.header.xml;
    let bytes = read_vec(&*first.bytes, xml.offset, xml.size.min(1 << 20)).unwrap_or_default();
    let text = utf16::text(utf16::units_le(&bytes));
    let between = |open: &str, close: &str| {
        let mut found = Vec::new();
        for part in text.split(open).skip(1).take(MOST_IMAGES) {
            found.extend(part.split(close).next().map(|name| name.chars().take(200).collect()));
        }
        found
    };
    let names: Vec<String> = between("<NAME>", "</NAME>");
    json!(names)
}

fn finding(
    artifact: &Artifact,
    place: &Provenance,
    seen: &[Toured],
    has_a_user: bool,
) -> Option<Finding> {
    let name = artifact.entry.lower_file_name();
    let stem = name.split('.').next().unwrap_or("");
    let handed_out = ["install", "boot", "winre"].iter().any(|own| stem.starts_with(own));
    let severity = match (has_a_user, handed_out) {
        (true, _) => Severity::High,
        (false, true) => return None,
        (false, false) => Severity::Medium,
    };
    let files = seen.iter().map(|one| one.files).fold(0u64, u64::saturating_add);
    let evidence = format!(
        "{} bytes, by its own header: {} images with {files} files",
        artifact.bytes.len(),
        seen.len()
    );
    let finding = Finding::new(
        "backup.windows_image",
        Category::Backup,
        severity,
        Confidence::High,
        "Windows image (WIM)",
        &Place::whole(place.clone()),
        evidence,
    );
    Some(finding.with_detail("files", files))
}
