//! Recognising credentials in source code that holds none, and taking tokens apart.
//!
//! `cargo bench -p lidless-benches --bench token [FOLDER]`: FOLDER is what to read, by default
//! the sources of the dependencies that cargo has unpacked. Beside it, in the same run: one pass
//! of `memchr` for a byte that does not occur, as the cost of touching the memory at all, and a
//! plain search for the same literals with the `aho-corasick` crate.

use lidless_benches::cpu_seconds;
use lidless_token::{AccountSasParameters, KeyRing, read, recognise};
use std::path::{Path, PathBuf};

/// Enough to leave every cache.
const AMOUNT: usize = 256 << 20;

fn collect(folder: &Path, into: &mut Vec<String>, total: &mut usize) {
    let Ok(list) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = list.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if *total >= AMOUNT {
            return;
        }
        if path.is_dir() && !path.is_symlink() {
            collect(&path, into, total);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            *total += text.len();
            into.push(text);
        }
    }
}

fn main() {
    let named = std::env::args().skip(1).find(|word| !word.starts_with('-')).map(PathBuf::from);
    let cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from).unwrap_or_else(|| {
        PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cargo")
    });
    let folder = named.unwrap_or_else(|| cargo.join("registry/src"));
    let (mut texts, mut total) = (Vec::new(), 0);
    collect(&folder, &mut texts, &mut total);
    if total == 0 {
        println!("nothing to read in {}", folder.display());
        return;
    }
    let megabytes = total as f64 / 1e6;
    println!("{} files, {megabytes:.0} MB of {}", texts.len(), folder.display());
    let rate = |name: &str, work: &mut dyn FnMut() -> usize| {
        let before = cpu_seconds();
        let found = work();
        let seconds = cpu_seconds() - before;
        println!("{name:<44} {:>8.0} MB per CPU second, {found} found", megabytes / seconds);
    };
    rate("memchr for a byte that is not there", &mut || {
        texts.iter().filter(|text| memchr::memchr(1, text.as_bytes()).is_some()).count()
    });
    let plain = aho_corasick::AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(["sig=", "signature", "accountkey", "akia", "core.windows.net", "amazonaws.com"])
        .expect("literals");
    rate("aho-corasick, six of the literals", &mut || {
        texts.iter().map(|text| plain.find_iter(text).count()).sum()
    });
    rate("lidless: recognise", &mut || texts.iter().map(|text| recognise(text).len()).sum());
    let clean: Vec<&String> = texts.iter().filter(|text| recognise(text).is_empty()).collect();
    let megabytes = clean.iter().map(|text| text.len()).sum::<usize>() as f64 / 1e6;
    let before = cpu_seconds();
    let found: usize = clean.iter().map(|text| recognise(text).len()).sum();
    println!(
        "{:<44} {:>8.0} MB per CPU second, {found} found in {megabytes:.0} MB",
        "lidless: the files with no credential",
        megabytes / (cpu_seconds() - before)
    );

    let key =
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==";
    let tokens: Vec<String> = (0..100_000)
        .map(|number| {
            let parameters = AccountSasParameters {
                version: "2021-08-06".into(),
                services: "b".into(),
                resource_types: "co".into(),
                permissions: "rl".into(),
                expiry: format!("20{:02}-10-06T07:00:00Z", 30 + number % 60),
                ..AccountSasParameters::default()
            };
            let token = parameters.mint(&format!("contoso{number}"), key).expect("a key");
            format!("https://contoso{number}.blob.core.windows.net/?{token}")
        })
        .collect();
    let (now, keys) = ("2026-11-24T00:00:00Z".parse().expect("a time"), KeyRing::default());
    let before = cpu_seconds();
    let problems: usize = tokens
        .iter()
        .filter_map(|token| read(token))
        .map(|credential| credential.grant(now, &keys).problems.len())
        .sum();
    let seconds = cpu_seconds() - before;
    println!(
        "{:<44} {:>8.0} per CPU second, {problems} problems",
        "lidless: tokens read and judged",
        tokens.len() as f64 / seconds
    );
}
