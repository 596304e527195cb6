//! Yields the members, what decides first.

use super::directory::{End, Line, ends, lines};
use super::member::Member;
use crate::peeler::{Peeler, Sink};
use lidless_core::{
    Artifact, Category, Confidence, Entry, Finding, Gap, Layer, Limits, Place, Severity,
};
use lidless_io::{ReadAt, read_vec};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

/// How much of the end is read first: the end record and the directory of some 500 members.
const TAIL: u64 = 44 << 10;
/// The furthest an end record can lie from the end: a comment of 65,535 bytes.
const FURTHEST: u64 = 66_000;
/// The largest directory that is read: a million members.
const LARGEST_DIRECTORY: u64 = 64 << 20;
const ENCRYPTED: u16 = 1;

/// A zip archive.
pub(crate) struct Zip;

impl Peeler for Zip {
    fn name(&self) -> &'static str {
        "zip"
    }

    fn recognises(&self, artifact: &Artifact, head: &[u8]) -> bool {
        if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
            return true;
        }
        // A zip may hide behind other bytes; where the name says zip or model, look at the end.
        let name = artifact.entry.file_name().to_ascii_lowercase();
        let likely =
            [".zip", ".pt", ".pth", ".ckpt", ".npz", ".jar", ".whl", ".docx", ".xlsx", ".keras"];
        likely.iter().any(|end| name.ends_with(end))
            && tail(artifact, FURTHEST).is_some_and(|(tail, base)| !ends(&tail, base).is_empty())
    }

    fn peel(&self, artifact: &Artifact, head: &[u8], limits: &Limits, sink: &mut dyn Sink) {
        let place = &artifact.entry.provenance;
        let length = artifact.bytes.len();
        let mut found = Vec::new();
        let mut read = None;
        for size in [TAIL, FURTHEST] {
            read = tail(artifact, size);
            if let Some((tail, base)) = &read {
                found = ends(tail, *base);
            }
            if !found.is_empty() || size >= length {
                break;
            }
        }
        let Some((tail, base)) = read else {
            sink.gap(Gap::new(place, "the end of a zip archive could not be read", Some(length)));
            return;
        };
        if found.is_empty() {
            sink.gap(Gap::new(place, "a zip archive without its directory", Some(length)));
            return;
        }
        let mut all: Vec<(Line, u64)> = Vec::new();
        for end in &found {
            match directory(artifact, end, &tail, base) {
                Ok((bytes, shift)) => {
                    let left = limits.members.saturating_sub(u64::try_from(all.len()).unwrap_or(0));
                    let lines = lines(&bytes, left);
                    if u64::try_from(lines.len()).unwrap_or(0) < end.members.min(left) {
                        let reason = "a zip directory that breaks off";
                        sink.gap(Gap::new(place, reason, None));
                    }
                    all.extend(lines.into_iter().map(|line| (line, shift)));
                }
                Err(reason) => sink.gap(Gap::new(place, reason, None)),
            }
        }
        if u64::try_from(all.len()).unwrap_or(u64::MAX) >= limits.members {
            sink.gap(Gap::new(place, "more members than the limit", None));
        }
        views(artifact, head, &found, &all, sink);
        hand_out(artifact, all, limits, sink);
    }
}

fn tail(artifact: &Artifact, size: u64) -> Option<(Vec<u8>, u64)> {
    let base = artifact.bytes.len().saturating_sub(size);
    read_vec(&*artifact.bytes, base, size).ok().map(|tail| (tail, base))
}

/// The bytes of a directory, and by how much the offsets in it are shifted because bytes were
/// put in front of the archive.
fn directory(
    artifact: &Artifact,
    end: &End,
    tail: &[u8],
    base: u64,
) -> Result<(Vec<u8>, u64), String> {
    if end.size > LARGEST_DIRECTORY {
        return Err("a zip directory larger than any".into());
    }
    let slice = |from: u64| -> Option<Vec<u8>> {
        let start = usize::try_from(from.checked_sub(base)?).ok()?;
        let stop = start.checked_add(usize::try_from(end.size).ok()?)?;
        tail.get(start..stop).map(<[u8]>::to_vec)
    };
    let at = |from: u64| match slice(from) {
        Some(bytes) => Ok(bytes),
        None => read_vec(&*artifact.bytes, from, end.size)
            .map_err(|_| "a zip directory that could not be read".to_owned()),
    };
    let said = at(end.offset)?;
    if end.members == 0 || said.starts_with(b"PK\x01\x02") {
        return Ok((said, 0));
    }
    // Loaders find the directory right before the end record and shift everything by the rest.
    let real = end.at.saturating_sub(end.size);
    let near = at(real)?;
    if near.starts_with(b"PK\x01\x02") {
        return Ok((near, real.saturating_sub(end.offset)));
    }
    Err("a zip archive without its directory".into())
}

