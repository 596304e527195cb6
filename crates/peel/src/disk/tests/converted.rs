//! One disk in every container that qemu-img makes.

use super::kit::{assert_same, assert_same_at, counted, file, open};
use crate::error::PeelError;
use crate::volume::parts;
use lidless_io::{FileBytes, ReadAt, read_vec};
use lidless_kit::fixture;
use std::process::Command;
use std::sync::Arc;

fn raw(name: &str) -> Option<FileBytes> {
    Some(FileBytes::open(&fixture(&format!("disks/{name}"))?).unwrap())
}

#[test]
fn every_container_of_a_disk_holds_the_disk() {
    let Some(gpt) = raw("gpt.img") else { return };
    for (name, format) in [
        ("gpt.img", "raw"),
        ("dynamic.vhd", "VHD"),
        ("fixed.vhd", "VHD"),
        ("dynamic.vhdx", "VHDX"),
        ("fixed.vhdx", "VHDX"),
        ("sparse.vmdk", "VMDK"),
        ("stream.vmdk", "VMDK"),
        ("flat.vmdk", "VMDK"),
        ("plain.qcow2", "QCOW2"),
        ("old.qcow2", "QCOW2"),
        ("small.qcow2", "QCOW2"),
        ("parts.qcow2", "QCOW2"),
        ("aside.qcow2", "QCOW2"),
        ("zlib.qcow2", "QCOW2"),
        ("zstd.qcow2", "QCOW2"),
        ("dynamic.vdi", "VDI"),
        ("static.vdi", "VDI"),
        ("parallels.hdd", "Parallels disk"),
        ("plain.qed", "QED"),
    ] {
        let path = fixture(&format!("disks/{name}")).unwrap();
        let (found, disk, tally) = counted(&path);
        let disk = disk.unwrap();
        assert_eq!(found, format, "{name}");
        assert!(disk.gaps.is_empty(), "{name}: {:?}", disk.gaps);
        // The head, and at most three more: for a VHDX its headers, metadata and table.
        assert!(tally.requests() <= 4, "{name}: {} requests", tally.requests());
        // The head of the first partition, as the visit to a disk reads it.
        let head = read_vec(&*disk.bytes, 0, 72 << 10).unwrap();
        let (scheme, found) = parts(&*disk.bytes, &head).unwrap();
        let found = found.unwrap();
        assert_eq!((scheme, found.len()), ("GPT", 4), "{name}");
        read_vec(&*disk.bytes, found[0].start, 72 << 10).unwrap();
        assert!(tally.requests() <= 8, "{name}: {} requests", tally.requests());
        // Virtual PC counted in cylinders: such a disk may be a little longer.
        assert!(disk.bytes.len() >= gpt.len() && disk.bytes.len() < gpt.len() + (1 << 20));
        assert_same(&*disk.bytes, &gpt, gpt.len());
        let rest = read_vec(&*disk.bytes, gpt.len(), 1 << 20).unwrap();
        assert!(rest.iter().all(|byte| *byte == 0));
    }
}

#[test]
fn extents_of_two_gigabytes_are_put_together() {
    let Some(large) = raw("large.img") else { return };
    for name in ["split.vmdk", "splitflat.vmdk"] {
        let path = fixture(&format!("disks/{name}")).unwrap();
        let (_, disk) = open(&file(&path));
        let disk = disk.unwrap();
        assert_eq!((disk.gaps.len(), disk.bytes.len()), (0, large.len()), "{name}");
        assert_same_at(&*disk.bytes, &large, large.len(), 60);
        for start in [0, 2046 << 20, 4390 << 20] {
            let length = (6u64 << 20).min(large.len() - start);
            let got = read_vec(&*disk.bytes, start, length).unwrap();
            assert!(got == read_vec(&large, start, length).unwrap(), "{name} at {start}");
        }
    }
}

