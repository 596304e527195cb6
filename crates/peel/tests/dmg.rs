//! Disk images of Apple's systems, and forensic images, around a volume whose files are known.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

mod suite;

use std::process::Command;
use suite::{Inside, Open, open, open_fixture, torture_at};

fn assert_volume(name: &str, peeler: &str) -> Option<Inside> {
    let inside = open_fixture(&format!("dmg/{name}"))?;
    assert_eq!(inside.peeler, Some(peeler), "{name}");
    assert_eq!(inside.gaps, [], "{name}");
    inside.assert_tree("");
    assert!(inside.at("extra/fragments.bin").unwrap().len() == 130_000, "{name}");
    eprintln!("{name}: {} reads, {} bytes", inside.requests, inside.bytes);
    Some(inside)
}

#[test]
fn every_compression_gives_every_file() {
    for form in ["zlib", "bzip2", "xz", "adc", "mixed", "old"] {
        let Some(inside) = assert_volume(&format!("{form}.dmg"), "DMG") else { return };
        // Images like these are what software is handed out in: no finding by themselves.
        assert!(inside.findings.is_empty());
        // 3 to 5 MB, most of it wanted; a chunk is read once.
        assert!(inside.requests < 60, "{form}: {} reads", inside.requests);
        assert!(inside.bytes < 8 << 20, "{form}: {} bytes", inside.bytes);
    }
}

#[test]
fn another_tool_unpacks_the_same_disk() {
    let Some(raw) = lidless_kit::fixture("dmg/volume.raw") else { return };
    let raw = std::fs::read(raw).unwrap();
    for form in ["zlib", "bzip2", "xz", "adc", "mixed", "old"] {
        let image = lidless_kit::fixture(&format!("dmg/{form}.dmg")).unwrap();
        let tested = Command::new("7zz").arg("t").arg(&image).output().unwrap();
        let said = String::from_utf8_lossy(&tested.stdout).into_owned();
        assert!(said.contains("Everything is Ok"), "{form}: {said}");
        let parts: Vec<u8> = ["0.part 0", "1.part 1"]
            .iter()
            .flat_map(|part| {
                // The maps of resource forks have no names.
                let part = if form == "old" { part.get(..1).unwrap() } else { part };
                let read = Command::new("7zz").args(["x", "-so"]).arg(&image).arg(part).output();
                read.unwrap().stdout
            })
            .collect();
        assert!(parts == raw, "{form}: another disk of {} bytes", parts.len());
    }
}

#[test]
fn sparse_images_give_every_file() {
    assert_volume("volume.sparseimage", "sparse image");
    assert_volume("long.sparseimage", "sparse image");
}

#[test]
fn sparse_bundles_give_every_file_and_their_bands_are_parts() {
    let Some(inside) = assert_volume("volume.sparsebundle/Info.plist", "sparse bundle") else {
        return;
    };
    assert_eq!(inside.findings[0].detail["band_bytes"], 1 << 20);
    for part in ["bands/0", "bands/1", "Info.bckup", "token"] {
        let inside = open_fixture(&format!("dmg/volume.sparsebundle/{part}")).unwrap();
        assert!(inside.entries.is_empty() && inside.gaps.is_empty(), "{part}");
        assert!(inside.findings.is_empty(), "{part}");
    }
}

#[test]
fn a_band_without_its_bundle_is_said() {
    let Some(band) = lidless_kit::fixture("dmg/volume.sparsebundle/bands/0") else { return };
    let folder = tempfile::tempdir().unwrap();
    let bands = folder.path().join("x.sparsebundle/bands");
    std::fs::create_dir_all(&bands).unwrap();
    std::fs::copy(band, bands.join("0")).unwrap();
    let inside = Open::default().artifact(&suite::artifact(&bands.join("0")));
    assert!(inside.has_gap("a band of a sparse bundle whose Info.plist is missing"));
}

#[test]
fn an_encrypted_bundle_is_told() {
    let Some(list) = lidless_kit::fixture("dmg/volume.sparsebundle/Info.plist") else { return };
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("x.sparsebundle");
    std::fs::create_dir_all(bundle.join("bands")).unwrap();
    std::fs::copy(list, bundle.join("Info.plist")).unwrap();
    std::fs::write(bundle.join("token"), b"encrcdsa\0\0\0\x02").unwrap();
    let inside = Open::default().artifact(&suite::artifact(&bundle.join("Info.plist")));
    assert!(inside.has_gap("a sparse bundle encrypted with AES (Apple)"));
    assert_eq!(inside.findings.len(), 1);
}

