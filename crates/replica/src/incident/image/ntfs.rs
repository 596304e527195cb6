//! An NTFS volume with a tree of files: boot sector, file records, directory indexes.
//!
//! Version 3.1, clusters of 4,096 bytes, records of 1,024 (the layout is described by the Linux
//! NTFS documentation project and by sleuthkit, which reads these volumes in a test).

use super::block::{Block, count, small, utf16};
use super::file::{Content, File, Pieces, Tree};

const CLUSTER: u64 = 4096;
const SECTOR: u64 = 512;
const RECORD: usize = 1024;
/// Where the master file table begins, in clusters.
const MFT: u64 = 4096;
const MIRROR: u64 = 2;
/// Where contents begin, in clusters: behind a table of 16 MiB.
const CONTENTS: u64 = 16_384;
/// The first record that is no system file.
const FIRST: u64 = 24;
const ROOT: u64 = 5;
/// The 2nd of March 2021, in units of 100 ns since 1601.
const WHEN: u64 = 132_591_636_120_000_000;
/// Room for index entries in a record, and in a block of an index.
const IN_ROOT: usize = 480;
const IN_BLOCK: usize = 4096 - 0x40 - 0x18;

const STANDARD: u32 = 0x10;
const NAME: u32 = 0x30;
const VOLUME_NAME: u32 = 0x60;
const VOLUME: u32 = 0x70;
const DATA: u32 = 0x80;
const INDEX_ROOT: u32 = 0x90;
const INDEX: u32 = 0xa0;
const BITMAP: u32 = 0xb0;

/// The pieces of a volume of `size` bytes with the files.
pub(super) fn volume(size: u64, label: &str, files: &[File]) -> Pieces {
    let tree = Tree::new(files);
    let mut writer = Writer { pieces: Vec::new(), next: CONTENTS, size, records: Vec::new() };
    writer.system(label);
    for (number, (name, parent, file)) in tree.nodes.iter().enumerate().skip(1) {
        let own = record_of(number);
        let mut record = Record::new(own, file.is_none());
        record.resident(STANDARD, "", &standard());
        let size = file.map_or(0, File::size);
        let key = file_name(record_of(*parent), name, size, file.is_none());
        record.indexed(NAME, &key);
        match file {
            Some(file) => writer.data(&mut record, &file.content),
            None => writer.index(&mut record, &tree, number),
        }
        writer.put(own, record);
    }
    let mut root = Record::new(ROOT, true);
    root.resident(STANDARD, "", &standard());
    root.indexed(NAME, &file_name(ROOT, ".", 0, true));
    writer.index(&mut root, &tree, 0);
    writer.put(ROOT, root);
    writer.finish()
}

fn record_of(node: usize) -> u64 {
    if node == 0 { ROOT } else { FIRST.saturating_add(count(node)).saturating_sub(1) }
}

/// A reference: record and its sequence number, 1 for all but the first system files.
fn reference(record: u64) -> u64 {
    record | u64::from(sequence(record)) << 48
}

fn sequence(record: u64) -> u16 {
    if (1..16).contains(&record) { small(record) } else { 1 }
}

fn standard() -> Vec<u8> {
    let mut value = Block::new(0x48);
    for at in [0, 8, 16, 24] {
        value.u64(at, WHEN);
    }
    value.u32(0x20, 0x20);
    value.into_bytes()
}

fn file_name(parent: u64, name: &str, size: u64, folder: bool) -> Vec<u8> {
    let name = utf16(name);
    let mut value = Block::new(0x42);
    value.u64(0, reference(parent));
    for at in [8, 16, 24, 32] {
        value.u64(at, WHEN);
    }
    value.u64(0x28, size.next_multiple_of(CLUSTER)).u64(0x30, size);
    value.u32(0x38, if folder { 0x1000_0000 } else { 0x20 });
    value.put(0x40, &[small(count(name.len() / 2)), 3]);
    value.push(&name);
    value.into_bytes()
}

/// A file record under construction.
struct Record {
    head: Block,
    attributes: Vec<(u32, String, Vec<u8>)>,
}

impl Record {
    fn new(number: u64, folder: bool) -> Self {
        let mut head = Block::new(0x38);
        head.put(0, b"FILE").u16(4, 0x30).u16(6, 3).u16(0x10, sequence(number)).u16(0x12, 1);
        head.u16(0x14, 0x38).u16(0x16, if folder { 3 } else { 1 });
        head.u32(0x1c, small(count(RECORD))).u32(0x2c, small(number));
        Self { head, attributes: Vec::new() }
    }

    fn resident(&mut self, kind: u32, name: &str, value: &[u8]) {
        self.add(kind, name, value, 0);
    }

    fn indexed(&mut self, kind: u32, value: &[u8]) {
        self.add(kind, "", value, 1);
    }

