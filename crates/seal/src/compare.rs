//! What changed since a seal was made.

use crate::error::SealError;
use crate::folder::{Folder, read};
use crate::manifest::Manifest;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Names, sizes and times; what differs in nothing of these is taken as unchanged.
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

/// Compares a folder with its seal; changed files first, then by name.
///
/// With [`Depth::Metadata`] a file whose size was not recorded is read all the same: there is
/// nothing else to go by.
///
/// # Errors
/// When a file cannot be read.
pub fn compare(
    manifest: &Manifest,
    folder: &Folder,
    at: &Path,
    depth: Depth,
) -> Result<Vec<Change>, SealError> {
    let recorded: BTreeMap<&str, _> =
        manifest.observed.iter().map(|one| (one.name.as_str(), one)).collect();
    let now: BTreeMap<&str, _> = folder.files.iter().map(|one| (one.name.as_str(), one)).collect();
    let known: BTreeSet<&str> = manifest.resources.iter().map(|one| one.name.as_str()).collect();
    let mut changes = Vec::new();
    let mut say = |kind, name: &str, evidence: String| {
        changes.push(Change { kind, name: name.to_owned(), evidence });
    };
    for one in &manifest.resources {
        let Some(file) = now.get(one.name.as_str()) else {
            let odd = folder.odd.contains(&one.name);
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
        match (depth, before) {
            (Depth::Metadata, Some(before)) => {
                if before.modified_nanoseconds != file.modified_nanoseconds {
                    let evidence = "written since, same size; --content tells whether it changed";
                    say(ChangeKind::Touched, &one.name, evidence.into());
                }
            }
            _ => {
                let digest = read(&at.join(&one.name))?;
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
    for file in folder.files.iter().filter(|file| !known.contains(file.name.as_str())) {
        say(ChangeKind::Appeared, &file.name, format!("{} bytes", file.size_bytes));
    }
    for name in folder.odd.iter().filter(|name| !known.contains(name.as_str())) {
        say(ChangeKind::Appeared, name, "a link or a special file, not followed".into());
    }
    changes.sort_by(|a, b| a.kind.cmp(&b.kind).then_with(|| a.name.cmp(&b.name)));
    Ok(changes)
}
