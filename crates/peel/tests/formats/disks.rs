//! Rows of disk images, partition tables, and what lies between a partition and its files.

use crate::measure::{Expected, Row, Source, fixture, part, tree};
use Source::{Fixture, Made};

/// What the small disks of the recipe `stack` hold.
const KEPT: [&str; 3] = ["Users/alice/.ssh/", "Users/alice/Documents/", "home/"];

fn small() -> Expected {
    part(&["p1/", "p2/"], &KEPT)
}

fn whole() -> Expected {
    tree(&["p1/", "p2/", "p3/"])
}

/// The header of an image that is encrypted as a whole.
fn encrypted_dmg() -> Vec<u8> {
    let mut bytes = b"encrcdsa\0\0\0\x02".to_vec();
    bytes.resize(70_000, 7);
    bytes
}

fn encrypted_vmdk() -> Vec<u8> {
    b"# Disk DescriptorFile\nversion=1\nencoding=\"UTF-8\"\nCID=fffffffe\nparentCID=ffffffff\n\
      createType=\"monolithicFlat\"\nencryption.keySafe = \"vmware:key/list/()\"\n\
      RW 2048 FLAT \"disk-flat.vmdk\" 0\n"
        .to_vec()
}

/// A disc as its raw sectors: sync, header, 2048 bytes, codes that correct errors.
fn track(disc: &[u8]) -> Vec<u8> {
    let mut track = Vec::new();
    for (number, sector) in (150u32..).zip(disc.chunks(2048)) {
        let decimal = |value: u32| (value / 10 * 16 + value % 10) as u8;
        track.push(0);
        track.extend([0xff; 10]);
        track.push(0);
        track.extend([decimal(number / 4500), decimal(number / 75 % 60), decimal(number % 75), 1]);
        track.extend(sector);
        track.resize(track.len().next_multiple_of(2352), 0);
    }
    track
}

pub(crate) fn images() -> Vec<Row> {
    let apple = || tree(&[""]);
    vec![
        Row::new("raw, and one volume")
            .shows("stack/gpt.raw", whole())
            .shows("ext/ext4.img", apple()),
        Row::new("VHD (fixed, dynamic)")
            .shows("stack/gpt.vhd", whole())
            .shows("stack/fixed.vhd", small()),
        Row::new("VHDX").shows("stack/gpt.vhdx", whole()).shows("stack/base.vhdx", small()),
        Row::new("VMDK (sparse, stream, flat)")
            .shows("stack/gpt.vmdk", whole())
            .shows("stack/base.vmdk", small())
            .shows("stack/flat.vmdk", small())
            .told(vec![Made("disk.vmdk", encrypted_vmdk())], "encrypted"),
        Row::new("QCOW2")
            .shows("stack/gpt.qcow2", whole())
            .shows("stack/base.qcow2", small())
            .shows("stack/mbr.qcow2", tree(&["p1/", "p2/", "p5/"]))
            .told(vec![Fixture("disks/luks.qcow2")], "encrypted"),
        Row::new("VDI").shows("stack/base.vdi", small()).encrypted_untested(),
        Row::new("QED").shows("stack/base.qed", small()),
        Row::new("Parallels").shows("stack/base.hdd", small()).encrypted_untested(),
        Row::new("E01, S01").shows("stack/gpt.E01", whole()).shows("dmg/volume.E01", apple()),
        Row::new("DMG (zlib, bzip2, LZMA, ADC)")
            .shows("dmg/zlib.dmg", apple())
            .shows("dmg/bzip2.dmg", apple())
            .shows("dmg/xz.dmg", apple())
            .shows("dmg/adc.dmg", apple())
            .shows("dmg/mixed.dmg", apple())
            .shows("dmg/old.dmg", apple())
            .told(vec![Made("secret.dmg", encrypted_dmg())], "encrypted"),
        Row::new("sparse image (Apple)").shows("dmg/volume.sparseimage", apple()),
        Row::new("sparse bundle (Apple)")
            .shows("dmg/volume.sparsebundle/Info.plist", apple())
            .encrypted_untested(),
        Row::new("CD track (2352 bytes a sector)").made(
            "disc.bin",
            track(&fixture("iso/both.iso")),
            apple(),
        ),
    ]
}

pub(crate) fn partitions() -> Vec<Row> {
    vec![
        Row::on_disk("GPT").shows("stack/gpt.raw", whole()),
        Row::on_disk("MBR, with logical partitions")
            .shows("stack/mbr.qcow2", tree(&["p1/", "p2/", "p5/"]))
            .shows("stack/stick.img", part(&["p1/home.tar.gz!/home.tar!/"], &KEPT)),
        Row::on_disk("Apple partition map").shows("hfsplus/apm.img", apm()),
    ]
}

/// xorriso numbers the map itself as the first partition.
fn apm() -> Expected {
    tree(&["p3/"])
}

/// A member of a mirror with ext4 on it (linux/raid/md_p.h, version 1.2).
fn mirror() -> Vec<u8> {
    let files = fixture("ext/ext4.img");
    let mut bytes = vec![0u8; 1 << 20];
    let block = &mut bytes[4096..4352];
    block[..8].copy_from_slice(&[0xfc, 0x4e, 0x2b, 0xa9, 1, 0, 0, 0]);
    block[32..43].copy_from_slice(b"nas-01:data");
    block[72..76].copy_from_slice(&1i32.to_le_bytes());
    block[92..96].copy_from_slice(&2u32.to_le_bytes());
    block[128..136].copy_from_slice(&2048u64.to_le_bytes());
    block[136..144].copy_from_slice(&(files.len() as u64 / 512).to_le_bytes());
    bytes.extend(files);
    bytes
}

/// A boot sector of `BitLocker` (libbde), whose metadata are elsewhere.
fn bitlocker() -> Vec<u8> {
    let guid = [
        0x3b, 0xd6, 0x67, 0x49, 0x29, 0x2e, 0xd8, 0x4a, 0x83, 0x99, 0xf6, 0xa3, 0x39, 0xe3, 0xd0,
        0x01,
    ];
    let mut volume = vec![0u8; 256 << 10];
    volume[3..11].copy_from_slice(b"-FVE-FS-");
    volume[510..512].copy_from_slice(&[0x55, 0xaa]);
    volume[160..176].copy_from_slice(&guid);
    volume
}

pub(crate) fn holders() -> Vec<Row> {
    vec![
        Row::on_disk("LVM2 (linear, mirrors)")
            .shows("stack/lvm.qcow2", part(&["p1/system-root!/"], &KEPT)),
        Row::on_disk("Linux RAID (mirrors)").made("mirror.img", mirror(), tree(&["md-data!/"])),
        Row::on_disk("BitLocker").told(vec![Made("volume.img", bitlocker())], "BitLocker"),
        Row::on_disk("LUKS").told(
            vec![Fixture("volumes/luks1.img"), Fixture("volumes/luks2.img")],
            "encrypted with LUKS",
        ),
        Row::on_disk("APFS container")
            .shows("apfs/volume.img", tree(&["Sample data!/"]))
            .told(vec![Fixture("apfs/two.img")], "encrypted"),
    ]
}