    fn add(&mut self, kind: u32, name: &str, value: &[u8], indexed: u8) {
        let wide = utf16(name);
        let begins = 0x18_usize.saturating_add(wide.len()).next_multiple_of(8);
        let mut attribute = Block::new(begins);
        attribute.u32(0, kind).put(9, &[small(count(wide.len() / 2))]).u16(10, 0x18);
        attribute.u16(14, small(count(self.attributes.len())));
        attribute.u32(16, small(count(value.len()))).u16(20, small(count(begins)));
        attribute.put(22, &[indexed]).put(0x18, &wide);
        attribute.push(value).align(8);
        let length = attribute.len();
        attribute.u32(4, small(count(length)));
        self.attributes.push((kind, name.to_owned(), attribute.into_bytes()));
    }

    /// An attribute on clusters: runs of (first cluster, clusters).
    fn on_clusters(&mut self, kind: u32, name: &str, runs: &[(u64, u64)], size: u64) {
        let wide = utf16(name);
        let begins = 0x40_usize.saturating_add(wide.len()).next_multiple_of(8);
        let clusters: u64 = runs.iter().map(|(_, length)| *length).sum();
        let allocated = clusters.saturating_mul(CLUSTER);
        let mut attribute = Block::new(begins);
        attribute.u32(0, kind).put(8, &[1, small(count(wide.len() / 2))]).u16(10, 0x40);
        attribute.u16(14, small(count(self.attributes.len())));
        attribute.u64(24, clusters.saturating_sub(1)).u16(32, small(count(begins)));
        attribute.u64(40, allocated).u64(48, size).u64(56, size).put(0x40, &wide);
        let mut before = 0_i64;
        for (first, length) in runs {
            let at = i64::try_from(*first).unwrap_or(0);
            let delta = at.saturating_sub(before).to_le_bytes();
            before = at;
            // Four bytes of length and six of distance hold any volume.
            attribute.push(&[0x64]);
            attribute.push(length.to_le_bytes().get(..4).unwrap_or_default());
            attribute.push(delta.get(..6).unwrap_or_default());
        }
        attribute.push(&[0]).align(8);
        let length = attribute.len();
        attribute.u32(4, small(count(length)));
        self.attributes.push((kind, name.to_owned(), attribute.into_bytes()));
    }

    fn into_bytes(mut self) -> Vec<u8> {
        self.attributes.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        let mut record = self.head;
        let names = self.attributes.len();
        for (_, _, attribute) in &self.attributes {
            record.push(attribute);
        }
        record.push(&[0xff; 4]).push(&[0; 4]);
        let used = record.len();
        record.u32(0x18, small(count(used))).u16(0x28, small(count(names)));
        let mut bytes = record.into_bytes();
        bytes.resize(RECORD, 0);
        protected(bytes, 0x30)
    }
}

/// Sets the update sequence: the last two bytes of each sector move into the array at `at`.
fn protected(bytes: Vec<u8>, at: usize) -> Vec<u8> {
    let mut block = Block::default();
    block.push(&bytes).put(at, &[1, 0]);
    for (number, sector) in bytes.chunks(512).enumerate() {
        let end = number.saturating_add(1).saturating_mul(512).saturating_sub(2);
        let slot = number.saturating_add(1).saturating_mul(2).saturating_add(at);
        block.put(slot, sector.get(510..).unwrap_or_default()).put(end, &[1, 0]);
    }
    block.into_bytes()
}

struct Writer {
    pieces: Pieces,
    /// The next free cluster.
    next: u64,
    size: u64,
    records: Vec<(u64, Vec<u8>)>,
}

impl Writer {
    fn put(&mut self, number: u64, record: Record) {
        self.records.push((number, record.into_bytes()));
    }

    fn piece(&mut self, cluster: u64, bytes: Vec<u8>) {
        self.pieces.push((cluster.saturating_mul(CLUSTER), bytes.into()));
    }

    fn allocate(&mut self, size: u64) -> (u64, u64) {
        let clusters = size.div_ceil(CLUSTER);
        let first = self.next;
        self.next = self.next.saturating_add(clusters);
        (first, clusters)
    }

