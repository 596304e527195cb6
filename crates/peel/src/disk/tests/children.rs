//! Differencing disks and a log, built by hand after the specifications: qemu-img makes neither.

use super::kit::{Shelf, assert_same, file};
use crate::disk::crc32c::crc32c;
use lidless_io::{FileBytes, MemoryBytes, ReadAt, read_vec};
use lidless_kit::fixture;

const SECTOR: usize = 512;

fn fixture_bytes(name: &str) -> Option<Vec<u8>> {
    Some(std::fs::read(fixture(&format!("disks/{name}"))?).unwrap())
}

fn raw() -> FileBytes {
    FileBytes::open(&fixture("disks/gpt.img").unwrap()).unwrap()
}

/// What each child changes: offset and length, whole sectors, filled with `0x55`.
const CHANGES: [(usize, usize); 5] = [
    (0x1000, 512),
    (0x1f_fe00, 1024),
    (0x40_0000, 0x20_0000),
    (0x70_0200, 3 * 512),
    (0x270_0000, 512),
];

fn changed() -> Vec<u8> {
    let raw = raw();
    let mut bytes = read_vec(&raw, 0, raw.len()).unwrap();
    for (at, length) in CHANGES {
        bytes[at..at + length].fill(0x55);
    }
    bytes
}

fn sum(bytes: &[u8]) -> [u8; 4] {
    (!bytes.iter().fold(0u32, |sum, byte| sum.wrapping_add(u32::from(*byte)))).to_be_bytes()
}

/// A differencing VHD of the dynamic one, with blocks of 2 MiB.
fn vhd(parent: &[u8], path: &str) -> Vec<u8> {
    const BLOCK: usize = 2 << 20;
    let mut footer = parent[..512].to_vec();
    footer[60..64].copy_from_slice(&4u32.to_be_bytes());
    footer[64..68].fill(0);
    let own = footer[68..84].to_vec();
    footer[68] ^= 0xff;
    let total = sum(&footer);
    footer[64..68].copy_from_slice(&total);
    let disk = u64::from_be_bytes(footer[48..56].try_into().unwrap()) as usize;
    let blocks = disk.div_ceil(BLOCK);
    let locator: Vec<u8> = path.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut header = vec![0u8; 1024];
    header[..8].copy_from_slice(b"cxsparse");
    header[8..16].fill(0xff);
    header[16..24].copy_from_slice(&2048u64.to_be_bytes());
    header[24..28].copy_from_slice(&0x1_0000u32.to_be_bytes());
    header[28..32].copy_from_slice(&(blocks as u32).to_be_bytes());
    header[32..36].copy_from_slice(&(BLOCK as u32).to_be_bytes());
    header[40..56].copy_from_slice(&own);
    header[576..580].copy_from_slice(b"W2ru");
    header[580..584].copy_from_slice(&512u32.to_be_bytes());
    header[584..588].copy_from_slice(&(locator.len() as u32).to_be_bytes());
    header[592..600].copy_from_slice(&1536u64.to_be_bytes());
    let total = sum(&header);
    header[36..40].copy_from_slice(&total);
    let mut file = footer.clone();
    file.extend(&header);
    file.resize(2048, 0);
    file[1536..1536 + locator.len()].copy_from_slice(&locator);
    let table = file.len();
    file.resize((table + blocks * 4).div_ceil(SECTOR) * SECTOR, 0xff);
    for block in 0..blocks {
        let mut bitmap = vec![0u8; SECTOR];
        let mut data = vec![0xeeu8; BLOCK];
        for (at, length) in CHANGES {
            for sector in at / SECTOR..(at + length) / SECTOR {
                if sector * SECTOR / BLOCK == block {
                    let within = sector % (BLOCK / SECTOR);
                    bitmap[within / 8] |= 0x80 >> (within % 8);
                    data[within * SECTOR..][..SECTOR].fill(0x55);
                }
            }
        }
        if bitmap.iter().any(|byte| *byte != 0) {
            let place = (file.len() / SECTOR) as u32;
            file[table + block * 4..][..4].copy_from_slice(&place.to_be_bytes());
            file.extend(bitmap);
            file.extend(data);
        }
    }
    file.extend(footer);
    file
}

