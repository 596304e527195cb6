//! What other tools say of file systems of media.
#![allow(dead_code)]

use crate::suite::Inside;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// The names of the files that were found, opened or not.
pub(crate) fn names(inside: &Inside) -> BTreeSet<String> {
    inside.entries.iter().map(|(place, _)| place).chain(&inside.inert).cloned().collect()
}

/// The names that sleuthkit lists, without its own for metadata and without labels; deleted ones
/// begin with `[deleted]/`.
pub(crate) fn fls(image: &Path) -> BTreeSet<String> {
    let out = Command::new("fls").args(["-r", "-p", "-F"]).arg(image).output().unwrap();
    String::from_utf8(out.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| {
            let (what, name) = line.split_once(":\t")?;
            let own = name.starts_with('$') || name.ends_with("(Volume Label Entry)");
            let before = if what.contains('*') { "[deleted]/" } else { "" };
            (!own).then(|| format!("{before}{name}"))
        })
        .collect()
}

/// The names of the files that 7-Zip lists, with their lengths.
pub(crate) fn seven_zip(image: &Path, kind: &str) -> BTreeMap<String, u64> {
    let kind = format!("-t{kind}");
    let out = Command::new("7zz").args(["l", "-slt", "-ba", &kind]).arg(image).output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    let mut files = BTreeMap::new();
    for block in text.split("\n\n") {
        let field = |name: &str| {
            let start = format!("{name} = ");
            block.lines().find_map(|line| Some(line.strip_prefix(&start)?.to_owned()))
        };
        let Some(path) = field("Path") else { continue };
        let folder = field("Folder").is_some_and(|is| is == "+")
            || field("Attributes").is_some_and(|is| is.starts_with('D'));
        if !folder {
            files.insert(path, field("Size").and_then(|size| size.parse().ok()).unwrap_or(0));
        }
    }
    files
}

/// The files that xorriso lists by their names of Rock Ridge.
pub(crate) fn xorriso(image: &Path) -> BTreeSet<String> {
    let device = format!("stdio:{}", image.display());
    let out = Command::new("xorriso")
        .args(["-indev", &device, "-find", "/", "-type", "f"])
        .output()
        .unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    let quoted = |line: &str| Some(line.strip_prefix("'/")?.strip_suffix('\'')?.to_owned());
    text.lines().filter_map(quoted).collect()
}

/// The files that unsquashfs lists, with their lengths.
pub(crate) fn unsquashfs(image: &Path) -> BTreeMap<String, u64> {
    let out = Command::new("unsquashfs").args(["-lln", "-d", ""]).arg(image).output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    // -rw-r--r-- 0/0      180 2020-09-13 12:26 /Users/alice/.ssh/config
    let file = |line: &str| {
        let mut rest = line.strip_prefix('-')?;
        let mut fields = Vec::new();
        for _ in 0..5 {
            let (field, after) = rest.split_once(' ')?;
            fields.push(field);
            rest = if fields.len() < 5 { after.trim_start() } else { after };
        }
        Some((rest.strip_prefix('/')?.to_owned(), fields.get(2)?.parse().ok()?))
    };
    text.lines().filter_map(file).collect()
}