#[test]
fn encrypted_and_segmented_images_are_told() {
    let mut second = b"encrcdsa\0\0\0\x02".to_vec();
    second.resize(70_000, 7);
    let mut first = vec![9; 70_000];
    first.extend_from_slice(b"cdsaencr");
    for bytes in [&second, &first] {
        let inside = open("secret.dmg", bytes);
        assert!(inside.has_gap("a disk image encrypted with AES (Apple)"));
        assert_eq!(inside.findings[0].rule, "backup.disk_image");
    }
    let Some(path) = lidless_kit::fixture("dmg/small.dmg") else { return };
    let mut image = std::fs::read(path).unwrap();
    let end = image.len() - 512;
    image[end + 60..end + 64].copy_from_slice(&3u32.to_be_bytes());
    let inside = open("parts.dmg", &image);
    assert!(inside.has_gap("a disk image in several segments (.dmgpart), not looked into"));
}

#[test]
fn forensic_images_that_are_not_read_are_told() {
    for (magic, words) in [
        (&b"EVF2\x0d\x0a\x81\x00"[..], "an Ex01 image (EnCase 7), not looked into"),
        (b"LVF\x09\x0d\x0a\xff\x00", "an L01 image of files (EnCase), not looked into"),
        (b"LEF2\x0d\x0a\x81\x00", "an Lx01 image of files (EnCase 7), not looked into"),
        (b"ADSEGMENTEDFILE\0", "an AD1 image of files (FTK), not looked into"),
        (b"ADCRYPT\0", "an image encrypted by FTK Imager (AD encryption)"),
        (b"AFF10\x0d\x0a\0", "an AFF image, not looked into"),
        (
            b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\x0a\0\0\0\x0a\0\0\0\x15\0\0\0\
              container.descriptionaff4://123",
            "an AFF4 image, not looked into",
        ),
    ] {
        let mut image = magic.to_vec();
        image.resize(5000, 0);
        let inside = open("case.bin", &image);
        assert!(inside.has_gap(words), "{words}: {:?}", inside.gaps);
        assert_eq!(inside.findings[0].rule, "backup.disk_image", "{words}");
    }
}

#[test]
fn an_e01_image_gives_every_file_of_its_disk() {
    let Some(inside) = assert_volume("volume.E01", "E01") else { return };
    assert_eq!(inside.findings[0].detail["segments"], 4);
    // The other segments are not counted here: see the tests of the format itself.
    assert!(inside.requests < 40, "{} reads", inside.requests);
    let later = open_fixture("dmg/volume.E02").unwrap();
    assert_eq!(later.peeler, Some("E01"));
    assert!(later.gaps.is_empty() && later.findings.is_empty());
}

#[test]
fn a_damaged_chunk_spoils_its_own_files_only() {
    let Some(path) = lidless_kit::fixture("dmg/zlib.dmg") else { return };
    let mut image = std::fs::read(path).unwrap();
    // In the middle of the noise.
    image[1_500_000..1_500_100].fill(0);
    let inside = open("disk.dmg", &image);
    let key = inside.at("Users/alice/.ssh/id_ed25519");
    assert!(key.is_some_and(|key| key.starts_with(b"-----BEGIN")));
    assert!(inside.at("home/bob/.git-credentials").is_some());
}

#[test]
fn a_block_map_that_claims_everything_costs_little() {
    let Some(path) = lidless_kit::fixture("dmg/volume.raw") else { return };
    let raw = std::fs::read(path).unwrap();
    // A raw disk with a trailer whose list is as long as it can be, or lies outside.
    let mut image = raw[..1 << 20].to_vec();
    let mut trailer = vec![0u8; 512];
    trailer[..4].copy_from_slice(b"koly");
    trailer[8..12].copy_from_slice(&512u32.to_be_bytes());
    trailer[216..224].copy_from_slice(&(1u64 << 60).to_be_bytes());
    trailer[224..232].copy_from_slice(&(1u64 << 62).to_be_bytes());
    image.extend_from_slice(&trailer);
    let inside = open("disk.dmg", &image);
    assert!(inside.requests < 10 && !inside.gaps.is_empty());
    let end = image.len() - 512;
    image[end + 224..end + 232].copy_from_slice(&5000u64.to_be_bytes());
    let inside = open("disk.dmg", &image);
    assert!(inside.requests < 10 && !inside.gaps.is_empty());
    // Read and write: the data fork is the disk.
    let mut image = raw;
    let length = image.len() as u64;
    trailer[216..232].fill(0);
    trailer[32..40].copy_from_slice(&length.to_be_bytes());
    image.extend_from_slice(&trailer);
    let inside = open("disk.dmg", &image);
    assert_eq!(inside.peeler, Some("DMG"));
    assert!(inside.at("home/bob/.git-credentials").is_some());
}