#[test]
fn a_differencing_vhd_takes_from_its_parent_what_its_bitmaps_leave() {
    let Some(parent) = fixture_bytes("dynamic.vhd") else { return };
    let expected = MemoryBytes::new(changed());
    for path in ["base.vhd", "..\\other\\base.vhd", "C:\\disks\\base.vhd", ".\\base.vhd"] {
        let child = vhd(&parent, path);
        let shelf = Shelf::default().with("child.avhd", child).with("base.vhd", parent.clone());
        let disk = shelf.open("child.avhd").unwrap();
        assert!(disk.gaps.is_empty(), "{path}: {:?}", disk.gaps);
        assert_same(&*disk.bytes, &expected, expected.len());
    }
}

#[test]
fn a_parent_that_is_missing_or_another_is_a_gap_and_the_childs_own_is_read() {
    let Some(parent) = fixture_bytes("dynamic.vhd") else { return };
    let child = vhd(&parent, "base.vhd");
    let own = |disk: &dyn ReadAt| {
        for (at, length) in CHANGES {
            let got = read_vec(disk, at as u64, length as u64).unwrap();
            assert!(got.iter().all(|byte| *byte == 0x55));
        }
        assert!(read_vec(disk, 0, 512).unwrap().iter().all(|byte| *byte == 0));
    };
    let alone = Shelf::default().with("child.avhd", child.clone());
    let disk = alone.open("child.avhd").unwrap();
    assert!(disk.gaps[0].0.contains("missing"), "{:?}", disk.gaps);
    own(&*disk.bytes);
    let mut other = parent;
    other[68] ^= 1;
    other[64..68].fill(0);
    let total = sum(&other[..512]);
    other[64..68].copy_from_slice(&total);
    let disk = alone.with("base.vhd", other).open("child.avhd").unwrap();
    assert!(disk.gaps[0].0.contains("another"), "{:?}", disk.gaps);
    own(&*disk.bytes);
    // A disk that names itself as its parent ends as well.
    let looped = vhd(&child, "child.avhd");
    let mut looped = looped;
    let id = looped[68..84].to_vec();
    looped[512 + 40..512 + 56].copy_from_slice(&id);
    looped[512 + 36..512 + 40].fill(0);
    let total = sum(&looped[512..1536]);
    looped[512 + 36..512 + 40].copy_from_slice(&total);
    let disk = Shelf::default().with("child.avhd", looped).open("child.avhd").unwrap();
    assert!(disk.gaps[0].0.contains("missing"), "{:?}", disk.gaps);
    own(&*disk.bytes);
}

const METADATA: [u8; 16] = [
    0x06, 0xa2, 0x7c, 0x8b, 0x90, 0x47, 0x9a, 0x4b, 0xb8, 0xfe, 0x57, 0x5f, 0x05, 0x0f, 0x88, 0x6e,
];
const BAT: [u8; 16] = [
    0x66, 0x77, 0xc2, 0x2d, 0x23, 0xf6, 0x00, 0x42, 0x9d, 0x64, 0x11, 0x5e, 0x9b, 0xfd, 0x4a, 0x08,
];
const PARAMETERS: [u8; 16] = [
    0x37, 0x67, 0xa1, 0xca, 0x36, 0xfa, 0x43, 0x4d, 0xb3, 0xb6, 0x33, 0xf0, 0xaa, 0x44, 0xe7, 0x6b,
];
const LOCATOR: [u8; 16] = [
    0x2d, 0x5f, 0xd3, 0xa8, 0x0b, 0xb3, 0x4d, 0x45, 0xab, 0xf7, 0xd3, 0xd8, 0x48, 0x34, 0xab, 0x0c,
];

