//! Images that lie: about counts, lengths and places.

use super::kit::{Numbers, Shelf, open};
use crate::error::PeelError;
use lidless_io::{Counted, MemoryBytes, ReadAt, Tally, read_vec};
use lidless_kit::fixture;
use std::sync::Arc;

fn fixture_bytes(name: &str) -> Option<Vec<u8>> {
    Some(std::fs::read(fixture(&format!("disks/{name}"))?).unwrap())
}

#[test]
fn reading_holes_asks_for_nothing_but_tables() {
    for name in ["dynamic.vhd", "dynamic.vhdx", "sparse.vmdk", "plain.qcow2", "dynamic.vdi"] {
        let Some(bytes) = fixture_bytes(name) else { return };
        let tally = Tally::default();
        let artifact = Shelf::default().with(name, bytes).artifact(name);
        let counted = Counted::new(Arc::clone(&artifact.bytes), tally.clone());
        let disk = open(&artifact.over(Arc::new(counted))).1.unwrap();
        read_vec(&*disk.bytes, 16 << 20, 512).unwrap();
        let before = tally.requests();
        let hole = read_vec(&*disk.bytes, 15 << 20, 3 << 20).unwrap();
        assert!(hole.iter().all(|byte| *byte == 0), "{name}");
        assert_eq!(tally.requests(), before, "{name}");
    }
}

#[test]
fn pieces_that_follow_each_other_in_the_file_are_one_read() {
    // Between blocks of a VHD stands a bitmap, and memory never asks for ranges to be joined.
    for (name, most) in [
        ("dynamic.vhdx", 1),
        ("fixed.vhdx", 1),
        ("plain.qcow2", 1),
        ("static.vdi", 1),
        ("dynamic.vhd", 2),
    ] {
        let Some(bytes) = fixture_bytes(name) else { return };
        let tally = Tally::default();
        let artifact = Shelf::default().with(name, bytes).artifact(name);
        let counted = Counted::new(Arc::clone(&artifact.bytes), tally.clone());
        let disk = open(&artifact.over(Arc::new(counted))).1.unwrap();
        // The tables are known after this.
        read_vec(&*disk.bytes, 11 << 20, 1).unwrap();
        read_vec(&*disk.bytes, (12 << 20) + (900 << 10), 1).unwrap();
        let before = tally.requests();
        read_vec(&*disk.bytes, (11 << 20) + (128 << 10), 1700 << 10).unwrap();
        let made = tally.requests() - before;
        assert!(made <= most, "{name}: {made} requests");
    }
}

#[test]
fn a_disk_said_to_be_endless_costs_no_more_than_what_is_read() {
    let Some(mut vhd) = fixture_bytes("dynamic.vhd") else { return };
    let sum = |bytes: &[u8]| {
        (!bytes.iter().fold(0u32, |sum, byte| sum.wrapping_add(u32::from(*byte)))).to_be_bytes()
    };
    vhd[48..56].fill(0xff);
    vhd[64..68].fill(0);
    let total = sum(&vhd[..512]);
    vhd[64..68].copy_from_slice(&total);
    vhd[512 + 28..512 + 32].fill(0xff);
    vhd[512 + 36..512 + 40].fill(0);
    let total = sum(&vhd[512..1536]);
    vhd[512 + 36..512 + 40].copy_from_slice(&total);
    let disk = Shelf::default().with("x.vhd", vhd).open("x.vhd").unwrap();
    assert_eq!(disk.bytes.len(), u64::MAX);
    assert!(read_vec(&*disk.bytes, u64::MAX - 1024, 1024).is_ok());
    // The table breaks off where the file does.
    assert!(read_vec(&*disk.bytes, 1 << 50, 4096).is_err());
    let Some(mut qcow) = fixture_bytes("plain.qcow2") else { return };
    qcow[36..40].fill(0xff);
    assert!(matches!(
        Shelf::default().with("x.qcow2", qcow).open("x.qcow2"),
        Err(PeelError::Malformed { .. })
    ));
}

#[test]
fn grains_and_clusters_that_are_not_well_formed_are_errors_of_their_reads_alone() {
    let Some(mut stream) = fixture_bytes("stream.vmdk") else { return };
    // The first grain, after the descriptor: its length, then its stream.
    let grain = stream.windows(2).position(|pair| pair == [0x78, 0x9c] || pair == [0x78, 0xda]);
    let grain = grain.or_else(|| stream.windows(2).position(|it| it == [0x78, 1])).unwrap();
    stream[grain - 4..grain].fill(0xff);
    let shelf = Shelf::default().with("x.vmdk", stream);
    let disk = shelf.open("x.vmdk").unwrap();
    let failed = (0..40u64).filter(|at| read_vec(&*disk.bytes, at << 20, 65536).is_err()).count();
    assert_eq!(failed, 1);
    let Some(mut qcow) = fixture_bytes("zstd.qcow2") else { return };
    let frame = qcow.windows(4).position(|four| four == [0x28, 0xb5, 0x2f, 0xfd]).unwrap();
    qcow[frame] = 0;
    let disk = Shelf::default().with("x.qcow2", qcow).open("x.qcow2").unwrap();
    let all = disk.bytes.len() >> 16;
    let failed = (0..all).filter(|at| read_vec(&*disk.bytes, at << 16, 65536).is_err()).count();
    assert_eq!(failed, 1);
}

