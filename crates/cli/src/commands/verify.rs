//! `lidless verify`: what changed since a seal was made.

use crate::args::{Format, VerifyArguments};
use crate::commands::seal::{digests, observed, store};
use crate::{input, output};
use anyhow::{Context as _, Result, bail};
use lidless_core::Severity;
use lidless_engine::{StoreView, names_a_model};
use lidless_seal::{
    Change, ChangeKind, Depth, Manifest, Observed, Present, SealError, VerifyingKey, compare, open,
    read_file, read_folder,
};
use std::path::{Path, PathBuf};

/// Compares and gives the exit code: 1 when something changed.
pub(crate) fn run(arguments: &VerifyArguments) -> Result<u8> {
    let read = |path: &Path| {
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    };
    let key = VerifyingKey::parse(&read(&arguments.key)?)
        .with_context(|| format!("{} is refused", arguments.key.display()))?;
    let view = store(&arguments.target, &arguments.reach)?;
    let beside = if view.is_some() {
        PathBuf::from("model.sig")
    } else {
        input::folder(Path::new(&arguments.target))?.join("model.sig")
    };
    let place = arguments.seal.clone().unwrap_or(beside);
    let manifest = open(&read(&place)?, &key)
        .with_context(|| format!("{} is not to be believed", place.display()))?;
    let depth = if arguments.content { Depth::Content } else { Depth::Metadata };
    let changes = match &view {
        Some(view) => of_store(&manifest, view, depth)?,
        None => of_folder(&manifest, Path::new(&arguments.target), &place, depth)?,
    };
    let writable = view.as_ref().is_some_and(|view| view.writable);
    let name = view.as_ref().map_or_else(|| arguments.target.clone(), |view| view.name.clone());
    // A time alone is no change, but not proof of none.
    let changed = changes.iter().any(|one| one.kind != ChangeKind::Touched);
    let code = if changed {
        1
    } else if changes.is_empty() {
        0
    } else {
        3
    };
    let content = arguments.content || manifest.observed.is_empty();
    match arguments.format {
        Format::Human => output::to(None, |out, _| {
            for change @ Change { kind, name, evidence } in &changes {
                let word = match kind {
                    ChangeKind::Changed => "changed",
                    ChangeKind::Appeared => "appeared",
                    ChangeKind::Vanished => "vanished",
                    ChangeKind::Touched => "touched",
                };
                let severity = severity(change, writable);
                let name: String = name.chars().filter(|c| !c.is_control()).collect();
                writeln!(out, "  {:<9}{word:<9} {name}: {evidence}", severity.as_str())?;
            }
            if writable && changes.iter().any(|one| severity(one, true) == Severity::Critical) {
                writeln!(
                    out,
                    "\n  A model changed, and whoever holds this credential can change it: do not \
                     load it.\n"
                )?;
            }
            let how = if content { "every byte" } else { "names, sizes and times" };
            let result = match code {
                0 => "nothing changed",
                1 => "it is not what was sealed",
                _ if arguments.content => "not proved: some objects were sealed unread",
                _ => "not proved: read again with --content",
            };
            writeln!(
                out,
                "{}: {result} ({} files sealed, compared by {how}).",
                name,
                manifest.resources.len()
            )
        })?,
        Format::Json => output::to(None, |out, _| {
            let value = serde_json::json!({
                "name": manifest.name,
                "files": manifest.resources.len(),
                "compared": if content { "content" } else { "metadata" },
                "target": name,
                "writable": writable,
                "changes": changes
                    .iter()
                    .map(|change| serde_json::json!({
                        "kind": change.kind,
                        "name": change.name,
                        "evidence": change.evidence,
                        "category": "tamper",
                        "severity": severity(change, writable),
                    }))
                    .collect::<Vec<_>>(),
                "exit_code": code,
            });
            serde_json::to_writer_pretty(&mut *out, &value)?;
            writeln!(out)
        })?,
        _ => bail!("the result is written as human or json"),
    }
    Ok(code)
}

/// How bad a change is: a model that others can overwrite and that is not what was sealed is the
/// worst there is.
fn severity(change: &Change, writable: bool) -> Severity {
    match change.kind {
        ChangeKind::Touched => Severity::Medium,
        _ if writable && names_a_model(&change.name) => Severity::Critical,
        _ => Severity::High,
    }
}

fn of_folder(
    manifest: &Manifest,
    target: &Path,
    place: &Path,
    depth: Depth,
) -> Result<Vec<Change>> {
    let folder = input::folder(target)?;
    let mut ignored = manifest.ignored.clone();
    ignored.extend(input::inside(&folder, place));
    let now = read_folder(&folder, &ignored)?;
    let mut read = |name: &str| read_file(&folder.join(name));
    let mut present = Present { files: &now.files, odd: &now.odd, read: &mut read };
    Ok(compare(manifest, &mut present, depth)?)
}

fn of_store(manifest: &Manifest, view: &StoreView, depth: Depth) -> Result<Vec<Change>> {
    let files: Vec<Observed> = view.objects.iter().map(observed).collect();
    let mut read = |name: &str| {
        let fail = |why: String| SealError::Read { path: name.to_owned(), why };
        let one = view.objects.iter().find(|one| one.name == name);
        let one = one.ok_or_else(|| fail("it is not there".into()))?;
        digests(one).map_err(|error| fail(error.to_string()))
    };
    let mut present = Present { files: &files, odd: &[], read: &mut read };
    Ok(compare(manifest, &mut present, depth)?)
}
