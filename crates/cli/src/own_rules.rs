//! Files of rules that the user brings.

use anyhow::{Context as _, Result, bail};
use lidless_detect::{RuleSet, RulesFile, read_rules};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Files of rules at most.
const MOST_FILES: usize = 5_000;
/// How deep folders are looked into.
const DEPTH: usize = 8;
/// Larger files are refused; the reader of rules has its own, smaller bound.
const LARGEST: u64 = 16 << 20;

/// The built-in rules and those of the files; what could not be used is said on standard error.
pub(crate) fn load(paths: &[PathBuf]) -> Result<RuleSet> {
    let mut rules = RuleSet::default();
    for path in files(paths)? {
        let file = read(&path)?;
        let refused = rules.add(&file);
        if let Some((id, why)) = refused.first() {
            let more = match refused.len() {
                1 => String::new(),
                count => format!(" (and {} more)", count.saturating_sub(1)),
            };
            let _ = writeln!(
                anstream::stderr(),
                "  {}: left out {id}: {why}{more}; lidless rules import says all",
                path.display()
            );
        }
    }
    if !paths.is_empty() && rules.own() == 0 {
        bail!("none of the rules given with --rules can be used");
    }
    Ok(rules)
}

/// Reads one file.
pub(crate) fn read(path: &Path) -> Result<RulesFile> {
    let mut text = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST).read_to_end(&mut text))
        .with_context(|| format!("cannot read {}", path.display()))?;
    let text = String::from_utf8(text)
        .map_err(|_| anyhow::anyhow!("{} is no text (UTF-8)", path.display()))?;
    read_rules(&text).with_context(|| format!("cannot use {}", path.display()))
}

/// The files that are named, and those of the folders that are named, in order.
pub(crate) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in paths {
        if !path.is_dir() {
            found.push(path.clone());
            continue;
        }
        let before = found.len();
        walk(path, 0, &mut found)?;
        if found.len() == before {
            bail!("{} holds no .toml, .yml or .yaml file", path.display());
        }
    }
    Ok(found)
}

fn walk(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    if depth > DEPTH {
        bail!("{} lies deeper than {DEPTH} folders", folder.display());
    }
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .with_context(|| format!("cannot list {}", folder.display()))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    entries.sort();
    for path in entries {
        let is_rules = path
            .extension()
            .is_some_and(|end| ["toml", "yml", "yaml"].iter().any(|one| end == *one));
        if path.is_dir() && !path.is_symlink() {
            walk(&path, depth.saturating_add(1), found)?;
        } else if is_rules {
            found.push(path);
        }
        if found.len() > MOST_FILES {
            bail!("{} holds more than {MOST_FILES} files", folder.display());
        }
    }
    Ok(())
}
