//! Disk images, partition tables and what lies on partitions, from outside.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

mod suite;

use lidless_core::Limits;
use lidless_kit::fixture;
use suite::{Open, open, open_fixture, torture, torture_at};

fn bytes(name: &str) -> Option<Vec<u8>> {
    Some(std::fs::read(fixture(name)?).unwrap())
}

#[test]
fn volumes_of_every_container_are_told_under_their_number() {
    for name in [
        "gpt.img",
        "dynamic.vhd",
        "fixed.vhd",
        "dynamic.vhdx",
        "stream.vmdk",
        "flat.vmdk",
        "zstd.qcow2",
        "static.vdi",
    ] {
        let Some(inside) = open_fixture(&format!("disks/{name}")) else { return };
        // Noise in the third partition, nothing in the sixth, reserved space in the second.
        let place = |number: &str| {
            let ends = format!("!/p{number}");
            inside.gaps.iter().find(|(_, place)| place.ends_with(&ends)).map(|(why, _)| &**why)
        };
        assert_eq!(place("2"), None, "{name}");
        assert_eq!(place("3"), Some("a volume of unknown kind (Linux), not looked into"), "{name}");
        assert_eq!(place("6"), None, "{name}");
        let found: Vec<_> = inside.findings.iter().map(|one| &*one.rule).collect();
        assert_eq!(found, ["backup.disk_image"], "{name}");
    }
}

#[test]
fn extents_are_no_images_of_their_own() {
    for name in ["flat-flat.vmdk", "split-s002.vmdk"] {
        let Some(inside) = open_fixture(&format!("disks/{name}")) else { return };
        assert_eq!(inside.peeler, Some("VMDK"), "{name}");
        assert!(inside.gaps.is_empty() && inside.findings.is_empty(), "{name}");
    }
}

#[test]
fn what_is_encrypted_is_told_with_its_cipher() {
    for (name, words) in [
        ("luks1.img", "encrypted with LUKS1 (aes-xts-plain64), one key slot"),
        ("luks2.img", "encrypted with LUKS2 (aes-xts-plain64), one key slot"),
        ("luks2keys.img", "encrypted with LUKS2 (aes-xts-plain64), several key slots"),
        ("swap.img", "swap space of Linux, not looked into"),
    ] {
        let Some(inside) = open_fixture(&format!("volumes/{name}")) else { return };
        let reasons: Vec<_> = inside.gaps.iter().map(|(why, _)| &**why).collect();
        assert_eq!(reasons, [words], "{name}");
        assert!(inside.requests <= 2, "{name}: {} requests", inside.requests);
    }
}

/// A boot sector of `BitLocker` and a block of its metadata, after the description of libbde.
fn bitlocker(guid_at: usize, keys: &[u16]) -> Vec<u8> {
    let guid = [
        0x3b, 0xd6, 0x67, 0x49, 0x29, 0x2e, 0xd8, 0x4a, 0x83, 0x99, 0xf6, 0xa3, 0x39, 0xe3, 0xd0,
        0x01,
    ];
    let mut volume = vec![0u8; 256 << 10];
    let name: &[u8] = if guid_at == 424 { b"MSWIN4.1" } else { b"-FVE-FS-" };
    volume[3..11].copy_from_slice(name);
    volume[510..512].copy_from_slice(&[0x55, 0xaa]);
    volume[guid_at..guid_at + 16].copy_from_slice(&guid);
    volume[guid_at + 16..guid_at + 24].copy_from_slice(&(128u64 << 10).to_le_bytes());
    let mut entries = Vec::new();
    for key in keys {
        let mut entry = vec![0u8; 80];
        entry[..8].copy_from_slice(&[80, 0, 2, 0, 8, 0, 1, 0]);
        entry[8 + 26..8 + 28].copy_from_slice(&key.to_le_bytes());
        entries.extend(entry);
    }
    let block = &mut volume[128 << 10..];
    block[..8].copy_from_slice(b"-FVE-FS-");
    block[64..68].copy_from_slice(&(48 + entries.len() as u32).to_le_bytes());
    block[72..76].copy_from_slice(&48u32.to_le_bytes());
    block[112..112 + entries.len()].copy_from_slice(&entries);
    volume
}