#[test]
fn a_descriptor_of_very_many_extents_is_cut() {
    let mut text = String::from("# Disk DescriptorFile\nCID=1\nparentCID=ffffffff\n");
    for _ in 0..60_000 {
        text += "RW 18446744073709551615 FLAT \"a\"\nRW 8 SPARSE \"a\"\nRW 1 ZERO\n";
    }
    let shelf = Shelf::default().with("x.vmdk", text.into_bytes()).with("a", vec![1; 512]);
    let disk = shelf.open("x.vmdk").unwrap();
    // The length that is not one is left out; the sparse extent is none.
    assert!(read_vec(&*disk.bytes, 0, 4096).is_err());
}

/// Changes where the maps lie; then every part of the disk is read.
#[test]
fn disks_of_changed_images_are_read_to_their_ends() {
    let mut numbers = Numbers(11);
    for (name, maps) in [
        ("tiny.qcow2", 8..40_000u64),
        ("tinyzstd.qcow2", 8..20_000),
        ("tiny.vmdk", 4..70_000),
        ("tinystream.vmdk", 4..132_000),
        ("tiny.vhd", 1536..2048),
        ("tiny.hdd", 16..300),
        ("tiny.qed", 393_216..393_600),
        ("tiny.vdi", 1 << 20..(1 << 20) + 12),
        ("tiny.vhdx", 3 << 20..(3 << 20) + 24),
    ] {
        let Some(bytes) = fixture_bytes(name) else { return };
        for _ in 0..40 {
            let mut changed = bytes.clone();
            for _ in 0..=numbers.below(8) {
                let at = (maps.start + numbers.below(maps.end - maps.start)) as usize;
                let value = [0, 0xff, 1 << numbers.below(8), numbers.below(256) as u8];
                changed[at] = value[numbers.below(4) as usize];
            }
            let Ok(disk) = Shelf::default().with(name, changed).open(name) else { continue };
            let length = disk.bytes.len().min(8 << 20);
            for at in (0..length).step_by(1 << 20) {
                // Whatever it holds, an answer has the length that was asked for.
                if let Ok(read) = read_vec(&*disk.bytes, at, 1 << 20) {
                    assert_eq!(read.len() as u64, (disk.bytes.len() - at).min(1 << 20));
                }
                let at = numbers.below(disk.bytes.len());
                let _ = disk.bytes.read_ranges(
                    &[at..at + 4096, 0..512, at..u64::MAX / 2 + at % 9]
                        .map(|range| range.start..range.end.min(range.start + 4096)),
                );
            }
        }
    }
}

/// A child of 31 generations that all name two parents, neither of which is the one.
#[test]
fn parents_that_each_name_many_parents_end() {
    let mut shelf = Shelf::default();
    for number in 0..40 {
        let mut text = format!("# Disk DescriptorFile\nCID={number}\nparentCID=99\n");
        text += &format!("parentFileNameHint=\"./a/../{}.vmdk\"\nRW 8 ZERO\n", number + 1);
        text += "RW 8 FLAT \"flat\"\n";
        shelf = shelf.with(&format!("{number}.vmdk"), text.clone().into_bytes());
        shelf = shelf.with(&format!("a/../{number}.vmdk"), text.into_bytes());
    }
    let disk = shelf.with("flat", vec![1; 4096]).open("0.vmdk").unwrap();
    assert!(disk.gaps[0].0.contains("parent"), "{:?}", disk.gaps);
    assert_eq!(read_vec(&*disk.bytes, 4096, 9).unwrap(), [1; 9]);
}

/// Entries of a log that lie in each other would each be summed up to the end of the log.
#[test]
fn a_log_of_entries_in_each_other_is_given_up() {
    let Some(mut file) = fixture_bytes("tiny.vhdx") else { return };
    let at = [64usize << 10, 128 << 10]
        .into_iter()
        .max_by_key(|at| u64::from_le_bytes(file[at + 8..at + 16].try_into().unwrap()))
        .unwrap();
    let log = u64::from_le_bytes(file[at + 72..at + 80].try_into().unwrap()) as usize;
    file[at + 48..at + 64].fill(7);
    file[at + 4..at + 8].fill(0);
    let sum = crate::disk::crc32c::crc32c(&[&file[at..at + 4096]]);
    file[at + 4..at + 8].copy_from_slice(&sum.to_le_bytes());
    for sector in 0..256 {
        let entry = &mut file[log + sector * 4096..][..64];
        entry[..4].copy_from_slice(b"loge");
        entry[8..12].copy_from_slice(&(1u32 << 20).to_le_bytes());
        entry[32..48].fill(7);
    }
    let disk = Shelf::default().with("x.vhdx", file).open("x.vhdx").unwrap();
    assert!(disk.gaps[0].0.contains("replayed"), "{:?}", disk.gaps);
}

#[test]
fn a_raw_parent_is_read_as_it_is_whatever_it_looks_like() {
    // A child of a raw disk that begins as an image of another format does.
    let Some(mut child) = fixture_bytes("rawchild.qcow2") else { return };
    let Some(parent) = fixture_bytes("plain.qcow2") else { return };
    let place = child.windows(7).position(|name| name == b"gpt.img").unwrap();
    child[place..place + 7].copy_from_slice(b"x.qcow2");
    let shelf = Shelf::default().with("child.qcow2", child).with("x.qcow2", parent.clone());
    let disk = shelf.open("child.qcow2").unwrap();
    let memory = MemoryBytes::new(parent);
    assert!(read_vec(&*disk.bytes, 0, 65536).unwrap() == read_vec(&memory, 0, 65536).unwrap());
}
