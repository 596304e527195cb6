//! What changed since a seal was made.

use crate::digest::{Algorithm, Digests};
use crate::error::SealError;
use crate::manifest::{Manifest, Observed};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Names, sizes, times, and what a store says of versions and checksums; what differs in
    /// nothing of these is taken as unchanged.
    Metadata,
    /// Every byte.
    Content,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Its content is another.
    Changed,
    /// It was not there when the seal was made.
    Appeared,
    /// It is not there any more.
    Vanished,
    /// Only its time differs: its content was not read.
    Touched,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// The path below the model's folder.
    pub name: String,
    /// What shows it, in words.
    pub evidence: String,
}

/// What is there now.
pub struct Present<'a> {
    /// What each file looks like from outside.
    pub files: &'a [Observed],
    /// Names of what is neither file nor folder.
    pub odd: &'a [String],
    /// Reads one of the files and gives its digests.
    pub read: &'a mut dyn FnMut(&str) -> Result<Digests, SealError>,
}

/// Compares what is there with its seal; changed files first, then by name.
///
/// With [`Depth::Metadata`] a file whose size was not recorded is read all the same: there is
/// nothing else to go by. A file that was not read when it was sealed is compared by what the
/// store says, whatever the depth.
///
/// # Errors
/// When a file cannot be read.
pub fn compare(
    manifest: &Manifest,
    present: &mut Present<'_>,
    depth: Depth,
) -> Result<Vec<Change>, SealError> {
    let recorded: BTreeMap<&str, _> =
        manifest.observed.iter().map(|one| (one.name.as_str(), one)).collect();
    let now: BTreeMap<&str, _> = present.files.iter().map(|one| (one.name.as_str(), one)).collect();
    let known: BTreeSet<&str> = manifest.resources.iter().map(|one| one.name.as_str()).collect();
    let mut changes = Vec::new();
    let mut say = |kind, name: &str, evidence: String| {
        changes.push(Change { kind, name: name.to_owned(), evidence });
    };
    for one in &manifest.resources {
        let Some(file) = now.get(one.name.as_str()) else {
            let odd = present.odd.contains(&one.name);
            let evidence = if odd { "it is a link now, not a file" } else { "it is not there" };
            say(ChangeKind::Vanished, &one.name, evidence.into());
            continue;
        };
        let before = recorded.get(one.name.as_str());
        if let Some(before) = before.filter(|before| before.size_bytes != file.size_bytes) {
            let evidence = format!("{} bytes, {} when sealed", file.size_bytes, before.size_bytes);
            say(ChangeKind::Changed, &one.name, evidence);
            continue;
        }
        if let Some((then, now)) = before.and_then(|before| md5s(before, file))
            && then != now
        {
            say(ChangeKind::Changed, &one.name, format!("its MD5 is {now}, {then} when sealed"));
            continue;
        }
        let unread = one.algorithm == Algorithm::Observed;
        match before {
            None if unread => {
                return Err(SealError::Format("an object without what was seen of it"));
            }
            Some(before) if unread || depth == Depth::Metadata => {
                // The version is the store's own word; a checksum may be the writer's.
                let written = match (&before.etag, &file.etag) {
                    (Some(then), Some(now)) => then != now,
                    _ => before.modified_nanoseconds != file.modified_nanoseconds,
                };
                if written {
                    let evidence = if unread {
                        "written since, same size; it was not read when it was sealed"
                    } else {
                        "written since, same size; --content tells whether it changed"
                    };
                    say(ChangeKind::Touched, &one.name, evidence.into());
                }
            }
            _ => {
                let digest = (present.read)(&one.name)?;
                let digest = digest.of(one.algorithm);
                if digest != one.digest {
                    let short = |text: &str| text.chars().take(16).collect::<String>();
                    let evidence = format!(
                        "its digest is {}…, {}… when sealed",
                        short(digest),
                        short(&one.digest)
                    );
                    say(ChangeKind::Changed, &one.name, evidence);
                }
            }
        }
    }
    for file in present.files.iter().filter(|file| !known.contains(file.name.as_str())) {
        say(ChangeKind::Appeared, &file.name, format!("{} bytes", file.size_bytes));
    }
    for name in present.odd.iter().filter(|name| !known.contains(name.as_str())) {
        say(ChangeKind::Appeared, name, "a link or a special file, not followed".into());
    }
    changes.sort_by(|a, b| a.kind.cmp(&b.kind).then_with(|| a.name.cmp(&b.name)));
    Ok(changes)
}

/// The checksums that the store gave then and gives now, when it gave both.
fn md5s<'a>(then: &'a Observed, now: &'a Observed) -> Option<(&'a str, &'a str)> {
    Some((then.content_md5.as_deref()?, now.content_md5.as_deref()?))
}