#[test]
fn bitlocker_is_told_with_what_opens_it() {
    for (volume, words) in [
        (
            bitlocker(160, &[0x0800, 0x0100]),
            "encrypted with BitLocker, opened by a TPM or a recovery password",
        ),
        (bitlocker(424, &[0x2000]), "encrypted with BitLocker To Go, opened by a password"),
        (
            bitlocker(160, &[0x0800, 0]),
            "encrypted with BitLocker, suspended: its key lies in the clear",
        ),
        (bitlocker(160, &[]), "encrypted with BitLocker"),
    ] {
        let inside = open("volume.img", &volume);
        let reasons: Vec<_> = inside.gaps.iter().map(|(why, _)| &**why).collect();
        assert_eq!(reasons, [words]);
    }
    let volume = bitlocker(160, &[0x0800, 0x0100]);
    torture_at("volume.img", &volume, &[0..512, 128 << 10..(128 << 10) + 400], 120);
}

#[test]
fn known_signatures_are_told_by_name() {
    for (at, magic, words) in [
        (3, &b"ReFS\0\0\0\0FSRS"[..], "a file system of a kind that is not read (ReFS)"),
        (4096, b"SPACEDB ", "a part of a storage pool that is not read (Storage Spaces)"),
        (0, b"bluestore block device\n", "a part of a storage pool that is not read (Ceph)"),
        (0, b"VMA\0\0\0\0\x01", "a disk image of a form that is not read (Proxmox VMA)"),
        (65588, b"ReIsEr2Fs", "a file system of a kind that is not read (ReiserFS)"),
    ] {
        let mut volume = vec![0u8; 1 << 20];
        volume[at..at + magic.len()].copy_from_slice(magic);
        let inside = open("volume.img", &volume);
        let reasons: Vec<_> = inside.gaps.iter().map(|(why, _)| &**why).collect();
        assert_eq!(reasons, [words]);
    }
}

#[test]
fn cut_and_changed_images_end_and_cost_little() {
    for (name, format) in [("tiny.qcow2", "qcow2"), ("tinyzstd.qcow2", "qcow2")] {
        let Some(image) = bytes(&format!("disks/{name}")) else { return };
        torture_at(&format!("x.{format}"), &image, &[0..1024, 1024..image.len()], 60);
    }
    let Some(image) = bytes("disks/tinyflat.vmdk") else { return };
    torture("x.vmdk", &image);
    for name in ["tiny.vmdk", "tinystream.vmdk"] {
        let Some(image) = bytes(&format!("disks/{name}")) else { return };
        let end = image.len();
        torture_at("x.vmdk", &image, &[0..100, 512..1024, 1024..64 << 10, end - 4096..end], 30);
    }
    for (name, ranges) in [
        ("tiny.vhd", [0..512, 512..1536, 1536..2048]),
        ("tiny.hdd", [0..64, 64..264, 36..44]),
        ("tiny.qed", [0..64, 65536..65552, 393_216..393_420]),
        ("tiny.vdi", [0..512, 1 << 20..(1 << 20) + 64, 512..1024]),
    ] {
        let Some(image) = bytes(&format!("disks/{name}")) else { return };
        torture_at(name, &image, &ranges, 30);
    }
}

#[test]
fn a_cut_or_changed_vhdx_ends_and_costs_little() {
    let Some(image) = bytes("disks/tiny.vhdx") else { return };
    let [heads, regions, metadata, table] = [
        (64 << 10)..(64 << 10) + 80,
        (192 << 10)..(192 << 10) + 80,
        2 << 20..(2 << 20) + 200,
        3 << 20..(3 << 20) + 64,
    ];
    torture_at("x.vhdx", &image, &[heads, regions, metadata, table], 20);
}

