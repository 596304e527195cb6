//! How much structure says of a tree: run by hand over a folder, with `LIDLESS_SURVEY=FOLDER cargo
//! test -p lidless-detect --lib structure::survey -- --ignored --nocapture`.

use super::find;
use super::format::Source;
use super::table::format_of;
use lidless_core::{Confidence, Text};
use std::collections::BTreeMap;
use std::path::Path;

fn walk(folder: &Path, see: &mut impl FnMut(&Path, &str)) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(&path, see);
        } else if entry.metadata().is_ok_and(|data| data.is_file() && data.len() < 4_000_000)
            && let Ok(bytes) = std::fs::read(&path)
            && Text::is_text(&bytes[..bytes.len().min(16_384)])
        {
            see(&path, &String::from_utf8_lossy(&bytes));
        }
    }
}

#[test]
#[ignore = "a survey of a folder, run by hand"]
fn survey() {
    let folder = std::env::var("LIDLESS_SURVEY").expect("a folder in LIDLESS_SURVEY");
    let (mut lines, mut bytes) = (0_usize, 0_usize);
    let mut counts: BTreeMap<(&str, Confidence), usize> = BTreeMap::new();
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    let mut formats: BTreeMap<&str, (usize, std::time::Duration)> = BTreeMap::new();
    walk(Path::new(&folder), &mut |path, text| {
        lines += text.lines().count();
        bytes += text.len();
        let name = path.to_string_lossy();
        let low = name.to_ascii_lowercase();
        let started = std::time::Instant::now();
        let verdicts = find(&name, text);
        let format = formats.entry(format_of(&Source::new(&low, text)).name()).or_default();
        format.0 += text.len();
        format.1 += started.elapsed();
        for one in &verdicts.left {
            *left.entry(one.reason.as_str()).or_default() += 1;
        }
        for found in verdicts.found {
            *counts.entry((found.rule(), found.judged.confidence)).or_default() += 1;
            if found.judged.confidence > Confidence::Low {
                let line = text[..found.span.start].matches('\n').count() + 1;
                let value: String = text[found.span.clone()].chars().take(60).collect();
                eprintln!(
                    "{:?}\t{}\t{name}:{line}\t{}\t{value:?}",
                    found.judged.confidence,
                    found.rule(),
                    found.key
                );
            }
        }
    });
    let all: usize =
        counts.iter().filter(|((_, sure), _)| *sure > Confidence::Low).map(|(_, n)| n).sum();
    eprintln!("{counts:#?}\nleft out: {left:#?}\n{formats:#?}");
    let rate = (all * 1_000_000).checked_div(lines).unwrap_or(0);
    eprintln!(
        "{all} in {lines} lines, {bytes} bytes: {}.{} in 100,000 lines",
        rate / 10,
        rate % 10
    );
}