    fn data(&mut self, record: &mut Record, content: &Content) {
        match content {
            Content::Bytes(bytes) if bytes.len() <= 560 => record.resident(DATA, "", bytes),
            Content::Bytes(bytes) => {
                let size = count(bytes.len());
                let (first, clusters) = self.allocate(size);
                // Large files lie in two parts, as on a disk that was used.
                if clusters > 64 {
                    let half = clusters / 2;
                    let cut = usize::try_from(half.saturating_mul(CLUSTER)).unwrap_or(0);
                    let (one, two) = bytes.split_at_checked(cut).unwrap_or((bytes, &[]));
                    let second = first.saturating_add(half).saturating_add(8);
                    self.next = self.next.saturating_add(8);
                    self.piece(first, one.to_vec());
                    self.piece(second, two.to_vec());
                    let runs = [(first, half), (second, clusters.saturating_sub(half))];
                    record.on_clusters(DATA, "", &runs, size);
                } else {
                    self.piece(first, bytes.clone());
                    record.on_clusters(DATA, "", &[(first, clusters)], size);
                }
            }
            Content::Zeros(size) => {
                let run = self.allocate(*size);
                record.on_clusters(DATA, "", &[run], *size);
            }
        }
    }

    /// The index of a directory: in the record while it fits, else in blocks below it.
    fn index(&mut self, record: &mut Record, tree: &Tree<'_>, folder: usize) {
        let mut entries: Vec<(Vec<u16>, Vec<u8>)> = Vec::new();
        for number in tree.children(folder) {
            let Some((name, _, file)) = tree.nodes.get(number) else { continue };
            let size = file.map_or(0, File::size);
            let key = file_name(record_of(folder), name, size, file.is_none());
            let upper = name.to_uppercase().encode_utf16().collect();
            entries.push((upper, entry(reference(record_of(number)), &key, None)));
        }
        entries.sort();
        let entries: Vec<Vec<u8>> = entries.into_iter().map(|(_, entry)| entry).collect();
        if entries.iter().map(Vec::len).sum::<usize>() <= IN_ROOT {
            let mut all = entries.concat();
            all.extend(entry(0, &[], None));
            record.resident(INDEX_ROOT, "$I30", &root(&all, false));
            return;
        }
        let mut blocks: Vec<Vec<u8>> = vec![Vec::new()];
        let mut above: Vec<u8> = Vec::new();
        for one in entries {
            let full =
                blocks.last().is_some_and(|last| last.len().saturating_add(one.len()) > IN_BLOCK);
            if full {
                // The first that does not fit stands above, and points to what is before it.
                above.extend(with_child(&one, count(blocks.len()).saturating_sub(1)));
                blocks.push(Vec::new());
            } else if let Some(last) = blocks.last_mut() {
                last.extend(one);
            }
        }
        above.extend(entry(0, &[], Some(count(blocks.len()).saturating_sub(1))));
        let size = count(blocks.len()).saturating_mul(CLUSTER);
        let (first, clusters) = self.allocate(size);
        for (number, entries) in blocks.iter().enumerate() {
            let mut all = entries.clone();
            all.extend(entry(0, &[], None));
            let mut block = Block::new(0x40);
            block.put(0, b"INDX").u16(4, 0x28).u16(6, 9).u64(0x10, count(number));
            block.u32(0x18, 0x28).u32(0x1c, small(count(all.len().saturating_add(0x28))));
            block.u32(0x20, 4096 - 0x18).push(&all).align(4096);
            self.piece(first.saturating_add(count(number)), protected(block.into_bytes(), 0x28));
        }
        record.resident(INDEX_ROOT, "$I30", &root(&above, true));
        record.on_clusters(INDEX, "$I30", &[(first, clusters)], size);
        let used = (1_u64 << blocks.len().min(63)).wrapping_sub(1);
        record.resident(BITMAP, "$I30", &used.to_le_bytes());
    }

    fn system(&mut self, label: &str) {
        let clusters = self.size / CLUSTER;
        let (bitmap, bitmap_clusters) = self.allocate(clusters.div_ceil(8));
        let (log, log_clusters) = self.allocate(2 << 20);
        let (upper, upper_clusters) = self.allocate(128 << 10);
        self.piece(upper, upper_case());
        for (number, name, run, size) in [
            (1, "$MFTMirr", (MIRROR, 1), 4096),
            (2, "$LogFile", (log, log_clusters), 2 << 20),
            (4, "$AttrDef", (0, 0), 0),
            (6, "$Bitmap", (bitmap, bitmap_clusters), clusters.div_ceil(8)),
            (7, "$Boot", (0, 2), 8192),
            (8, "$BadClus", (0, 0), 0),
            (9, "$Secure", (0, 0), 0),
            (10, "$UpCase", (upper, upper_clusters), 128 << 10),
        ] {
            let mut record = system_record(number, name);
            match run {
                (_, 0) => record.resident(DATA, "", &[]),
                run => record.on_clusters(DATA, "", &[run], size),
            }
            self.put(number, record);
        }
        let mut volume = system_record(3, "$Volume");
        volume.resident(VOLUME_NAME, "", &utf16(label));
        volume.resident(VOLUME, "", &[0, 0, 0, 0, 0, 0, 0, 0, 3, 1, 0, 0]);
        volume.resident(DATA, "", &[]);
        self.put(3, volume);
        let mut extend = Record::new(11, true);
        extend.resident(STANDARD, "", &standard());
        extend.indexed(NAME, &file_name(ROOT, "$Extend", 0, true));
        extend.resident(INDEX_ROOT, "$I30", &root(&entry(0, &[], None), false));
        self.put(11, extend);
    }