fn u32_at(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

fn u64_at(bytes: &[u8], at: usize) -> usize {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize
}

fn seal(bytes: &mut [u8]) {
    bytes[4..8].fill(0);
    let sum = crc32c(&[bytes]);
    bytes[4..8].copy_from_slice(&sum.to_le_bytes());
}

fn region(file: &[u8], guid: [u8; 16]) -> usize {
    let at = (0..2).map(|number| (192 << 10) + 16 + number * 32);
    let entry = at.into_iter().find(|at| file[*at..at + 16] == guid).unwrap();
    u64_at(file, entry + 16)
}

fn item(file: &[u8], guid: [u8; 16]) -> Option<usize> {
    let base = region(file, METADATA);
    let entries = (0..usize::from(file[base + 10])).map(|number| base + 32 + number * 32);
    let entry = entries.into_iter().find(|at| file[*at..at + 16] == guid)?;
    Some(base + u32_at(file, entry + 16))
}

/// The header of the two that counts.
fn header(file: &[u8]) -> usize {
    let (one, two) = (64 << 10, 128 << 10);
    if u64_at(file, one + 8) > u64_at(file, two + 8) { one } else { two }
}

/// A differencing VHDX of another one: the same file with its blocks taken out, the flag and the
/// locator of a child, and what it changes in blocks that are there in part.
fn vhdx(parent: &[u8], path: &str) -> Vec<u8> {
    let mut file = parent.to_vec();
    let (table, parameters) = (region(&file, BAT), item(&file, PARAMETERS).unwrap());
    let block = u32_at(&file, parameters);
    file[parameters + 4] |= 2;
    let linkage = {
        let guid: [u8; 16] = file[header(&file) + 32..][..16].try_into().unwrap();
        format!("{{{}}}", crate::disk::guid_text(guid).to_lowercase())
    };
    // The locator as one more item of the metadata, in what is free behind the others.
    let base = region(&file, METADATA);
    let count = usize::from(file[base + 10]);
    let mut locator = vec![0u8; 20];
    locator[18..20].copy_from_slice(&2u16.to_le_bytes());
    let texts = ["parent_linkage", &linkage, "relative_path", path];
    let texts =
        texts.map(|text| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
    let mut at = 20 + 24;
    for pair in texts.chunks(2) {
        locator.extend((at as u32).to_le_bytes());
        locator.extend(((at + pair[0].len()) as u32).to_le_bytes());
        locator.extend((pair[0].len() as u16).to_le_bytes());
        locator.extend((pair[1].len() as u16).to_le_bytes());
        at += pair[0].len() + pair[1].len();
    }
    texts.iter().for_each(|text| locator.extend(text));
    let entry = base + 32 + count * 32;
    file[base + 10] += 1;
    file[entry..entry + 16].copy_from_slice(&LOCATOR);
    file[entry + 16..entry + 20].copy_from_slice(&(0x1_8000u32).to_le_bytes());
    file[entry + 20..entry + 24].copy_from_slice(&(locator.len() as u32).to_le_bytes());
    file[base + 0x1_8000..][..locator.len()].copy_from_slice(&locator);
    let blocks = (40 << 20) / block;
    let ratio = (1 << 23) * 512 / block;
    file[table..table + (ratio + 1) * 8].fill(0);
    let mut bitmap = vec![0u8; 1 << 20];
    let place = |file: &mut Vec<u8>, index: usize, state: u64, bytes: &[u8]| {
        file.resize(file.len().div_ceil(1 << 20) << 20, 0);
        let entry = file.len() as u64 | state;
        file[table + index * 8..][..8].copy_from_slice(&entry.to_le_bytes());
        file.extend(bytes);
    };
    for number in 0..blocks {
        let (mut data, mut own) = (vec![0xeeu8; block], 0);
        for (at, length) in CHANGES {
            for sector in at / SECTOR..(at + length) / SECTOR {
                if sector * SECTOR / block == number {
                    bitmap[sector / 8] |= 1 << (sector % 8);
                    data[sector * SECTOR % block..][..SECTOR].fill(0x55);
                    own += 1;
                }
            }
        }
        match own {
            0 => {}
            all if all == block / SECTOR => place(&mut file, number, 6, &data),
            _ => place(&mut file, number, 7, &data),
        }
    }
    place(&mut file, ratio, 6, &bitmap);
    // The child is another disk than its parent.
    let at = header(&file);
    file[at + 32] ^= 0xff;
    seal(&mut file[at..at + 4096]);
    file
}

#[test]
fn a_differencing_vhdx_takes_from_its_parent_what_its_bitmaps_leave() {
    let Some(parent) = fixture_bytes("dynamic.vhdx") else { return };
    let child = vhdx(&parent, ".\\base.vhdx");
    let shelf = Shelf::default().with("child.avhdx", child.clone());
    let whole = shelf.clone().with("base.vhdx", parent);
    let disk = whole.open("child.avhdx").unwrap();
    assert!(disk.gaps.is_empty(), "{:?}", disk.gaps);
    let expected = MemoryBytes::new(changed());
    assert_same(&*disk.bytes, &expected, expected.len());
    let disk = shelf.open("child.avhdx").unwrap();
    assert!(disk.gaps[0].0.contains("missing"), "{:?}", disk.gaps);
    for (at, length) in CHANGES {
        let got = read_vec(&*disk.bytes, at as u64, length as u64).unwrap();
        assert!(got.iter().all(|byte| *byte == 0x55));
    }
    assert!(read_vec(&*disk.bytes, 0, 4096).unwrap().iter().all(|byte| *byte == 0));
}

/// An entry of a log that writes 4 KiB at each of `data`, filled with a byte, and zeros the rest.
fn log_entry(
    guid: &[u8],
    tail: u32,
    sequence: u64,
    data: &[(u64, u8)],
    zeros: &[(u64, u64)],
) -> Vec<u8> {
    let mut entry = vec![0u8; 4096 * (1 + data.len())];
    let length = entry.len() as u32;
    entry[..4].copy_from_slice(b"loge");
    entry[8..12].copy_from_slice(&length.to_le_bytes());
    entry[12..16].copy_from_slice(&tail.to_le_bytes());
    entry[16..24].copy_from_slice(&sequence.to_le_bytes());
    entry[24..28].copy_from_slice(&((data.len() + zeros.len()) as u32).to_le_bytes());
    entry[32..48].copy_from_slice(guid);
    let mut at = 64;
    for (number, (offset, fill)) in data.iter().enumerate() {
        entry[at..at + 4].copy_from_slice(b"desc");
        entry[at + 4..at + 16].fill(*fill);
        entry[at + 16..at + 24].copy_from_slice(&offset.to_le_bytes());
        entry[at + 24..at + 32].copy_from_slice(&sequence.to_le_bytes());
        let sector = 4096 * (1 + number);
        entry[sector..sector + 4096].fill(*fill);
        entry[sector..sector + 4].copy_from_slice(b"data");
        entry[sector + 4..sector + 8].copy_from_slice(&((sequence >> 32) as u32).to_le_bytes());
        entry[sector + 4092..sector + 4096].copy_from_slice(&(sequence as u32).to_le_bytes());
        at += 32;
    }
    for (offset, length) in zeros {
        entry[at..at + 4].copy_from_slice(b"zero");
        entry[at + 8..at + 16].copy_from_slice(&length.to_le_bytes());
        entry[at + 16..at + 24].copy_from_slice(&offset.to_le_bytes());
        entry[at + 24..at + 32].copy_from_slice(&sequence.to_le_bytes());
        at += 32;
    }
    seal(&mut entry);
    entry
}

/// The file with a log that has to be replayed: entries by their offset in the log.
fn dirty(clean: &[u8], entries: &[(usize, Vec<u8>)]) -> Vec<u8> {
    let mut file = clean.to_vec();
    let at = header(&file);
    let (length, log) = (u32_at(&file, at + 68), u64_at(&file, at + 72));
    file[at + 48..at + 64].fill(7);
    seal(&mut file[at..at + 4096]);
    for (offset, entry) in entries {
        for (index, byte) in entry.iter().enumerate() {
            file[log + (offset + index) % length] = *byte;
        }
    }
    file
}

#[test]
fn a_vhdx_that_was_not_closed_is_read_as_its_log_leaves_it() {
    let Some(clean) = fixture_bytes("dynamic.vhdx") else { return };
    let raw = raw();
    let mut expected = read_vec(&raw, 0, raw.len()).unwrap();
    let table = region(&clean, BAT);
    // Where the first blocks of the disk lie, and a block that is not there yet.
    let place = |number: usize| (u64_at(&clean, table + number * 8) >> 20) << 20;
    let (first, noise) = (place(0) as u64, place(11) as u64);
    let absent = (0..40usize).find(|number| u64_at(&clean, table + number * 8) & 7 != 6).unwrap();
    // The entry of that block is written so that it is the one of the noise: all other entries of
    // the table have to stay, so its 4 KiB are made of what is there.
    let guid = [7u8; 16];
    let length = u32_at(&clean, header(&clean) + 68);
    let page = table as u64;
    let old = log_entry(&guid, 0, 5, &[(first, 0x11)], &[]);
    let mut bat = clean[table..table + 4096].to_vec();
    bat.copy_within(11 * 8..12 * 8, absent * 8);
    // A run of three entries from `start` on, which may go on at the beginning of the ring. An
    // older entry and one of another log do not count.
    let build = |start: usize| {
        let tail = start as u32;
        let one = log_entry(&guid, tail, 8, &[(first + 8192, 0x22)], &[]);
        let data = [(first + 12288, 0x33), (first + 16384, 0x44)];
        let two = log_entry(&guid, tail, 9, &data, &[(noise + 4096, 8192)]);
        let mut three = log_entry(&guid, tail, 10, &[(page, 0)], &[]);
        three[64 + 4..64 + 8].copy_from_slice(&bat[4092..]);
        three[64 + 8..64 + 16].copy_from_slice(&bat[..8]);
        three[4096 + 8..4096 + 4092].copy_from_slice(&bat[8..4092]);
        seal(&mut three);
        let second = start + one.len();
        let third = second + two.len();
        let places = [start, second, third].map(|at| at % length);
        let other = log_entry(&[9; 16], 131_072, 99, &[(first, 0x77)], &[]);
        let [one_at, two_at, three_at] = places;
        let entries = [
            (65536, old.clone()),
            (131_072, other),
            (one_at, one),
            (two_at, two),
            (three_at, three),
        ];
        (dirty(&clean, &entries), places)
    };
    expected[8192..12288].fill(0x22);
    expected[12288..16384].fill(0x33);
    expected[16384..20480].fill(0x44);
    expected[(11 << 20) + 4096..(11 << 20) + 12288].fill(0);
    expected.copy_within(11 << 20..12 << 20, absent << 20);
    let expected = MemoryBytes::new(expected);
    for start in [16384, length - 8192, length - 12288] {
        let (file, places) = build(start);
        let disk = Shelf::default().with("dirty.vhdx", file.clone()).open("dirty.vhdx").unwrap();
        assert!(disk.gaps.is_empty(), "{:?}", disk.gaps);
        assert_same(&*disk.bytes, &expected, expected.len());
        // qemu begins at the first entry in the ring, whatever its oldest is said to be, so that
        // a run which goes round loses its beginning there ([MS-VHDX] 2.3.3 says how it is meant).
        if places.is_sorted() {
            as_qemu_img_repairs(&file, &expected);
        }
    }
    let (mut broken, places) = build(16384);
    // A log that is broken leaves the disk as it was written, and says so.
    let log = u64_at(&broken, header(&broken) + 72);
    for place in places.into_iter().chain([65536]) {
        broken[log + place + 100] ^= 1;
    }
    let disk = Shelf::default().with("dirty.vhdx", broken).open("dirty.vhdx").unwrap();
    assert!(disk.gaps[0].0.contains("replayed"), "{:?}", disk.gaps);
    assert_same(&*disk.bytes, &raw, raw.len());
}

/// The log that was built here is one that another program replays to the same disk.
fn as_qemu_img_repairs(file: &[u8], expected: &MemoryBytes) {
    let folder = tempfile::tempdir().unwrap();
    let (image, disk) = (folder.path().join("dirty.vhdx"), folder.path().join("disk.raw"));
    std::fs::write(&image, file).unwrap();
    let run = |arguments: &[&str], paths: &[&std::path::Path]| {
        std::process::Command::new("qemu-img").args(arguments).args(paths).output()
    };
    let Ok(repaired) = run(&["check", "-f", "vhdx", "-r", "all"], &[&image]) else { return };
    assert!(repaired.status.success(), "{repaired:?}");
    let converted = run(&["convert", "-f", "vhdx", "-O", "raw"], &[&image, &disk]).unwrap();
    assert!(converted.status.success(), "{converted:?}");
    assert!(std::fs::read(disk).unwrap() == expected.as_slice());
}

/// A differencing VDI of the dynamic one; `VirtualBox` finds the parent by its UUID alone.
#[test]
fn a_differencing_vdi_finds_its_parent_by_the_name_of_its_uuid() {
    let Some(parent) = fixture_bytes("dynamic.vdi") else { return };
    let mut child = parent.clone();
    child[76..80].copy_from_slice(&4u32.to_le_bytes());
    let (table, data) = (u32_at(&child, 340), u32_at(&child, 344));
    child.copy_within(392..408, 424);
    child[392] ^= 0xff;
    child.truncate(data);
    child[table..table + 40 * 4].fill(0xff);
    // Block 3 is its own, block 11 is zeros.
    child[table + 12..table + 16].copy_from_slice(&0u32.to_le_bytes());
    child[table + 44..table + 48].copy_from_slice(&(u32::MAX - 1).to_le_bytes());
    child.extend(vec![0x66u8; 1 << 20]);
    let raw = raw();
    let mut expected = read_vec(&raw, 0, raw.len()).unwrap();
    expected[3 << 20..4 << 20].fill(0x66);
    expected[11 << 20..12 << 20].fill(0);
    let expected = MemoryBytes::new(expected);
    let guid: [u8; 16] = parent[392..408].try_into().unwrap();
    let name = format!("{{{}}}.vdi", crate::disk::guid_text(guid).to_lowercase());
    let shelf = Shelf::default().with("child.vdi", child).with(&name, parent);
    let disk = shelf.open("child.vdi").unwrap();
    assert!(disk.gaps.is_empty(), "{:?}", disk.gaps);
    assert_same(&*disk.bytes, &expected, expected.len());
}

/// An extent of ESX, as its snapshots are kept: a grain of one sector, tables of 4096.
#[test]
fn a_snapshot_of_esx_is_read_through_to_its_flat_parent() {
    let Some(path) = fixture("disks/flat.vmdk") else { return };
    let raw = raw();
    let base = String::from_utf8(std::fs::read(&path).unwrap()).unwrap();
    let line = |key: &str| {
        let found = base.lines().find_map(|line| line.strip_prefix(key));
        found.unwrap().trim_matches('"').to_owned()
    };
    let sectors = raw.len() as usize / SECTOR;
    let descriptor = format!(
        "# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID={}\n\
         createType=\"vmfsSparse\"\nparentFileNameHint=\"/vmfs/volumes/x/flat.vmdk\"\n\
         RW {sectors} VMFSSPARSE \"snap-000001-delta.vmdk\"\n",
        line("CID=")
    );
    let mut delta = vec![0u8; 4 * SECTOR];
    delta[..4].copy_from_slice(b"COWD");
    delta[12..16].copy_from_slice(&(sectors as u32).to_le_bytes());
    delta[16..20].copy_from_slice(&1u32.to_le_bytes());
    delta[20..24].copy_from_slice(&4u32.to_le_bytes());
    let tables = sectors.div_ceil(4096);
    delta.resize(4 * SECTOR + (tables * 4).div_ceil(SECTOR) * SECTOR, 0);
    for (at, length) in CHANGES {
        for sector in at / SECTOR..(at + length) / SECTOR {
            let entry = 4 * SECTOR + sector / 4096 * 4;
            if u32_at(&delta, entry) == 0 {
                let place = (delta.len() / SECTOR) as u32;
                delta[entry..entry + 4].copy_from_slice(&place.to_le_bytes());
                delta.resize(delta.len() + 4096 * 4, 0);
            }
            let slot = u32_at(&delta, entry) * SECTOR + sector % 4096 * 4;
            let place = (delta.len() / SECTOR) as u32;
            delta[slot..slot + 4].copy_from_slice(&place.to_le_bytes());
            delta.resize(delta.len() + SECTOR, 0x55);
        }
    }
    let flat = std::fs::read(path.with_file_name("flat-flat.vmdk")).unwrap();
    let shelf = Shelf::default()
        .with("snap-000001.vmdk", descriptor.into_bytes())
        .with("snap-000001-delta.vmdk", delta)
        .with("flat.vmdk", base.clone().into_bytes())
        .with("flat-flat.vmdk", flat);
    let disk = shelf.open("snap-000001.vmdk").unwrap();
    assert!(disk.gaps.is_empty(), "{:?}", disk.gaps);
    let expected = MemoryBytes::new(changed());
    assert_same(&*disk.bytes, &expected, expected.len());
}

/// A space-efficient extent, as newer ESX keeps snapshots; qemu-img reads it as well.
#[test]
fn a_space_efficient_snapshot_is_read_as_qemu_img_reads_it() {
    const GRAIN: usize = 4096;
    let Some(path) = fixture("disks/flat.vmdk") else { return };
    let raw = raw();
    let base = std::fs::read_to_string(&path).unwrap();
    let id = base.lines().find_map(|line| line.strip_prefix("CID=")).unwrap();
    let sectors = raw.len() as usize / SECTOR;
    let descriptor = format!(
        "# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID={id}\n\
         createType=\"seSparse\"\nparentFileNameHint=\"flat.vmdk\"\n\n\
         RW {sectors} SESPARSE \"snap-sesparse.vmdk\"\n"
    );
    let (directory, tables, grains) = (4096usize, 4104usize, 6000usize);
    let mut delta = vec![0u8; grains * SECTOR];
    let fields = [
        (0, 0xcafe_babe),
        (1, 0x2_0000_0001),
        (2, sectors),
        (3, 8),
        (4, 64),
        (10, 1),
        (11, 1),
        (12, 2),
        (13, 2),
        (14, 2048),
        (15, 2048),
        (16, directory),
        (17, 8),
        (18, tables),
        (19, 64 * 3),
        (24, grains),
        (25, 8),
        (64, 0xcafe_cafe),
    ];
    let put = |file: &mut [u8], word: usize, value: usize| {
        file[word * 8..word * 8 + 8].copy_from_slice(&value.to_le_bytes());
    };
    fields.iter().for_each(|(word, value)| put(&mut delta, *word, *value));
    let mut expected = read_vec(&raw, 0, raw.len()).unwrap();
    let table_words = 64 * SECTOR / 8;
    for number in 0..raw.len() as usize / GRAIN {
        // Every kind of entry; tables in another order than the directory.
        let entry = match number % 5 {
            0 => {
                let own = (delta.len() / SECTOR - grains) / 8;
                delta.resize(delta.len() + GRAIN, number as u8);
                expected[number * GRAIN..][..GRAIN].fill(number as u8);
                3 << 60 | (own & 0xfff) << 48 | own >> 12
            }
            1 => {
                expected[number * GRAIN..][..GRAIN].fill(0);
                (1 + number % 2) << 60
            }
            _ => 0,
        };
        let table = 2 - number / table_words;
        put(&mut delta, directory * SECTOR / 8 + number / table_words, 1 << 60 | table);
        let at = tables * SECTOR / 8 + table * table_words + number % table_words;
        put(&mut delta, at, entry);
    }
    let flat = std::fs::read(path.with_file_name("flat-flat.vmdk")).unwrap();
    let files = [
        ("snap.vmdk", descriptor.into_bytes()),
        ("snap-sesparse.vmdk", delta),
        ("flat.vmdk", base.clone().into_bytes()),
        ("flat-flat.vmdk", flat),
    ];
    let folder = tempfile::tempdir().unwrap();
    let shelf = files.into_iter().fold(Shelf::default(), |shelf, (name, bytes)| {
        std::fs::write(folder.path().join(name), &bytes).unwrap();
        shelf.with(name, bytes)
    });
    let disk = shelf.open("snap.vmdk").unwrap();
    assert!(disk.gaps.is_empty(), "{:?}", disk.gaps);
    let expected = MemoryBytes::new(expected);
    assert_same(&*disk.bytes, &expected, expected.len());
    let out = folder.path().join("disk.raw");
    let converted = std::process::Command::new("qemu-img")
        .args(["convert", "-f", "vmdk", "-O", "raw"])
        .args([&folder.path().join("snap.vmdk"), &out])
        .output();
    if let Ok(converted) = converted {
        assert!(converted.status.success(), "{converted:?}");
        // It takes the disk for twice as long: what it adds is not on it.
        assert!(std::fs::read(out).unwrap().starts_with(expected.as_slice()));
    }
}

#[test]
fn an_extent_that_is_missing_is_a_gap_and_the_others_are_read() {
    let Some(path) = fixture("disks/split.vmdk") else { return };
    let shelf = ["split.vmdk", "split-s001.vmdk", "split-s003.vmdk"]
        .iter()
        .fold(Shelf::default(), |shelf, name| {
            shelf.with(name, std::fs::read(path.with_file_name(name)).unwrap())
        });
    let disk = shelf.open("split.vmdk").unwrap();
    assert!(disk.gaps[0].0.contains("extents of a VMDK"), "{:?}", disk.gaps);
    let large = file(&fixture("disks/large.img").unwrap());
    for at in [11u64 << 20, 4390 << 20] {
        let got = read_vec(&*disk.bytes, at, 1 << 20).unwrap();
        assert!(got == read_vec(&*large.bytes, at, 1 << 20).unwrap());
    }
}