#[test]
fn cut_and_changed_tables_of_partitions_end_and_cost_little() {
    let Some(image) = bytes("disks/tiny.img") else { return };
    let extended = 3072 * 512;
    torture_at("x.img", &image, &[440..512, extended + 440..extended + 512], 72);
    let Some(image) = bytes("disks/gpt.img") else { return };
    // The table alone, and a disk that ends after it.
    let image = &image[..1 << 20];
    torture_at("x.img", image, &[440..700, 1024..1200], 130);
    for name in ["luks1.img", "luks2.img"] {
        let Some(image) = bytes(&format!("volumes/{name}")) else { return };
        torture_at("x.img", &image[..64 << 10], &[0..600, 4096..4800], 150);
    }
}

#[test]
fn a_disk_of_very_many_volumes_costs_no_more_than_its_bound() {
    let entries = 1024usize;
    let mut disk = vec![1u8; 40 << 20];
    disk[..512].fill(0);
    disk[450] = 0xee;
    disk[454] = 1;
    disk[458..462].fill(0xff);
    disk[510..512].copy_from_slice(&[0x55, 0xaa]);
    let mut table = vec![0u8; entries * 128];
    for (number, entry) in table.chunks_mut(128).enumerate() {
        entry[..16].fill(7);
        entry[32..40].copy_from_slice(&(2000 + number as u64 * 8).to_le_bytes());
        entry[40..48].copy_from_slice(&(2000 + number as u64 * 8 + 7).to_le_bytes());
    }
    let crc = |bytes: &[u8]| {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        crc.sum().to_le_bytes()
    };
    let header = &mut disk[512..1024];
    header.fill(0);
    header[..8].copy_from_slice(b"EFI PART");
    header[12] = 92;
    header[72] = 2;
    header[80..84].copy_from_slice(&(entries as u32).to_le_bytes());
    header[84] = 128;
    header[88..92].copy_from_slice(&crc(&table));
    let sum = crc(&header[..92]);
    header[16..20].copy_from_slice(&sum);
    disk[1024..1024 + table.len()].copy_from_slice(&table);
    let inside = open("x.img", &disk);
    // The disk itself is looked at as well, and the last partition no more.
    assert_eq!(inside.gaps.len(), 1024);
    assert!(inside.has_gap("more volumes on a disk than the limit"));
    assert!(inside.requests < 200, "{} requests", inside.requests);
}

/// Volumes of LVM hold the disks of guests, with tables of their own.
#[test]
fn a_disk_in_a_logical_volume_is_looked_into() {
    let Some(guest) = bytes("disks/tiny.img") else { return };
    let text = format!(
        "vg {{\nextent_size = 8\nphysical_volumes {{ pv0 {{ id = \"{id}\" pe_start = 2048 }} }}\n\
         logical_volumes {{ guest {{ status = [\"VISIBLE\"] segment1 {{ start_extent = 0 \
         extent_count = {count} type = \"striped\" stripes = [\"pv0\", 0] }} }} }}\n}}\n",
        id = "U".repeat(32),
        count = guest.len() / 4096,
    );
    let mut volume = vec![0u8; 1 << 20];
    volume[512..520].copy_from_slice(b"LABELONE");
    volume[532] = 32;
    volume[536..544].copy_from_slice(b"LVM2 001");
    volume[544..576].fill(b'U');
    volume[584] = 1;
    volume[616..624].copy_from_slice(&4096u64.to_le_bytes());
    volume[624..632].copy_from_slice(&(1u64 << 19).to_le_bytes());
    volume[4100..4116].copy_from_slice(b" LVM2 x[5A%r0N*>");
    volume[4136..4144].copy_from_slice(&512u64.to_le_bytes());
    volume[4144..4152].copy_from_slice(&(text.len() as u64).to_le_bytes());
    volume[4608..4608 + text.len()].copy_from_slice(text.as_bytes());
    volume.extend(guest);
    let inside = open("pv.img", &volume);
    let found: Vec<_> = inside.gaps.iter().map(|(why, place)| (&**why, &**place)).collect();
    let why = "a volume of unknown kind (Linux), not looked into";
    assert_eq!(found, [(why, "file:///pv.img!/vg-guest!/p1")]);
}