    fn finish(mut self) -> Pieces {
        let last = self.records.iter().map(|(number, _)| *number).max().unwrap_or(FIRST);
        let records = last.saturating_add(1).next_multiple_of(8);
        let size = records.saturating_mul(count(RECORD));
        let clusters = size.div_ceil(CLUSTER);
        let mut table = system_record(0, "$MFT");
        table.on_clusters(DATA, "", &[(MFT, clusters)], size);
        let mut used = vec![0_u8; usize::try_from(records.div_ceil(8)).unwrap_or(0)];
        for (number, _) in self.records.iter().chain(std::iter::once(&(0, Vec::new()))) {
            let place = usize::try_from(number / 8).unwrap_or(usize::MAX);
            if let Some(byte) = used.get_mut(place) {
                *byte |= 1_u8.wrapping_shl(small(number % 8));
            }
        }
        let (first, length) = self.allocate(count(used.len()));
        table.on_clusters(BITMAP, "", &[(first, length)], count(used.len()));
        self.piece(first, used);
        self.put(0, table);
        let mut whole = Block::new(usize::try_from(size).unwrap_or(0));
        for (number, record) in &self.records {
            let at = number.saturating_mul(count(RECORD));
            whole.put(usize::try_from(at).unwrap_or(usize::MAX), record);
        }
        let mirror = whole.bytes().get(..4096).unwrap_or_default().to_vec();
        self.piece(MIRROR, mirror);
        self.piece(MFT, whole.into_bytes());
        let boot = boot(self.size);
        self.pieces.push((self.size.saturating_sub(SECTOR), boot.clone().into()));
        self.pieces.push((0, boot.into()));
        self.pieces
    }
}

fn system_record(number: u64, name: &str) -> Record {
    let mut record = Record::new(number, false);
    record.resident(STANDARD, "", &standard());
    record.indexed(NAME, &file_name(ROOT, name, 0, false));
    record
}

/// An entry of an index; one without a key ends it.
fn entry(reference: u64, key: &[u8], child: Option<u64>) -> Vec<u8> {
    let mut entry = Block::new(16);
    entry.u64(0, reference).u16(10, small(count(key.len())));
    entry.u16(12, if key.is_empty() { 2 } else { 0 }).push(key).align(8);
    let length = entry.len();
    entry.u16(8, small(count(length)));
    match child {
        Some(child) => with_child(entry.bytes(), child),
        None => entry.into_bytes(),
    }
}

/// The same entry with the block below it.
fn with_child(entry: &[u8], child: u64) -> Vec<u8> {
    let flags = entry.get(12).copied().unwrap_or(0) | 1;
    let mut block = Block::default();
    block.push(entry).push(&child.to_le_bytes());
    let length = block.len();
    block.u16(8, small(count(length))).put(12, &[flags]);
    block.into_bytes()
}

fn root(entries: &[u8], has_blocks: bool) -> Vec<u8> {
    let size = small(count(entries.len().saturating_add(16)));
    let mut value = Block::new(32);
    value.u32(0, NAME).u32(4, 1).u32(8, 4096).put(12, &[1]);
    value.u32(16, 16).u32(20, size).u32(24, size).put(28, &[u8::from(has_blocks)]);
    value.push(entries);
    value.into_bytes()
}

fn boot(size: u64) -> Vec<u8> {
    let mut boot = Block::new(512);
    boot.put(0, b"\xeb\x52\x90NTFS    ").u16(0x0b, 512).put(0x0d, &[8]).put(0x15, &[0xf8]);
    boot.u16(0x18, 63).u16(0x1a, 255).u32(0x24, 0x0080_0080);
    boot.u64(0x28, (size / SECTOR).saturating_sub(1)).u64(0x30, MFT).u64(0x38, MIRROR);
    boot.put(0x40, &[0xf6]).put(0x44, &[1]).u64(0x48, 0x1e1d_1e55_0000_0001);
    boot.u16(510, 0xaa55);
    boot.into_bytes()
}

fn upper_case() -> Vec<u8> {
    (0..=u16::MAX)
        .flat_map(|unit| {
            let upper = char::from_u32(u32::from(unit)).map_or(unit, |letter| {
                let mut all = letter.to_uppercase();
                match (all.next(), all.next()) {
                    (Some(one), None) => u16::try_from(u32::from(one)).unwrap_or(unit),
                    _ => unit,
                }
            });
            upper.to_le_bytes()
        })
        .collect()
}
