//! `lidless verify`: what changed since a seal was made.

use crate::args::{Format, VerifyArguments};
use crate::commands::seal::{digests, folder, observed, store};
use crate::{input, output};
use anyhow::{Context as _, Result, bail};
use lidless_core::Severity;
use lidless_engine::{StoreView, names_a_model, observe_folder};
use lidless_seal::{
    Change, ChangeKind, Depth, Manifest, Observed, Present, SealError, VerifyingKey, compare,
    is_left_out, left_out, open,
};
use std::path::Path;

/// Compares and gives the exit code: 1 when something changed.
pub(crate) fn run(arguments: &VerifyArguments) -> Result<u8> {
    let read = |path: &Path| {
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    };
    let key = VerifyingKey::parse(&read(&arguments.key)?)
        .with_context(|| format!("{} is refused", arguments.key.display()))?;
    let folder = folder(&arguments.target)?;
    let beside = || folder.clone().unwrap_or_default().join("model.sig");
    let place = arguments.seal.clone().unwrap_or_else(beside);
    let manifest = open(&read(&place)?, &key)
        .with_context(|| format!("{} is not to be believed", place.display()))?;
    let depth = if arguments.content { Depth::Content } else { Depth::Metadata };
    let (view, name) = match &folder {
        Some(folder) => {
            let mut ignored = manifest.ignored.clone();
            ignored.extend(input::inside(folder, &place));
            let ignored = left_out(&ignored);
            let view = observe_folder(folder, &|name| is_left_out(name, &ignored))?;
            (view, arguments.target.clone())
        }
        None => {
            let view = store(&arguments.target, &arguments.reach)?;
            let name = view.name.clone();
            (view, name)
        }
    };
    let changes = changes(&manifest, &view, depth)?;
    let writable = view.writable;
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

fn changes(manifest: &Manifest, view: &StoreView, depth: Depth) -> Result<Vec<Change>> {
    let files: Vec<Observed> = view.objects.iter().map(observed).collect();
    let mut read = |name: &str| {
        let fail = |why: String| SealError::Read { path: name.to_owned(), why };
        let one = view.find(name).ok_or_else(|| fail("it is not there".into()))?;
        digests(one).map_err(|error| fail(error.to_string()))
    };
    let mut present = Present { files: &files, odd: &view.odd, read: &mut read };
    Ok(compare(manifest, &mut present, depth)?)
}
