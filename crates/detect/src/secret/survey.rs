//! How much the rules say of code that holds no secrets: run by hand over a folder, with
//! `LIDLESS_SURVEY=FOLDER cargo test -p lidless-detect --lib survey -- --ignored --nocapture`.

use super::engine::Engine;
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
        for found in engine.find(text) {
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

/// The processor time of this process so far, in hundredths of a second (`proc(5)`, field 14).
fn spent() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let mut fields = stat.rsplit(')').next().unwrap_or("").split_whitespace();
    fields.nth(11).and_then(|field| field.parse().ok()).unwrap_or(0)
}

/// What decoding costs beside the rules, and what it finds, over the same folder.
#[test]
#[ignore = "a survey of a folder, run by hand"]
fn decoding() {
    let folder = std::env::var("LIDLESS_SURVEY").expect("a folder in LIDLESS_SURVEY");
    let engine = Engine::new();
    let mut texts = Vec::new();
    walk(Path::new(&folder), &mut |path, text| texts.push((path.to_owned(), text.to_owned())));
    let bytes: usize = texts.iter().map(|(_, text)| text.len()).sum();
    let start = spent();
    let plain: usize = texts.iter().map(|(_, text)| engine.find(text).len()).sum();
    let rules = spent();
    let (mut layers, mut inside) = (0usize, 0usize);
    for (_, text) in &texts {
        super::decode::expand(text, &[], &mut |layer| {
            layers += 1;
            inside += layer.text.map_or(layer.key.len(), str::len);
        });
    }
    let expanded = spent();
    let mut found = 0;
    for (path, text) in &texts {
        let taken: Vec<_> = engine.find(text).into_iter().map(|one| one.span).collect();
        super::decode::expand(text, &taken, &mut |layer| {
            for one in engine.find(layer.text.unwrap_or("")) {
                let place = layer.origin(&one.span);
                if super::decode::is_free(&taken, &place) {
                    found += 1;
                    let line = text[..place.start].matches('\n').count() + 1;
                    let whole: String = one.whole.chars().take(100).collect();
                    let codings = layer.codings;
                    eprintln!("{}\t{}:{line}\t{codings:?}\t{whole:?}", one.rule.id, path.display());
                }
            }
        });
    }
    eprintln!(
        "{bytes} bytes: rules {} cs ({plain} found), decoding {} cs ({layers} layers, {inside} bytes), \
         {found} found in them",
        rules - start,
        expanded - rules
    );
}
