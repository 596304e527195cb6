//! How much the rules say of code that holds no secrets: run by hand over a folder, with
//! `LIDLESS_SURVEY=FOLDER cargo test -p lidless-detect --lib survey -- --ignored --nocapture`.

use super::engine::{Engine, Sought};
use lidless_core::Text;
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
    let engine = Engine::new();
    let (mut lines, mut bytes) = (0_usize, 0_usize);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    walk(Path::new(&folder), &mut |path, text| {
        lines += text.lines().count();
        bytes += text.len();
        for found in engine.find(Sought { text, path: &path.to_string_lossy() }).matches {
            let count = counts.entry(found.rule.id).or_default();
            *count += 1;
            if *count <= 12 || std::env::var("LIDLESS_SURVEY_ALL").is_ok() {
                let line = text[..found.span.start].matches('\n').count() + 1;
                let whole: String = found.whole.chars().take(120).collect();
                eprintln!("{}\t{}:{line}\t{whole:?}", found.rule.id, path.display());
            }
        }
    });
    let all: usize = counts.values().sum();
    eprintln!("{counts:#?}");
    eprintln!(
        "{all} in {lines} lines, {bytes} bytes: {} in 100,000 lines",
        all * 100_000 / lines.max(1)
    );
}