/// Says where two views of one archive differ: what one loader sees, another does not.
fn views(artifact: &Artifact, head: &[u8], ends: &[End], all: &[(Line, u64)], sink: &mut dyn Sink) {
    let mut say = |rule: &str, title: &str, evidence: String| {
        sink.finding(Finding::new(
            rule,
            Category::Malformed,
            Severity::Medium,
            Confidence::Medium,
            title,
            &Place::whole(artifact.entry.provenance.clone()),
            evidence,
        ));
    };
    if ends.len() > 1 {
        let evidence = format!("{} end records", ends.len());
        say("zip.several_directories", "a zip archive with more than one directory", evidence);
    }
    let mut names: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    for (line, _) in all {
        names.entry(&line.name).or_default().insert(line.header);
    }
    if let Some((_, places)) = names.iter().find(|(_, places)| places.len() > 1) {
        let evidence = format!("{} members of one name", places.len());
        say("zip.duplicate_member", "a zip archive with two members of one name", evidence);
    }
    // Local headers that were read anyway are compared with the directory.
    for (line, shift) in all {
        let Ok(at) = usize::try_from(line.header.saturating_add(*shift)) else { continue };
        let Some(local) = head.get(at..).filter(|bytes| bytes.starts_with(b"PK\x03\x04")) else {
            continue;
        };
        let length = local.get(26..28).and_then(|bytes| bytes.try_into().ok());
        let length = usize::from(length.map_or(0, u16::from_le_bytes));
        let Some(name) = local.get(30..length.saturating_add(30)) else { continue };
        if String::from_utf8_lossy(name) != line.name {
            let evidence = "the directory and the local header name a member differently".into();
            say("zip.names_differ", "a zip archive that shows two faces", evidence);
            break;
        }
    }
}

/// Which members come first: pickles, then small ones, then the rest.
fn rank(line: &Line) -> (u8, u64) {
    let name = line.name.to_ascii_lowercase();
    let pickle = name.ends_with(".pkl") || name.ends_with(".pickle");
    let class = if pickle { 0 } else { u8::from(line.unpacked > 1 << 20).saturating_add(1) };
    (class, line.header)
}

fn hand_out(artifact: &Artifact, all: Vec<(Line, u64)>, limits: &Limits, sink: &mut dyn Sink) {
    let place = &artifact.entry.provenance;
    let roots: BTreeSet<String> = all
        .iter()
        .filter_map(|(line, _)| line.name.strip_suffix("data.pkl"))
        .filter(|root| root.is_empty() || root.ends_with('/'))
        .map(str::to_owned)
        .collect();
    let mut lines: Vec<(Line, u64)> = Vec::new();
    let mut known: BTreeSet<(String, u64)> = BTreeSet::new();
    for (line, shift) in all {
        if !line.name.ends_with('/') && known.insert((line.name.clone(), line.header)) {
            lines.push((line, shift));
        }
    }
    lines.sort_by_key(|(line, _)| rank(line));
    let mut expanded = 0u64;
    let allowed = limits.expanded(artifact.bytes.len());
    for (line, shift) in lines {
        let child = place.child(Layer::Member { path: line.name.clone() });
        let entry = Entry::new(child, Some(line.unpacked));
        if line.method == 0 && roots.iter().any(|root| is_tensor(&line.name, root)) {
            sink.inert(entry, "raw tensor data of a checkpoint");
            continue;
        }
        // The flag alone means nothing to most loaders; a stored or deflated member is tried.
        if line.flags & ENCRYPTED != 0 && line.method == 99 {
            sink.gap(Gap::new(&entry.provenance, "an encrypted zip member", Some(line.unpacked)));
            continue;
        }
        if !matches!(line.method, 0 | 8 | 12 | 93 | 95) {
            let reason = format!("a zip member compressed by method {}", line.method);
            sink.gap(Gap::new(&entry.provenance, reason, Some(line.unpacked)));
            continue;
        }
        expanded = expanded.saturating_add(line.unpacked);
        if expanded > allowed {
            let reason = "a zip archive that expands past the limit";
            sink.gap(Gap::new(place, reason, None));
            return;
        }
        let header = line.header.saturating_add(shift);
        let bytes = Member {
            archive: Arc::clone(&artifact.bytes),
            header,
            name_length: u64::try_from(line.name.len()).unwrap_or(0),
            method: line.method,
            packed: line.packed,
            unpacked: line.unpacked,
            limit: limits.expanded(line.packed).min(allowed),
            opened: OnceLock::new(),
        };
        if line.flags & ENCRYPTED != 0
            && bytes.method != 0
            && bytes.read_at(0, &mut [0; 1]).is_err()
        {
            sink.gap(Gap::new(&entry.provenance, "an encrypted zip member", Some(line.unpacked)));
            continue;
        }
        sink.entry(Artifact::new(entry, Arc::new(bytes)));
    }
}

/// The raw storages of a torch checkpoint and its small fixed members.
fn is_tensor(name: &str, root: &str) -> bool {
    let Some(rest) = name.strip_prefix(root) else { return false };
    if let Some(number) = rest.strip_prefix("data/") {
        return !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    }
    matches!(rest, "version" | "byteorder" | ".format_version" | ".storage_alignment")
        || rest.starts_with(".data/serialization_id")
}
