//! What the user decided to leave out, as it is given: baselines, ignore files, whose markers count.

use anyhow::{Context as _, Result, anyhow};
use lidless_engine::{
    Baseline, Decisions, Markers, gitleaks_baseline, gitleaks_ignore, gitleaks_paths,
};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// No file of decisions is larger.
const LIMIT: u64 = 64 << 20;

/// Reads every file of decisions.
pub(crate) fn read(
    baselines: &[PathBuf],
    ignore_files: &[PathBuf],
    markers: Markers,
) -> Result<Decisions> {
    let mut decisions = Decisions { markers, ..Decisions::default() };
    for path in baselines {
        baseline(path, &mut decisions)?;
    }
    for path in ignore_files {
        ignore(path, &mut decisions)?;
    }
    Ok(decisions)
}

fn text(path: &Path) -> Result<String> {
    let shown = path.display();
    let file = std::fs::File::open(path).with_context(|| format!("cannot read {shown}"))?;
    let mut text = String::new();
    file.take(LIMIT).read_to_string(&mut text).with_context(|| format!("cannot read {shown}"))?;
    Ok(text)
}

/// Told apart by content: lidless writes an object, gitleaks a list or lines.
fn baseline(path: &Path, decisions: &mut Decisions) -> Result<()> {
    let shown = path.display();
    let text = text(path)?;
    match text.trim_start().chars().next() {
        Some('{') => {
            let read = Baseline::read(&text).map_err(|error| {
                anyhow!("{shown} is no baseline: {error}; lidless baseline CASE writes one")
            })?;
            if decisions.baseline.replace(read).is_some() {
                return Err(anyhow!("{shown}: give one baseline of lidless, not two"));
            }
        }
        Some('[') => {
            let read = gitleaks_baseline(&text)
                .map_err(|error| anyhow!("{shown} is no report of gitleaks: {error}"))?;
            decisions.gitleaks.extend(read);
        }
        _ => {
            let (read, wrong) = gitleaks_ignore(&text);
            if let Some(line) = wrong.first() {
                return Err(anyhow!(
                    "{shown}:{line}: neither a baseline (JSON) nor a line \
                     COMMIT:FILE:RULE:LINE of .gitleaksignore"
                ));
            }
            decisions.gitleaks.extend(read);
        }
    }
    Ok(())
}

fn ignore(path: &Path, decisions: &mut Decisions) -> Result<()> {
    let shown = path.display();
    let name =
        path.file_name().map_or_else(|| shown.to_string(), |name| name.to_string_lossy().into());
    let text = text(path)?;
    if path.extension().is_some_and(|end| end == "toml") {
        let paths = gitleaks_paths(&text)
            .map_err(|error| anyhow!("{shown} is no configuration of gitleaks: {error}"))?;
        for expression in paths {
            decisions
                .ignore
                .add_expression(&expression, &name)
                .map_err(|error| anyhow!("{shown}: {error}"))?;
        }
        return Ok(());
    }
    match decisions.ignore.add(&text, &name).first() {
        Some(wrong) => Err(anyhow!("{shown}: {wrong}")),
        None => Ok(()),
    }
}
