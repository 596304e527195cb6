//! Rules of secrets over text: the engine alone, and the program beside Kingfisher over a tree.
//!
//! `cargo bench -p lidless-benches --bench secrets`; by default over `/usr/include` and the
//! sources of the registry. With `LIDLESS_TREE=FOLDER` (a frozen copy of `/usr/share`,
//! `/usr/include` and `/usr/lib/x86_64-linux-gnu`, say) the release program
//! (`target/release/lidless`) and the one of `target/tools/kingfisher` scan that tree; both
//! are measured in the CPU they take, user and system, since machines are shared. Kingfisher is
//! `kingfisher-bin` 2.14.0 of the Python package index, its validation off.

use lidless_benches::{child, kingfisher};
use lidless_detect::{RuleSet, SecretSearch};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Text to search at most, in bytes.
const TEXT: usize = 100 << 20;

fn main() {
    engine();
    start_up();
    if let Some(tree) = std::env::var_os("LIDLESS_TREE") {
        whole_tree(Path::new(&tree));
    } else {
        println!("  LIDLESS_TREE=FOLDER measures the program beside Kingfisher");
    }
}

/// The engine, one thread, three runs; the CPU of the best.
fn engine() {
    let home = std::env::var("HOME").unwrap_or_default();
    let roots = [PathBuf::from(home).join(".cargo/registry/src"), PathBuf::from("/usr/include")];
    let mut texts = Vec::new();
    let mut bytes = 0;
    for root in roots.iter().filter(|root| root.is_dir()) {
        for entry in walkdir::WalkDir::new(root).sort_by_file_name().into_iter().flatten() {
            if bytes >= TEXT || !entry.file_type().is_file() {
                continue;
            }
            if let Ok(text) = std::fs::read_to_string(entry.path()) {
                bytes += text.len();
                texts.push(text);
            }
        }
    }
    let search = SecretSearch::new(&RuleSet::default());
    let rules = RuleSet::default().all().count();
    let mut best = f64::MAX;
    let mut found = 0;
    for _ in 0..4 {
        let from = own_cpu();
        found = texts.iter().map(|text| search.spans(text, "").len()).sum();
        best = best.min(own_cpu() - from);
    }
    let rate = bytes as f64 / best / 1e9;
    println!(
        "  engine     {rules} rules, {:.0} MB of source: {rate:.2} GB/s a thread, {found} found",
        bytes as f64 / 1e6
    );
}

/// CPU seconds of this process so far: its first thread does all the work.
fn own_cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|word| word.parse::<f64>().ok());
    nanoseconds.unwrap_or(0.0) / 1e9
}

fn start_up() {
    let file = std::env::temp_dir().join("lidless-bench-tiny.txt");
    if std::fs::write(&file, "nothing\n").is_err() {
        return;
    }
    for (name, arguments) in peers(&file, true) {
        run(&format!("{name}, one tiny file"), &arguments);
    }
}

fn whole_tree(tree: &Path) {
    for archives in [true, false] {
        for (name, arguments) in peers(tree, archives) {
            let word = if archives { "with archives" } else { "without archives" };
            run(&format!("{name}, {word}"), &arguments);
        }
    }
}

/// The command lines, those of programs that are here.
fn peers(target: &Path, archives: bool) -> Vec<(&'static str, Vec<String>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    let words = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<String>>();
    let target = target.display().to_string();
    let path = |end: &str| root.join(end).display().to_string();
    let lidless = path("release/lidless");
    let kingfisher = kingfisher().unwrap_or_default().display().to_string();
    let depth = if archives { "8" } else { "0" };
    let mut rows = vec![(
        "lidless",
        words(&[&lidless, "scan", &target, "--no-history", "--max-depth", depth, "--quiet"]),
    )];
    let mut peer =
        words(&[&kingfisher, "scan", &target, "--no-validate", "--no-update-check", "-f", "jsonl"]);
    peer.extend(words(&["-j", "2"]));
    if !archives {
        peer.push("--no-extract-archives".to_owned());
    }
    rows.push(("kingfisher", peer));
    rows.retain(|(_, arguments)| Path::new(&arguments[0]).exists());
    rows
}

fn run(name: &str, arguments: &[String]) {
    let mut command = Command::new("/usr/bin/env");
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    match child(&mut command) {
        Ok(cost) => println!(
            "  {name:<34} {:6.2} s user {:6.2} s system {:6.1} s wall {:5} MB, exit {:?}",
            cost.user_seconds,
            cost.system_seconds,
            cost.wall_seconds,
            cost.peak_bytes >> 20,
            cost.code
        ),
        Err(error) => println!("  {name}: {error}"),
    }
}
