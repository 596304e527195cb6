//! Archives that are walked front to back: tar, cpio, ar, Debian and RPM packages, and the
//! streams they come in.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

mod suite;

use lidless_core::{Interest, Limits};
use lidless_kit::fixture;
use std::collections::BTreeMap;
use std::process::Command;
use suite::{Inside, Open, open, open_fixture};

fn sample(path: &str) -> Option<Vec<u8>> {
    Some(std::fs::read(fixture(path)?).unwrap())
}

/// The lines a tool prints.
fn lines(tool: &str, arguments: &[&str]) -> Vec<String> {
    let output = Command::new(tool).args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

fn names(inside: &Inside) -> Vec<String> {
    let mut names: Vec<String> = inside.entries.iter().map(|(name, _)| name.clone()).collect();
    names.sort();
    names
}

/// Every file of the fixture tree that lies below one of `roots`.
fn assert_part(inside: &Inside, prefix: &str, roots: &[&str]) {
    let mut count = 0;
    for (path, content) in lidless_kit::tree().unwrap() {
        if !roots.iter().any(|root| path.starts_with(root)) {
            continue;
        }
        count += 1;
        let place = format!("{prefix}{path}");
        let found = inside.entries.iter().find(|(known, _)| *known == place);
        let (_, bytes) = found.unwrap_or_else(|| panic!("{place} is missing: {:?}", inside.gaps));
        assert!(*bytes == content, "{place}: another content");
    }
    assert!(count > 3);
}

const ROOTS: [&str; 5] = [
    "Users/alice/.ssh/",
    "Users/alice/Documents/",
    "home/",
    "many/",
    "Users/alice/Pictures/text.log",
];

#[test]
fn every_format_of_tar_gives_every_file() {
    for format in ["v7", "oldgnu", "gnu", "ustar", "posix"] {
        let Some(inside) = open_fixture(&format!("tape/{format}.tar")) else { return };
        assert!(inside.gaps.is_empty(), "{format}: {:?}", inside.gaps);
        let roots = if matches!(format, "v7" | "ustar") { &ROOTS[2..4] } else { &ROOTS[..] };
        assert_part(&inside, "", roots);
        // The whole listing, as GNU tar reads it; folders are not handed out.
        let path = fixture(&format!("tape/{format}.tar")).unwrap();
        let mut listed = lines("tar", &["--quoting-style=literal", "-tf", path.to_str().unwrap()]);
        listed.retain(|name| !name.ends_with('/'));
        listed.sort();
        assert_eq!(names(&inside), listed, "{format}");
    }
}

#[test]
fn small_members_are_read_ahead_and_large_ones_passed_over() {
    let Some(inside) = open_fixture("tape/gnu.tar") else { return };
    // The suite reads every content: 300 small files come in few requests.
    assert!(inside.requests < 20, "{} requests, {} bytes", inside.requests, inside.bytes);
    let mut tar = Vec::new();
    for number in 0..1000 {
        tar.extend(header(&format!("picture{number}.jpg"), 300 << 10));
        tar.resize(tar.len() + (300 << 10), 7);
    }
    tar.extend(header("note.txt", 4));
    tar.extend(b"note");
    tar.resize(tar.len() + 508 + 1024, 0);
    let interests = (0..1000).map(|n| (format!("picture{n}.jpg"), Interest::None)).collect();
    let inside = Open { interests, ..Open::default() }.bytes("pictures.tar", &tar);
    assert_eq!((inside.inert.len(), inside.entries.len()), (1000, 1));
    assert!(inside.bytes < 5 << 20, "{} bytes", inside.bytes);
    assert!(inside.requests < 1010, "{} requests", inside.requests);
}

fn header(name: &str, size: usize) -> Vec<u8> {
    let mut block = vec![0u8; 512];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
    block[156] = b'0';
    block[257..263].copy_from_slice(b"ustar\0");
    block[148..156].copy_from_slice(b"        ");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    block
}

#[test]
fn sparse_members_are_put_together_again() {
    for version in ["gnu", "0.0", "0.1", "1.0"] {
        let Some(inside) = open_fixture(&format!("tape/sparse-{version}.tar")) else { return };
        assert!(inside.gaps.is_empty(), "{version}: {:?}", inside.gaps);
        assert_eq!(names(&inside), ["./one", "./sparse.bin"], "{version}: links have no content");
        let bytes = inside.at("sparse.bin").unwrap();
        let mut expected = vec![0u8; 9 << 20];
        expected[..5].copy_from_slice(b"begin");
        expected[5_000_000..5_000_006].copy_from_slice(b"middle");
        assert!(bytes == expected, "{version}: {} bytes", bytes.len());
        assert_eq!(inside.at("one").unwrap(), b"linked");
    }
}

#[test]
fn an_archive_behind_another_is_read_too() {
    let Some(inside) = open_fixture("tape/two.tar") else { return };
    assert!(inside.at("home/bob/.git-credentials").is_some());
    assert!(inside.at("./one").is_some(), "{:?}", inside.gaps);
    let mut behind = header("a", 1);
    behind.extend(b"1");
    behind.resize(1024 + 1024, 0);
    behind.extend(b"something else entirely");
    behind.resize(4096, 1);
    let inside = open("x.tar", &behind);
    assert_eq!(inside.entries.len(), 1);
    assert!(inside.has_gap("behind the end of a tar archive"));
}

#[test]
fn every_format_of_cpio_gives_every_file() {
    for format in ["newc", "crc", "odc", "little", "big"] {
        let Some(inside) = open_fixture(&format!("tape/{format}.cpio")) else { return };
        assert_eq!(inside.peeler, Some("cpio"), "{format}");
        assert!(inside.gaps.is_empty(), "{format}: {:?}", inside.gaps);
        let path = fixture(&format!("tape/{format}.cpio")).unwrap();
        let script = format!("cpio -it --quiet < {}", path.display());
        let mut listed = lines("sh", &["-c", &script]);
        // Without folders, which cpio lists like files.
        let files: Vec<String> = lidless_kit::tree().unwrap().into_iter().map(|f| f.0).collect();
        listed.retain(|name| files.contains(name));
        listed.sort();
        assert_eq!(names(&inside), listed, "{format}");
        for (path, content) in lidless_kit::tree().unwrap() {
            if listed.contains(&path) {
                let found = inside.entries.iter().find(|one| one.0 == path).unwrap();
                assert!(found.1 == content, "{format}: {path}");
            }
        }
        assert!(inside.requests < 20, "{format}: {} requests", inside.requests);
    }
}

#[test]
fn what_lies_behind_a_cpio_archive_is_opened() {
    let Some(path) = fixture("tape/initrd.img") else { return };
    let inside = Open { deep: true, ..Open::default() }.artifact(&suite::artifact(&path));
    assert_eq!(inside.at("two").or(inside.at("one")).unwrap(), b"linked");
    assert!(inside.inert.iter().any(|name| name.ends_with("one") || name.ends_with("two")));
    assert!(inside.at("home/bob/.git-credentials").is_some(), "{:?}", names(&inside));
}

#[test]
fn libraries_and_debian_packages_are_opened() {
    let Some(inside) = open_fixture("tape/gnu.a") else { return };
    let names = names(&inside);
    assert_eq!(names, ["a-name-that-is-longer-than-sixteen-characters.txt", "short"]);
    assert!(open_fixture("tape/thin.a").unwrap().has_gap("a thin ar archive"));
    for coding in ["gzip", "xz", "zstd", "none"] {
        let path = fixture(&format!("tape/{coding}.deb")).unwrap();
        let inside = Open { deep: true, ..Open::default() }.artifact(&suite::artifact(&path));
        assert!(inside.gaps.is_empty(), "{coding}: {:?}", inside.gaps);
        let found = inside.at("opt/tool/.git-credentials").unwrap();
        assert!(found.starts_with(b"https://bob:"), "{coding}");
        assert!(inside.at("postinst").unwrap().ends_with(b"TOKEN=made-up\n"));
    }
    // BSD names stand in front of the content.
    let mut bsd = b"!<arch>\n".to_vec();
    bsd.extend(format!("{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", "#1/20", 0, 0, 0, 644, 23).bytes());
    bsd.extend(b"a long name.txt\0\0\0\0\0abc\n");
    let inside = open("x.a", &bsd);
    assert_eq!(inside.entries, [("a long name.txt".to_owned(), b"abc".to_vec())]);
}

#[test]
fn rpm_packages_of_every_payload_are_opened() {
    for payload in ["w9.gzdio", "w9.bzdio", "w6.xzdio", "w6.lzdio", "w3.zstdio", "w.ufdio"] {
        let Some(path) = fixture(&format!("tape/{payload}.rpm")) else { return };
        let inside = suite::Open::default().artifact(&suite::artifact(&path));
        assert!(inside.gaps.is_empty(), "{payload}: {:?}", inside.gaps);
        assert!(inside.at("[scripts]/postin").unwrap().starts_with(b"export TOKEN="));
        let script = format!("rpm2cpio {} | cpio -it --quiet", path.display());
        let listed = lines("sh", &["-c", &script]);
        let mut own: Vec<String> =
            names(&inside).into_iter().filter(|name| !name.starts_with('[')).collect();
        own.sort();
        let mut listed: Vec<String> =
            listed.into_iter().filter(|name| name != "./opt/many").collect();
        listed.sort();
        assert_eq!(own, listed, "{payload}");
        for (path, content) in lidless_kit::tree().unwrap() {
            if path.starts_with("many/") {
                assert_eq!(inside.at(&format!("opt/{path}")).unwrap(), content);
            }
        }
        assert!(inside.requests < 12, "{payload}: {}", inside.requests);
    }
}

#[test]
fn streams_of_every_coding_hold_the_same_archive() {
    for end in ["gz", "bz2", "xz", "lz", "Z", "zst", "lzo"] {
        let Some(path) = fixture(&format!("tape/stream.cpio.{end}")) else { return };
        let inside = Open { deep: true, ..Open::default() }.artifact(&suite::artifact(&path));
        assert!(inside.gaps.is_empty(), "{end}: {:?}", inside.gaps);
        assert_part(&inside, "stream.cpio!/", &ROOTS);
    }
    let text = lidless_kit::tree().unwrap();
    let text = &text.iter().find(|(path, _)| path.ends_with("text.log")).unwrap().1;
    assert!(open_fixture("tape/text.log.Z").unwrap().at("text.log").unwrap() == text);
    // Too short to be compressed: a stored block.
    let short = open_fixture("tape/short.lzo").unwrap();
    assert!(short.at("short").unwrap().starts_with(b"https://bob:"));
    assert!(open_fixture("tape/best.lzo").unwrap().at("best").unwrap() == text);
}

#[test]
fn a_large_archive_in_a_stream_is_read_while_it_is_unpacked() {
    let Some(inside) = open_fixture("tape/large.tar.gz") else { return };
    assert!(inside.gaps.is_empty(), "{:?}", inside.gaps);
    // Small enough to be held: the tar is an entry of its own.
    assert_eq!(names(&inside), ["large.tar"]);
    let mut tar = Vec::new();
    for number in 0..40 {
        tar.extend(header(&format!("part{number}.bin"), 1 << 20));
        tar.resize(tar.len() + (1 << 20), number);
    }
    tar.extend(header("note.txt", 4));
    tar.extend(b"note");
    tar.resize(tar.len() + 508 + 1024, 0);
    let packed = gzip(&tar);
    let interests: BTreeMap<String, Interest> =
        (0..40).filter(|n| *n != 7).map(|n| (format!("part{n}.bin"), Interest::None)).collect();
    let inside = Open { interests, ..Open::default() }.bytes("backup.tgz", &packed);
    assert!(inside.gaps.is_empty(), "{:?}", inside.gaps);
    assert_eq!(names(&inside), ["backup.tar!/note.txt", "backup.tar!/part7.bin"]);
    assert_eq!(inside.at("part7.bin").map_or(0, <[u8]>::len), 1 << 20);
    assert_eq!(inside.inert.len(), 40, "39 and the archive itself");
    // A limit is said with how many bytes were not reached; what came before stays.
    let limits = Limits { expansion_bytes: 20 << 20, expansion_ratio: 1, ..Limits::default() };
    let inside = Open { limits, ..Open::default() }.bytes("backup.tgz", &packed);
    assert!(inside.has_gap("a gzip stream that expands past the limit"), "{:?}", inside.gaps);
    assert!(inside.entries.len() > 15, "{}", inside.entries.len());
    let cut = &packed[..packed.len() / 2];
    let inside = Open::default().bytes("backup.tgz", cut);
    assert!(inside.has_gap("a gzip stream that breaks off"), "{:?}", inside.gaps);
    assert!(inside.entries.len() > 10);
}

fn gzip(content: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn cut_and_changed_archives_cost_little() {
    for (path, length) in [
        ("sparse-1.0.tar", 2560),
        ("sparse-0.1.tar", 2560),
        ("sparse-gnu.tar", 1536),
        ("links.cpio", 600),
        ("little.cpio", 500),
        ("gnu.a", 372),
        ("gzip.deb", 300),
        ("text.log.Z", 700),
        ("stream.cpio.lz", 600),
        ("stream.cpio.lzo", 600),
    ] {
        let Some(sample) = sample(&format!("tape/{path}")) else { return };
        let length = length.min(sample.len());
        suite::torture_at(path, &sample[..length], &[0..length / 2, length / 2..length], 20);
    }
    let rpm = sample("tape/w9.gzdio.rpm").unwrap();
    suite::torture_at("x.rpm", &rpm, &[0..400, 4000..4400], 60);
}
