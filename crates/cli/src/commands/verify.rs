//! `lidless verify`: what changed since a seal was made.

use crate::args::{Format, VerifyArguments};
use crate::{input, output};
use anyhow::{Context as _, Result, bail};
use lidless_seal::{Change, ChangeKind, Depth, VerifyingKey, compare, open, read_folder};

/// Compares and gives the exit code: 1 when something changed.
pub(crate) fn run(arguments: &VerifyArguments) -> Result<u8> {
    let folder = input::folder(&arguments.target)?;
    let read = |path: &std::path::Path| {
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    };
    let place = arguments.seal.clone().unwrap_or_else(|| folder.join("model.sig"));
    let key = VerifyingKey::parse(&read(&arguments.key)?)
        .with_context(|| format!("{} is refused", arguments.key.display()))?;
    let manifest = open(&read(&place)?, &key)
        .with_context(|| format!("{} is not to be believed", place.display()))?;
    let mut ignored = manifest.ignored.clone();
    ignored.extend(input::inside(&folder, &place));
    let now = read_folder(&folder, &ignored)?;
    let depth = if arguments.content { Depth::Content } else { Depth::Metadata };
    let changes = compare(&manifest, &now, &folder, depth)?;
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
            for Change { kind, name, evidence } in &changes {
                let word = match kind {
                    ChangeKind::Changed => "changed",
                    ChangeKind::Appeared => "appeared",
                    ChangeKind::Vanished => "vanished",
                    ChangeKind::Touched => "touched",
                };
                let name: String = name.chars().filter(|c| !c.is_control()).collect();
                writeln!(out, "  {word:<9} {name}: {evidence}")?;
            }
            let how = if content { "every byte" } else { "names, sizes and times" };
            let result = match code {
                0 => "nothing changed",
                1 => "it is not what was sealed",
                _ => "not proved: read again with --content",
            };
            writeln!(
                out,
                "{}: {result} ({} files sealed, compared by {how}).",
                folder.display(),
                manifest.resources.len()
            )
        })?,
        Format::Json => output::to(None, |out, _| {
            let value = serde_json::json!({
                "name": manifest.name,
                "files": manifest.resources.len(),
                "compared": if content { "content" } else { "metadata" },
                "changes": changes,
                "exit_code": code,
            });
            serde_json::to_writer_pretty(&mut *out, &value)?;
            writeln!(out)
        })?,
        _ => bail!("the result is written as human or json"),
    }
    Ok(code)
}