/// A UDIF image in LZFSE, for which there is no tool: chunks that another encoder made.
fn in_lzfse(raw: &[u8]) -> Vec<u8> {
    const CHUNK: usize = 128 << 10;
    let (mut fork, mut runs) = (Vec::new(), Vec::new());
    let mut run = |form: u32, at: usize, length: usize, offset: usize, stored: usize| {
        runs.extend_from_slice(&form.to_be_bytes());
        runs.extend_from_slice(&[0; 4]);
        for number in [at / 512, length / 512, offset, stored] {
            runs.extend_from_slice(&(number as u64).to_be_bytes());
        }
    };
    for (index, chunk) in raw.chunks(CHUNK).enumerate() {
        let offset = fork.len();
        lzfse_rust::encode_bytes(chunk, &mut fork).unwrap();
        run(0x8000_0007, index * CHUNK, chunk.len(), offset, fork.len() - offset);
    }
    run(u32::MAX, raw.len(), 0, fork.len(), 0);
    let mut map = vec![0u8; 204];
    map[..4].copy_from_slice(b"mish");
    map[7] = 1;
    map[16..24].copy_from_slice(&(raw.len() as u64 / 512).to_be_bytes());
    map[200..204].copy_from_slice(&(runs.len() as u32 / 40).to_be_bytes());
    map.extend_from_slice(&runs);
    let map = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, map);
    let list = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\">\n<dict>\n\
         <key>resource-fork</key>\n<dict>\n<key>blkx</key>\n<array>\n<dict>\n\
         <key>Data</key>\n<data>\n{map}\n</data>\n<key>ID</key>\n<string>0</string>\n\
         <key>Name</key>\n<string>whole</string>\n</dict>\n</array>\n</dict>\n</dict>\n</plist>\n"
    );
    let mut trailer = vec![0u8; 512];
    trailer[..12].copy_from_slice(b"koly\0\0\0\x04\0\0\x02\0");
    trailer[32..40].copy_from_slice(&(fork.len() as u64).to_be_bytes());
    trailer[60..64].copy_from_slice(&1u32.to_be_bytes());
    trailer[216..224].copy_from_slice(&(fork.len() as u64).to_be_bytes());
    trailer[224..232].copy_from_slice(&(list.len() as u64).to_be_bytes());
    trailer[492..500].copy_from_slice(&(raw.len() as u64 / 512).to_be_bytes());
    fork.extend_from_slice(list.as_bytes());
    fork.extend_from_slice(&trailer);
    fork
}

#[test]
fn an_image_in_lzfse_gives_every_file_as_another_tool_does() {
    let Some(path) = lidless_kit::fixture("dmg/small.raw") else { return };
    let raw = std::fs::read(path).unwrap();
    let image = in_lzfse(&raw);
    let inside = open("disk.dmg", &image);
    assert_eq!((inside.peeler, inside.gaps.len()), (Some("DMG"), 0));
    let fragments: Vec<u8> = (0..130_000u32).map(|n| (n * 7 % 251) as u8).collect();
    assert!(inside.at("extra/fragments.bin").unwrap() == fragments);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk.dmg");
    std::fs::write(&path, &image).unwrap();
    // As an image alone: it would go on into the volume.
    let read = Command::new("7zz").args(["x", "-so", "-tdmg"]).arg(&path).output().unwrap();
    assert!(read.stdout == raw);
}

#[test]
fn cut_and_changed_images_are_survived() {
    let Some(path) = lidless_kit::fixture("dmg/small.dmg") else { return };
    let image = std::fs::read(path).unwrap();
    let list = image.len() - 512 - 3000;
    let end = image.len();
    torture_at("small.dmg", &image, &[0..2000, list..end - 512, end - 512..end], 40);
}

#[test]
fn cut_and_changed_sparse_images_are_survived() {
    let Some(path) = lidless_kit::fixture("dmg/volume.sparseimage") else { return };
    let image = std::fs::read(path).unwrap();
    torture_at("small.sparseimage", &image[..300_000], &[0..100, 100..600], 60);
}
