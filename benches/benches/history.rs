//! Leads over a git history, in MB/s of inflated blobs, beside `git cat-file` as the floor:
//! decoding alone, by git itself, in the same run. Give the repository:
//! `cargo bench -p lidless-benches --bench history -- /path/to/repository`.

use lidless_benches::{measured, settings};
use lidless_engine::{Progress, Target, scan};
use lidless_ledger::Case;
use std::path::PathBuf;
use std::process::{Command, Stdio};

fn main() {
    let given = std::env::args().skip(1).find(|word| !word.starts_with("--"));
    let path = given.unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/..").to_owned());
    let case = Case::temporary().expect("a case");
    let settings = settings(vec![Target::Path(PathBuf::from(&path))], None);
    let (report, cost) =
        measured(|| scan(&settings, &case, &Progress::default()).expect("the scan runs"));
    let bytes: u64 = report.coverage.iter().map(|one| one.bytes_inspected).sum();
    let megabytes = bytes as f64 / 1e6;
    println!(
        "lidless       {megabytes:.1} MB in {} entries: {:.2} s CPU, {:.2} s wall, {:.1} MB per \
         CPU second, peak {} MB",
        report.run.entries,
        cost.cpu_seconds,
        cost.wall_seconds,
        megabytes / cost.cpu_seconds.max(0.01),
        cost.peak_bytes / 1_000_000
    );
    let started = std::time::Instant::now();
    let floor = Command::new("git")
        .args(["-C", &path, "cat-file", "--batch-all-objects", "--unordered", "--batch"])
        .stdout(Stdio::null())
        .status();
    match floor {
        Ok(status) if status.success() => println!(
            "git cat-file  every object once, decoding alone: {:.2} s wall",
            started.elapsed().as_secs_f64()
        ),
        _ => println!("git cat-file  not run: git is missing or refused"),
    }
}
