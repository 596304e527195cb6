//! `lidless rules import`: the rules of another scanner, and what becomes of each.

use crate::args::{Format, ImportArguments};
use crate::{output, own_rules};
use anyhow::{Context as _, Result, bail};
use lidless_detect::{RulesFile, Verdict, write_rules};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Reads the files, writes what can be used, and says what became of every rule.
pub(crate) fn run(arguments: &ImportArguments) -> Result<u8> {
    if !matches!(arguments.format, Format::Human | Format::Json) {
        bail!("what became of rules is written as human or json");
    }
    let mut read: Vec<(PathBuf, RulesFile)> = Vec::new();
    let mut unread: Vec<(PathBuf, String)> = Vec::new();
    for path in own_rules::files(&arguments.files)? {
        match own_rules::read(&path) {
            Ok(file) => read.push((path, file)),
            Err(error) => unread.push((path, format!("{error:#}"))),
        }
    }
    refuse_twins(&mut read);
    let taken: usize = read.iter().map(|(_, file)| file.rules.len()).sum();
    if let Some(path) = &arguments.output
        && taken > 0
    {
        let text = written(&read)?;
        output::to(Some(path), |out, _| out.write_all(text.as_bytes()))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let all = || read.iter().flat_map(|(_, file)| &file.said);
    let refused = all().filter(|(_, said)| matches!(said, Verdict::Refused(_))).count();
    match arguments.format {
        Format::Json => {
            let said = as_json(&read, &unread);
            output::to(None, |out, _| {
                serde_json::to_writer_pretty(&mut *out, &said)?;
                writeln!(out)
            })?;
        }
        _ => {
            let said = words(&read, &unread, arguments);
            output::to(None, |out, _| write!(out, "{said}"))?;
        }
    }
    Ok(if taken == 0 || !unread.is_empty() { 2 } else { u8::from(refused > 0) })
}

/// A rule that another file has already, or that is built in, cannot be told from it.
fn refuse_twins(read: &mut [(PathBuf, RulesFile)]) {
    let mut ids: BTreeSet<String> =
        lidless_detect::secret_rules().iter().map(|rule| rule.id.to_owned()).collect();
    for (_, file) in read {
        let mut twins = BTreeSet::new();
        file.rules.retain(|rule| {
            let new = ids.insert(rule.id.clone());
            if !new {
                twins.insert(rule.id.clone());
            }
            new
        });
        for (id, verdict) in &mut file.said {
            if twins.contains(id) && !matches!(verdict, Verdict::Refused(_)) {
                *verdict = Verdict::Refused("another rule has this id".to_owned());
            }
        }
    }
}

/// All rules in one file. Exceptions that a file has for all its rules go to each of them when
/// there are other files.
fn written(read: &[(PathBuf, RulesFile)]) -> Result<String> {
    let used: Vec<&RulesFile> =
        read.iter().map(|(_, file)| file).filter(|file| !file.rules.is_empty()).collect();
    let Some((first, more)) = used.split_first() else { return Ok(String::new()) };
    let mut together = (*first).clone();
    if !more.is_empty() {
        let rules = used.iter().flat_map(|file| {
            file.rules.iter().map(|rule| {
                let mut rule = rule.clone();
                rule.allow.extend(file.allow.iter().cloned());
                rule
            })
        });
        together.rules = rules.collect();
        together.allow.clear();
    }
    write_rules(&together).map_err(|error| anyhow::anyhow!("cannot write rules: {error}"))
}

fn words(
    read: &[(PathBuf, RulesFile)],
    unread: &[(PathBuf, String)],
    arguments: &ImportArguments,
) -> String {
    let mut said = String::new();
    let (mut taken, mut different, mut refused) = (0_usize, 0_usize, 0_usize);
    for (path, file) in read {
        let _ = writeln!(said, "  {} · {}", path.display(), file.format);
        for note in &file.notes {
            let _ = writeln!(said, "    note: {note}");
        }
        for (id, verdict) in &file.said {
            match verdict {
                Verdict::Taken(costs) => {
                    taken = taken.saturating_add(1);
                    let _ = writeln!(said, "    taken    {id}");
                    for cost in costs {
                        let _ = writeln!(said, "             {cost}");
                    }
                }
                Verdict::Different(how) => {
                    different = different.saturating_add(1);
                    let _ = writeln!(said, "    differs  {id}");
                    for how in how {
                        let _ = writeln!(said, "             {how}");
                    }
                }
                Verdict::Refused(why) => {
                    refused = refused.saturating_add(1);
                    let _ = writeln!(said, "    refused  {id}\n             {why}");
                }
            }
        }
    }
    for (_, why) in unread {
        let _ = writeln!(said, "  {why}");
    }
    let _ = writeln!(
        said,
        "\n  {taken} taken, {different} taken with differences, {refused} refused, {} files not read",
        unread.len()
    );
    match &arguments.output {
        Some(path) if taken.saturating_add(different) > 0 => {
            let _ =
                writeln!(said, "  written to {}: lidless scan TARGET --rules {0}", path.display());
        }
        Some(_) => {}
        None => {
            let _ = writeln!(said, "  nothing written: -o FILE writes them");
        }
    }
    said
}

fn as_json(read: &[(PathBuf, RulesFile)], unread: &[(PathBuf, String)]) -> Value {
    let files: Vec<Value> = read
        .iter()
        .map(|(path, file)| {
            let rules: Vec<Value> = file
                .said
                .iter()
                .map(|(id, verdict)| {
                    let (word, why) = match verdict {
                        Verdict::Taken(costs) => ("taken", costs.clone()),
                        Verdict::Different(how) => ("differs", how.clone()),
                        Verdict::Refused(why) => ("refused", vec![why.clone()]),
                    };
                    json!({ "id": id, "verdict": word, "why": why })
                })
                .collect();
            json!({
                "file": path.display().to_string(),
                "format": file.format,
                "notes": file.notes,
                "rules": rules,
            })
        })
        .collect();
    let unread: Vec<Value> = unread
        .iter()
        .map(|(path, why)| json!({ "file": path.display().to_string(), "why": why }))
        .collect();
    json!({ "schema": "lidless.rules-import/1", "files": files, "unread": unread })
}
