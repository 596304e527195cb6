//! Model files: what is detected, and at what cost, beside other scanners on the same files in
//! the same run.
//!
//! `cargo bench -p lidless-benches --bench models -- MALICIOUS BENIGN`: two folders of files. The
//! first is what `LIDLESS_KEEP_MODELS=FOLDER cargo test -p lidless-detect --test models` writes,
//! the second what `crates/detect/tests/benign/make_benign.py` does. `LIDLESS_PEERS` is a Python
//! that has picklescan, modelscan and fickling; without it lidless runs alone.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A command line of this tool for one path.
type Line<'a> = Box<dyn Fn(&Path) -> Command + 'a>;

fn lidless() -> PathBuf {
    let named = std::env::var_os("LIDLESS").map(PathBuf::from);
    named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/lidless"))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|one| one.path()).collect();
    found.retain(|path| path.is_file());
    found.sort();
    found
}

/// CPU seconds of all children that have ended. Source: proc(5), fields 16 and 17 of `stat`.
fn children_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or("");
    let fields: Vec<f64> = after.split_whitespace().filter_map(|one| one.parse().ok()).collect();
    // Behind the name, the state is no number: field 4 comes first.
    fields.get(12).zip(fields.get(13)).map_or(0.0, |(user, system)| (user + system) / 100.0)
}

fn quiet(command: &mut Command) -> Option<i32> {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?.code()
}

/// How many of the files a tool flags, clears, and cannot read.
fn ours(files: &[PathBuf]) -> [usize; 3] {
    let mut counts = [0; 3];
    for file in files {
        match quiet(Command::new(lidless()).arg("scan").arg(file)) {
            Some(1) => counts[0] += 1,
            Some(0) => counts[1] += 1,
            _ => counts[2] += 1,
        }
    }
    counts
}

fn theirs(python: &Path, tool: &str, files: &[PathBuf]) -> [usize; 3] {
    let list = std::env::temp_dir().join(format!("lidless-peers-{}", std::process::id()));
    let mut out = std::fs::File::create(&list).expect("a list");
    for file in files {
        writeln!(out, "{}", file.display()).expect("a list");
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/models.py");
    let output = Command::new(python).arg(script).arg(tool).arg(&list).output().expect("it runs");
    let _ = std::fs::remove_file(&list);
    let mut counts = [0; 3];
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        match line.split(' ').next() {
            Some("1") => counts[0] += 1,
            Some("0") => counts[1] += 1,
            _ => {}
        }
    }
    // An error, or a process that ended before its list did.
    counts[2] = files.len() - counts[0] - counts[1];
    counts
}

fn detection(malicious: &[PathBuf], benign: &[PathBuf], python: Option<&Path>) {
    println!("{} malicious files, {} benign ones", malicious.len(), benign.len());
    println!("{:<12} {:>10} {:>8} {:>8} {:>16}", "", "detected", "missed", "error", "false alarms");
    let row = |tool: &str, bad: [usize; 3], good: [usize; 3]| {
        let part = 100.0 * bad[0] as f64 / malicious.len().max(1) as f64;
        println!(
            "{tool:<12} {:>5} {part:>3.0}% {:>8} {:>8} {:>16}",
            bad[0], bad[1], bad[2], good[0]
        );
    };
    row("lidless", ours(malicious), ours(benign));
    for tool in ["picklescan", "modelscan", "fickling"] {
        if let Some(python) = python {
            row(tool, theirs(python, tool, malicious), theirs(python, tool, benign));
        }
    }
}

