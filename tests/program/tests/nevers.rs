//! The nevers of the house, checked and not hoped for. See ARCHITECTURE.md.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// The dependencies of a crate, development ones left out, by the short names of the crates.
fn dependencies(manifest: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(manifest).unwrap();
    let mut section = String::new();
    let mut found = BTreeSet::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
        } else if section == "dependencies" || section.ends_with(".dependencies") {
            let name = line.split(['=', '.', ' ']).next().unwrap_or("").trim();
            if !name.is_empty() && !name.starts_with('#') {
                found.insert(name.to_owned());
            }
        }
    }
    found
}

fn crates() -> BTreeMap<String, BTreeSet<String>> {
    std::fs::read_dir(root().join("crates"))
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, dependencies(&path.join("Cargo.toml")))
        })
        .collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Every source file of the product, with its text.
fn product() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    for name in crates().keys() {
        sources(&root().join("crates").join(name).join("src"), &mut files);
    }
    files
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path, text)
        })
        .collect()
}

/// The part of a source file before its tests.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

const STAGES: [&str; 10] = [
    "discover",
    "token",
    "storage",
    "inventory",
    "peel",
    "detect",
    "judge",
    "ledger",
    "report",
    "seal",
];

#[test]
fn no_stage_imports_a_stage() {
    let crates = crates();
    for stage in STAGES {
        for other in STAGES {
            assert!(
                !crates[stage].contains(&format!("lidless-{other}")),
                "{stage} imports {other}: both are stages"
            );
        }
    }
}

#[test]
fn floors_are_only_imported_from_above() {
    let floor = |name: &str| match name {
        "io" => 1,
        "core" | "records" => 2,
        "engine" => 4,
        "replica" => 5,
        "cli" => 6,
        stage if STAGES.contains(&stage) => 3,
        other => panic!("{other} has no floor: say in this test and in ARCHITECTURE.md which"),
    };
    for (name, dependencies) in crates() {
        for dependency in dependencies {
            if let Some(below) = dependency.strip_prefix("lidless-") {
                assert!(floor(below) < floor(&name), "{name} imports {below}, not from above");
            }
        }
    }
}

#[test]
fn libraries_are_named_only_where_they_belong() {
    let only: [(&str, &[&str]); 9] = [
        ("ureq", &["storage"]),
        ("rusqlite", &["ledger"]),
        ("parquet", &["inventory"]),
        ("gix", &["discover", "replica"]),
        ("tokio", &[]),
        ("reqwest", &[]),
        ("hyper", &[]),
        ("clap", &["cli"]),
        ("anyhow", &["cli"]),
    ];
    for (library, homes) in only {
        for (name, dependencies) in crates() {
            assert!(
                !dependencies.contains(library) || homes.contains(&name.as_str()),
                "{name} names {library}"
            );
        }
    }
}

#[test]
fn nothing_but_storage_opens_a_connection() {
    for (path, text) in product() {
        let shown = path.display().to_string();
        // The replica listens on loopback, and connects to itself once, to wake up and stop.
        let own = shown.contains("crates/storage/") || shown.ends_with("replica/src/server.rs");
        let forbidden: &[&str] =
            if own { &[] } else { &["TcpStream::connect", "UdpSocket", "ureq::", "UnixStream"] };
        for word in forbidden {
            assert!(!code(&text).contains(word), "{shown} names {word}");
        }
    }
}

#[test]
fn the_client_has_no_verb_that_writes() {
    let mut files = Vec::new();
    sources(&root().join("crates/storage/src"), &mut files);
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let code = code(&text);
        for verb in [
            "\"PUT\"",
            "\"POST\"",
            "\"DELETE\"",
            "\"PATCH\"",
            "Method::PUT",
            "Method::POST",
            "Method::DELETE",
            "Method::PATCH",
            ".put(",
            ".post(",
            ".delete(",
            ".patch(",
        ] {
            assert!(!code.contains(verb), "{} names {verb}", path.display());
        }
    }
}

#[test]
fn a_client_is_built_with_a_scope() {
    let mut files = Vec::new();
    sources(&root().join("crates/storage/src"), &mut files);
    let text: String = files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    assert!(text.contains("pub fn new(scope: Arc<Scope>"), "Client::new takes the scope first");
    // One place makes the agent, and that place has the scope.
    let makers: Vec<_> = files
        .iter()
        .filter(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            code(&text).contains("ureq::Agent") || code(&text).contains("new_with_config")
        })
        .collect();
    assert_eq!(makers.len(), 1, "{makers:?}");
    assert!(makers[0].ends_with("client.rs"), "{makers:?}");
}

#[test]
fn lib_and_mod_files_define_nothing() {
    for (path, text) in product() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name != "lib.rs" && name != "mod.rs" {
            continue;
        }
        for line in text.lines().map(str::trim_start) {
            for word in ["fn ", "pub fn ", "struct ", "pub struct ", "enum ", "pub enum ", "impl "]
            {
                assert!(!line.starts_with(word), "{} defines something: {line}", path.display());
            }
        }
    }
}

#[test]
fn nothing_is_left_unfinished_or_unsafe() {
    for (path, text) in product() {
        for word in ["todo!(", "unimplemented!(", "dbg!(", "unsafe {", "FIXME"] {
            assert!(!text.contains(word), "{} has {word}", path.display());
        }
    }
}