#[test]
fn copies_of_boot_sectors_are_no_disks() {
    for (name, length) in [
        ("ntfs/usual.img", 8192),
        ("fat/fat32.img", 1536),
        ("fat/fat16.img", 512),
        ("exfat/contiguous.img", 6144),
        ("disks/mbr.img", 512),
    ] {
        let Some(image) = bytes(name) else { return };
        for name in ["$Boot", "boot.img"] {
            let inside = open(name, &image[..length]);
            assert_eq!((inside.peeler, inside.findings.len()), (None, 0), "{name}");
        }
    }
}

#[test]
fn what_an_older_file_system_left_behind_hides_no_array() {
    let Some(files) = bytes("ext/ext4.img") else { return };
    // A member of a mirror (linux/raid/md_p.h), on what was an ext file system before: mdadm
    // leaves its superblock at 1024, whose tables are gone.
    let mut disk = vec![0u8; 1 << 20];
    disk[1024..2048].copy_from_slice(&files[1024..2048]);
    let block = &mut disk[4096..4352];
    block[..8].copy_from_slice(&[0xfc, 0x4e, 0x2b, 0xa9, 1, 0, 0, 0]);
    block[32..36].copy_from_slice(b"data");
    block[72..76].copy_from_slice(&1i32.to_le_bytes());
    block[128..136].copy_from_slice(&2048u64.to_le_bytes());
    block[136..144].copy_from_slice(&(files.len() as u64 / 512).to_le_bytes());
    disk.extend(files);
    let inside = open("disk.img", &disk);
    inside.assert_tree("md-data!/");
}

#[test]
fn a_disk_of_many_file_systems_lists_no_more_names_than_its_bound() {
    let Some(files) = bytes("rom/romfs.img") else { return };
    let step = files.len().next_multiple_of(1 << 20) / 512;
    let mut disk = vec![0u8; step * 512 * 16];
    // Three primary partitions, and logical ones, each described by a sector before it.
    for number in 0..16usize {
        let start = number * step;
        if number > 0 {
            disk[start * 512..][..files.len()].copy_from_slice(&files);
        }
    }
    let mut entry = |sector: usize, slot: usize, kind: u8, start: usize, length: usize| {
        let at = sector * 512 + 446 + slot * 16;
        disk[at + 4] = kind;
        disk[at + 8..at + 12].copy_from_slice(&(start as u32).to_le_bytes());
        disk[at + 12..at + 16].copy_from_slice(&(length as u32).to_le_bytes());
        disk[sector * 512 + 510..sector * 512 + 512].copy_from_slice(&[0x55, 0xaa]);
    };
    for number in 1..4 {
        entry(0, number - 1, 0x83, number * step, step - 8);
    }
    entry(0, 3, 5, 4 * step - 4, 12 * step);
    for number in 4..16 {
        let at = number * step - 4;
        entry(at, 0, 0x83, 4, step - 8);
        if number < 15 {
            entry(at, 1, 5, (number - 3) * step, step);
        }
    }
    let limits = Limits { members: 20, ..Limits::default() };
    let inside = Open { limits, ..Open::default() }.bytes("disk.img", &disk);
    let volumes = inside.findings[0].detail["volumes"].as_array().unwrap();
    assert_eq!(volumes.len(), 15);
    let listed = volumes.iter().filter(|volume| volume["files"].is_u64()).count();
    assert!((8..12).contains(&listed), "{listed}");
    assert!(inside.has_gap("more files on a disk than the limit"));
}
