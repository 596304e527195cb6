//! Leads over a git history, in MB/s of inflated blobs, beside `git cat-file` as the floor
//! (decoding alone, by git itself) and Kingfisher, each in the same run. Give the repository:
//! `cargo bench -p lidless-benches --bench history -- /path/to/repository`, or by
//! `LIDLESS_HISTORY`; this repository otherwise, which is far too small to say anything.
//!
//! A history of 5.8 GB inflated is a bare mirror of a public repository:
//! `git clone --mirror https://github.com/rails/rails`.
//!
//! Kingfisher 2.14.0 is run when `target/tools/kingfisher` has it, a virtual environment with the
//! package `kingfisher-bin`; validation and updates are off.

use lidless_benches::{kingfisher, measured, settings};
use lidless_engine::{Progress, Target, scan};
use lidless_ledger::Case;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn main() {
    let given = std::env::args().skip(1).find(|word| !word.starts_with("--"));
    let path =
        given.or_else(|| std::env::var("LIDLESS_HISTORY").ok()).unwrap_or_else(|| HERE.to_owned());
    let case = Case::temporary().expect("a case");
    let settings = settings(vec![Target::Path(PathBuf::from(&path))], None);
    let (report, cost) =
        measured(|| scan(&settings, &case, &Progress::default()).expect("the scan runs"));
    let bytes: u64 = report.coverage.iter().map(|one| one.bytes_inspected).sum();
    let megabytes = bytes as f64 / 1e6;
    println!(
        "lidless             {:.1} s CPU, {:.1} s wall, peak {} MB; {megabytes:.0} MB in {} entries, \
         {:.0} MB per CPU second, {} findings",
        cost.cpu_seconds,
        cost.wall_seconds,
        cost.peak_bytes / 1_000_000,
        report.run.entries,
        megabytes / cost.cpu_seconds.max(0.01),
        report.findings.len(),
    );
    let mut floor = Command::new("git");
    floor.args(["-C", &path, "cat-file", "--batch-all-objects", "--unordered", "--batch"]);
    beside("git cat-file", &mut floor);
    let kingfisher = kingfisher().unwrap_or_default();
    for (name, more) in [("kingfisher", None), ("kingfisher --turbo", Some("--turbo"))] {
        let mut command = Command::new(&kingfisher);
        command.args(["scan", &path, "--no-validate", "--no-update-check", "--format", "jsonl"]);
        beside(name, command.args(more));
    }
}

/// Runs another program to its end and says what it cost.
fn beside(name: &str, command: &mut Command) {
    let (before, started) = (children_seconds(), Instant::now());
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let Ok(mut child) = spawned else {
        println!("{name:<19} not run: it is not here");
        return;
    };
    let mut peak = 0;
    let status = loop {
        peak = peak.max(peak_of(child.id()));
        match child.try_wait() {
            Ok(None) => std::thread::sleep(Duration::from_millis(20)),
            Ok(Some(status)) => break status,
            Err(error) => {
                println!("{name:<19} was lost: {error}");
                return;
            }
        }
    };
    println!(
        "{name:<19} {:.1} s CPU, {:.1} s wall, peak {} MB ({status})",
        children_seconds() - before,
        started.elapsed().as_secs_f64(),
        peak / 1_000_000,
    );
}

/// User and system time of children that ended, from `/proc`, in ticks of a hundredth of a second.
fn children_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<f64>().ok());
    (ticks(13).unwrap_or(0.0) + ticks(14).unwrap_or(0.0)) / 100.0
}

/// The most memory a running process held, in bytes.
fn peak_of(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or("");
    line.split_whitespace().nth(1).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0) * 1024
}