/// A torch checkpoint of one gigabyte: a small pickle, and numbers that nobody has to read.
fn checkpoint(path: &Path) {
    let pickle = b"\x80\x02ccollections\nOrderedDict\n)R.";
    let tensors = 20u32;
    let size = 50_000_000u32;
    let mut out = std::io::BufWriter::new(std::fs::File::create(path).expect("a file"));
    let mut directory = Vec::new();
    let mut at = 0u32;
    let mut member = |name: String, length: u32, crc: u32, content: Option<&[u8]>| {
        let sizes = [crc.to_le_bytes(), length.to_le_bytes(), length.to_le_bytes()].concat();
        let name_length = (name.len() as u16).to_le_bytes();
        let head = [&b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0"[..], &sizes, &name_length, &[0, 0]];
        let head = [head.concat(), name.clone().into_bytes()].concat();
        out.write_all(&head).expect("room");
        match content {
            Some(content) => out.write_all(content).expect("room"),
            None => {
                let part = vec![0x3f; 1 << 20];
                let mut left = length as usize;
                while left > 0 {
                    let now = left.min(part.len());
                    out.write_all(&part[..now]).expect("room");
                    left -= now;
                }
            }
        }
        let line = [&b"PK\x01\x02\x14\0\x14\0\0\0\0\0\0\0\0\0"[..], &sizes, &name_length];
        directory.extend([line.concat(), vec![0; 12], at.to_le_bytes().to_vec()].concat());
        directory.extend(name.into_bytes());
        at += head.len() as u32 + length;
    };
    let mut crc = flate2::Crc::new();
    crc.update(pickle);
    member("net/data.pkl".into(), pickle.len() as u32, crc.sum(), Some(pickle));
    for number in 0..tensors {
        member(format!("net/data/{number}"), size, 0, None);
    }
    let count = (tensors as u16 + 1).to_le_bytes();
    let length = (directory.len() as u32).to_le_bytes();
    let end = [&b"PK\x05\x06\0\0\0\0"[..], &count, &count, &length, &at.to_le_bytes(), &[0, 0]];
    out.write_all(&directory).expect("room");
    out.write_all(&end.concat()).expect("room");
}

fn speed(python: Option<&Path>) {
    let folder = std::env::temp_dir().join(format!("lidless-models-{}", std::process::id()));
    let small = folder.join("small");
    std::fs::create_dir_all(&small).expect("a folder");
    // The settings of a training run: a dictionary of a hundred numbers by name.
    for number in 0..2_000u32 {
        let mut bytes = b"\x80\x02}q\x00(".to_vec();
        for entry in 0..100u8 {
            let name = format!("setting_{number:04}_{entry:02}");
            bytes.extend([&b"X\x0f\0\0\0"[..], name.as_bytes(), b"q", &[entry + 1]].concat());
            bytes.extend([b'K', entry]);
        }
        bytes.extend(b"u.");
        std::fs::write(small.join(format!("{number}.pkl")), bytes).expect("a file");
    }
    let large = folder.join("net.pt");
    checkpoint(&large);
    let long = folder.join("long.pkl");
    let mut stream = b"\x80\x02](".to_vec();
    stream.extend(b"K\x01".repeat(2_999_996));
    stream.extend(b"e.");
    std::fs::write(&long, stream).expect("a file");
    println!(
        "\n{:<12} {:>16} {:>22} {:>24}",
        "CPU seconds", "1 GB torch zip", "2,000 small pickles", "3 million opcodes"
    );
    let mut tools: Vec<(&str, Line<'_>)> = vec![(
        "lidless",
        Box::new(|path| {
            let mut command = Command::new(lidless());
            command.arg("scan").arg(path);
            command
        }),
    )];
    if let Some(bin) = python.and_then(Path::parent) {
        tools.push((
            "picklescan",
            Box::new(move |path| {
                let mut command = Command::new(bin.join("picklescan"));
                command.arg("-p").arg(path);
                command
            }),
        ));
        tools.push((
            "modelscan",
            Box::new(move |path| {
                let mut command = Command::new(bin.join("modelscan"));
                command.arg("-p").arg(path);
                command
            }),
        ));
    }
    for (name, line) in tools {
        let cost = |path: &Path| {
            let before = children_seconds();
            quiet(&mut line(path));
            children_seconds() - before
        };
        println!("{name:<12} {:>16.2} {:>22.2} {:>24.2}", cost(&large), cost(&small), cost(&long));
    }
    let _ = std::fs::remove_dir_all(&folder);
}

fn main() {
    let python = std::env::var_os("LIDLESS_PEERS").map(PathBuf::from);
    let folders: Vec<PathBuf> =
        std::env::args().skip(1).filter(|word| !word.starts_with('-')).map(PathBuf::from).collect();
    if let [malicious, benign] = folders.as_slice() {
        detection(&files(malicious), &files(benign), python.as_deref());
    }
    speed(python.as_deref());
}
