//! Disks of 100 GiB with 200,000 files, behind HTTP with 20 ms before each answer: known places,
//! every name, all that may matter. Beside them `fls -r` of the same disk on this machine.
//!
//! `benches/images/make.sh` makes the disks; LIDLESS_BENCH_IMAGES names their folder. Each line
//! is a process of its own, so that its peak of memory is its own.

use lidless_benches::{measured, settings};
use lidless_core::{ImageReach, Timestamp};
use lidless_engine::{Progress, Target, scan};
use lidless_io::{FileBytes, ReadAt as _};
use lidless_ledger::Case;
use lidless_replica::{Blob, Container, Contents, Replica, Source, incident};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const DELAY: Duration = Duration::from_millis(20);
const DISK: f64 = 107_374_182_400.0;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|one| one != "--bench").collect();
    if let [file, reach] = arguments.as_slice() {
        return one(Path::new(file), reach);
    }
    let folder = std::env::var_os("LIDLESS_BENCH_IMAGES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench-images"),
        PathBuf::from,
    );
    println!("image       reach    requests        bytes  % of disk    wall s   CPU s   peak MB");
    for (name, raw) in
        [("ntfs.vhdx", Some("ntfs.raw")), ("ext4.vhd", Some("ext4.raw")), ("members.zip", None)]
    {
        let file = folder.join(name);
        if !file.exists() {
            println!("{name:<11} not there: run benches/images/make.sh");
            continue;
        }
        let reaches: &[&str] = if raw.is_some() { &["known", "names", "all"] } else { &["all"] };
        for reach in reaches {
            let own = std::env::current_exe().expect("the benchmark's own path");
            let status = Command::new(own).arg(&file).arg(reach).status();
            assert!(status.is_ok_and(|status| status.success()), "{name} {reach}");
        }
        if let Some(raw) = raw.map(|raw| folder.join(raw)).filter(|raw| raw.exists()) {
            peer(name, &raw);
        }
    }
}

fn one(file: &Path, reach: &str) {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let account = incident::account();
    let bytes = FileBytes::open(file).expect("the image");
    let size = bytes.len();
    let modified: Timestamp = "2023-01-01T00:00:00Z".parse().expect("a time");
    let blob = Blob::new(name.clone(), modified, Source::file(bytes));
    let contents = Contents::new(vec![Container::new("backups", modified, vec![blob])]);
    let folder = std::env::temp_dir().join(format!("lidless-bench-{}", std::process::id()));
    incident::repository(&folder, &account).expect("a repository");
    let replica = Replica::start_far(account, contents, Timestamp::now, DELAY).expect("it starts");
    let case = Case::temporary().expect("a case");
    let mut settings = settings(vec![Target::Path(folder.clone())], Some(replica.url()));
    settings.limits.image_reach = match reach {
        "known" => ImageReach::Known,
        "names" => ImageReach::Names,
        _ => ImageReach::All,
    };
    let (report, cost) =
        measured(|| scan(&settings, &case, &Progress::default()).expect("the scan runs"));
    let _ = std::fs::remove_dir_all(&folder);
    let containers = case.containers().expect("its containers");
    let read: u64 = containers.iter().map(|one| one.bytes_read).sum();
    let requests: u64 = containers.iter().map(|one| one.requests).sum();
    let base = if name.ends_with("zip") { size.to_string().parse().unwrap_or(1.0) } else { DISK };
    let share = 100.0 * read.to_string().parse::<f64>().unwrap_or(0.0) / base;
    println!(
        "{name:<11} {reach:<7} {requests:>9} {read:>12} {share:>10.4} {:>9.2} {:>7.2} {:>9}",
        cost.wall_seconds,
        cost.cpu_seconds,
        cost.peak_bytes >> 20
    );
    for finding in report.findings.iter().filter(|one| one.location.contains(&name)).take(12) {
        println!("            {:<32} {}", finding.rule, finding.location);
    }
    for gap in report.gaps.iter().take(6) {
        println!("            gap: {} ({})", gap.reason, gap.location);
    }
    let entries = report.run.entries;
    println!(
        "            {} findings, {entries} entries, {} gaps",
        report.findings.len(),
        report.gaps.len()
    );
}

/// `fls -r -p` over the raw disk, on this machine.
fn peer(name: &str, raw: &Path) {
    let started = Instant::now();
    let output = Command::new("bash")
        .arg("-c")
        .arg("{ time fls -r -p -o 239616 \"$0\" | wc -l; } 2>&1")
        .arg(raw)
        .output();
    let Ok(output) = output else { return };
    let text =
        String::from_utf8_lossy(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    println!(
        "{name:<11} fls -r  (lines, real, user, sys) {text}; {:.1} s",
        started.elapsed().as_secs_f64()
    );
}