#[test]
fn extents_beside_their_descriptor_are_passed_over() {
    let Some(path) = fixture("disks/flat-flat.vmdk") else { return };
    let folder = path.parent().unwrap();
    let is_part = |name: &str| {
        let artifact = file(&folder.join(name));
        let head = read_vec(&*artifact.bytes, 0, 16 << 10).unwrap();
        let image = crate::disk::images().into_iter().find(|it| it.recognises(&artifact, &head));
        image.unwrap().is_part(&artifact, &head)
    };
    for name in ["flat-flat.vmdk", "split-s001.vmdk", "split-s003.vmdk", "splitflat-f002.vmdk"] {
        assert!(is_part(name), "{name}");
    }
    for name in ["flat.vmdk", "sparse.vmdk", "split.vmdk", "child.vmdk"] {
        assert!(!is_part(name), "{name}");
    }
}

#[test]
fn children_are_read_through_to_their_parents() {
    for name in ["child.qcow2", "grandchild.qcow2", "rawchild.qcow2", "child.qed", "child.vmdk"] {
        let Some(expected) = raw(&format!("{name}.raw")) else { return };
        let (_, disk) = open(&file(&fixture(&format!("disks/{name}")).unwrap()));
        let disk = disk.unwrap();
        assert!(disk.gaps.is_empty(), "{name}: {:?}", disk.gaps);
        assert_same(&*disk.bytes, &expected, expected.len());
    }
}

#[test]
fn what_is_not_read_is_told() {
    let Some(path) = fixture("disks/luks.qcow2") else { return };
    match open(&file(&path)).1 {
        Err(PeelError::Closed(reason)) => assert_eq!(reason, "a QCOW2 encrypted with LUKS"),
        _ => panic!("it was opened"),
    }
    let (_, disk) = open(&file(&fixture("disks/snapshot.qcow2").unwrap()));
    assert!(disk.unwrap().gaps[0].0.contains("snapshots"));
}

/// Start, length in sectors, and number of each partition as `mmls` lists them: its slots are
/// `TABLE:ENTRY` from 0, tables of extended partitions after the first are the logical ones.
fn listed(path: &std::path::Path) -> Option<Vec<(u64, u64)>> {
    let out = Command::new("mmls").arg(path).output().ok()?;
    let text = String::from_utf8(out.stdout).unwrap();
    let mut found = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        // `Meta` lines are the tables themselves, `-------` what lies between partitions.
        let is_part = |slot: &str| slot.bytes().next().is_some_and(|it| it.is_ascii_digit());
        if words.len() > 4 && is_part(words[1]) {
            found.push((words[2].parse().unwrap(), words[4].parse().unwrap()));
        }
    }
    Some(found)
}

#[test]
fn partitions_are_the_ones_that_mmls_and_sgdisk_list() {
    for name in ["gpt.img", "mbr.img"] {
        let Some(path) = fixture(&format!("disks/{name}")) else { return };
        let disk: Arc<dyn ReadAt> = Arc::new(FileBytes::open(&path).unwrap());
        let head = read_vec(&*disk, 0, 72 << 10).unwrap();
        let own = parts(&*disk, &head).unwrap().1.unwrap();
        let mut places: Vec<_> = own.iter().map(|it| (it.start / 512, it.length / 512)).collect();
        places.sort_unstable();
        if let Some(listed) = listed(&path) {
            assert_eq!(places, listed, "{name}");
        }
        let kinds: Vec<_> = own.iter().map(|it| (it.number, &*it.kind, it.is_reserved)).collect();
        if name == "gpt.img" {
            let expected = [
                (1, "EFI system", false),
                (2, "Microsoft reserved", true),
                (3, "Linux", false),
                (6, "Linux swap", false),
            ];
            assert_eq!(kinds, expected);
            let out = Command::new("sgdisk").arg("-p").arg(&path).output();
            let Ok(out) = out else { continue };
            let text = String::from_utf8(out.stdout).unwrap();
            let lines = text.lines().filter_map(|line| {
                let mut words = line.split_whitespace();
                let number = words.next()?.parse::<u32>().ok()?;
                let start = words.next()?.parse::<u64>().ok()?;
                Some((number, start, words.next()?.parse::<u64>().ok()?))
            });
            let own =
                own.iter().map(|it| (it.number, it.start / 512, (it.start + it.length) / 512 - 1));
            assert_eq!(lines.collect::<Vec<_>>(), own.collect::<Vec<_>>());
        } else {
            let expected = [
                (1, "FAT32", false),
                (3, "Windows data", false),
                (5, "Linux", false),
                (6, "Linux swap", false),
            ];
            assert_eq!(kinds, expected);
        }
    }
}
