//! Registry hives, compared with what hivex says of them, and ones built by hand.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

use lidless_io::{Counted, FileBytes, MemoryBytes, ReadAt, Tally};
use lidless_records::hive::{Hive, HiveState, Key, RegistryValue, unix_seconds};
use std::process::Command;
use std::sync::Arc;

fn open(bytes: Vec<u8>) -> Result<Hive, lidless_records::RecordError> {
    Hive::open(Arc::new(MemoryBytes::new(bytes)), Vec::new)
}

/// A value as `hivexregedit --export` writes it.
fn line(value: &RegistryValue) -> String {
    let name = value.name.replace('\\', "\\\\").replace('"', "\\\"");
    let name = if name.is_empty() { "@".to_owned() } else { format!("\"{name}\"") };
    if value.kind == 4 {
        return format!("{name}=dword:{:08x}", value.number().unwrap());
    }
    let hex: Vec<String> = value.data.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{name}=hex({:x}):{}", value.kind, hex.join(","))
}

fn export(hive: &Hive, key: &Key, path: &str, lines: &mut Vec<String>) {
    lines.push(format!("[{}]", if path.is_empty() { "\\" } else { path }));
    lines.extend(hive.values(key).unwrap().iter().map(|value| format!("{path} {}", line(value))));
    for child in hive.subkeys(key).unwrap() {
        export(hive, &child, &format!("{path}\\{}", child.name), lines);
    }
}

#[test]
fn every_key_and_value_is_what_hivex_says() {
    if lidless_kit::fixture("hive/SYSTEM").is_none() {
        return;
    }
    for name in ["SYSTEM", "SOFTWARE", "NTUSER.DAT", "SAM", "SECURITY", "MANY"] {
        let path = lidless_kit::fixture(&format!("hive/{name}")).unwrap();
        let hive = Hive::open(Arc::new(FileBytes::open(&path).unwrap()), Vec::new).unwrap();
        assert_eq!(hive.state(), HiveState::Clean);
        let mut ours = Vec::new();
        export(&hive, &hive.root().unwrap(), "", &mut ours);
        let output = Command::new("hivexregedit")
            .args(["--export", "--prefix", ""])
            .arg(&path)
            .arg("\\")
            .output()
            .unwrap();
        let mut theirs = Vec::new();
        let mut key = String::new();
        // Names come out in Latin-1.
        let text: String = output.stdout.iter().map(|byte| char::from(*byte)).collect();
        for line in text.lines().skip(1) {
            if let Some(name) = line.strip_prefix('[') {
                key = name.trim_end_matches(']').trim_end_matches('\\').to_owned();
                theirs.push(line.to_owned());
            } else if !line.is_empty() {
                theirs.push(format!("{key} {line}"));
            }
        }
        ours.sort();
        theirs.sort();
        for (one, other) in ours.iter().zip(&theirs) {
            assert_eq!(one, other, "{name}");
        }
        assert!(ours.len() == theirs.len() && ours.len() > 10, "{name}: {}", ours.len());
    }
}

#[test]
fn a_lookup_reads_a_few_blocks_whatever_the_size_of_the_hive() {
    let Some(path) = lidless_kit::fixture("hive/MANY") else { return };
    let tally = Tally::default();
    let bytes = Arc::new(Counted::new(Arc::new(FileBytes::open(&path).unwrap()), tally.clone()));
    let length = bytes.len();
    let hive = Hive::open(bytes, Vec::new).unwrap();
    let key = hive.key("classes\\KEY 00777").unwrap().unwrap();
    assert_eq!(hive.value(&key, "").unwrap().unwrap().text().as_deref(), Some("value 777"));
    assert_eq!(unix_seconds(key.written).is_some(), key.written != 0);
    let odd = hive.key("ärger\\NAÏVE").unwrap().unwrap();
    assert_eq!(hive.value(&odd, "GRÖSSE").unwrap(), None);
    assert_eq!(hive.value(&odd, "GRÖßE").unwrap().unwrap().number(), Some(7));
    let classes = hive.key("Classes").unwrap().unwrap();
    let several = hive.value(&classes, "several").unwrap().unwrap();
    assert_eq!(several.texts(), ["one", "two", "drei"]);
    assert!(hive.key("Classes\\key 99999\\x").unwrap().is_none());
    assert!(tally.requests() < 16 && tally.bytes() < length / 20, "{} requests", tally.requests());
}

/// A hive of cells put one after the other.
struct Builder(Vec<u8>);

impl Builder {
    fn cell(&mut self, data: &[u8]) -> u32 {
        let at = self.0.len() as u32 + 32;
        let size = (data.len() + 4).next_multiple_of(8);
        self.0.extend((-(size as i32)).to_le_bytes());
        self.0.extend(data);
        self.0.resize(at as usize - 32 + size, 0);
        at
    }

    fn key(
        &mut self,
        name: &str,
        subkeys: (u32, u32),
        values: (u32, u32),
        class: (u32, u16),
    ) -> u32 {
        let mut key = b"nk\x20\0".to_vec();
        key.extend([0; 16]);
        for number in [subkeys.0, 0, subkeys.1, u32::MAX, values.0, values.1, u32::MAX, class.0] {
            key.extend(number.to_le_bytes());
        }
        key.extend([0; 20]);
        key.extend((name.len() as u16).to_le_bytes());
        key.extend(class.1.to_le_bytes());
        key.extend(name.as_bytes());
        self.cell(&key)
    }

    fn list(&mut self, magic: &[u8], offsets: &[u32]) -> u32 {
        let mut list = magic.to_vec();
        list.extend((offsets.len() as u16).to_le_bytes());
        offsets.iter().for_each(|offset| list.extend(offset.to_le_bytes()));
        self.cell(&list)
    }

    fn finish(mut self, root: u32) -> Vec<u8> {
        let bins = (self.0.len() + 32).next_multiple_of(4096);
        self.0.resize(bins - 32, 0);
        let mut base = b"regf".to_vec();
        for number in [1u32, 1, 0, 0, 1, 5, 0, 1, root, bins as u32, 1] {
            base.extend(number.to_le_bytes());
        }
        base.resize(508, 0);
        let sum =
            base.chunks(4).fold(0, |sum, word| sum ^ u32::from_le_bytes(word.try_into().unwrap()));
        base.extend(u32::to_le_bytes(sum));
        base.resize(4096, 0);
        base.extend(b"hbin\0\0\0\0");
        base.extend((bins as u32).to_le_bytes());
        base.resize(4096 + 32, 0);
        base.extend(self.0);
        base
    }
}

const NOTHING: (u32, u32) = (0, u32::MAX);

fn by_hand() -> Vec<u8> {
    let mut hive = Builder(Vec::new());
    let pieces: Vec<u32> =
        [16_344, 16_344, 7_312].map(|size| hive.cell(&vec![size as u8; size])).into();
    let list = hive.cell(&pieces.iter().flat_map(|at| at.to_le_bytes()).collect::<Vec<_>>());
    let big = hive.cell(&[&b"db\x03\0"[..], &list.to_le_bytes()].concat());
    let mut value = b"vk\x03\0".to_vec();
    for number in [40_000, big, 3, 1] {
        value.extend(u32::to_le_bytes(number));
    }
    value.extend(b"big");
    let value = hive.cell(&value);
    let values = hive.cell(&value.to_le_bytes());
    let class: Vec<u8> = "hidden".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let class_at = hive.cell(&class);
    let leaves: Vec<u32> = ["one", "two", "three", "four"]
        .map(|name| hive.key(name, NOTHING, (1, values), (class_at, class.len() as u16)))
        .into();
    let lists = leaves.chunks(2).map(|two| hive.list(b"li", two)).collect::<Vec<_>>();
    let index = hive.list(b"ri", &lists);
    let root = hive.key("ROOT", (4, index), NOTHING, (u32::MAX, 0));
    hive.finish(root)
}

#[test]
fn lists_of_lists_and_values_in_pieces_are_read() {
    let hive = open(by_hand()).unwrap();
    let root = hive.root().unwrap();
    let names: Vec<String> = hive.subkeys(&root).unwrap().into_iter().map(|key| key.name).collect();
    assert_eq!(names, ["one", "two", "three", "four"]);
    let key = hive.key("FOUR").unwrap().unwrap();
    assert_eq!(hive.class(&key).unwrap().as_deref(), Some("hidden"));
    let big = hive.value(&key, "big").unwrap().unwrap();
    assert_eq!((big.data.len(), big.length), (40_000, 40_000));
    assert_eq!([big.data[0], big.data[16_343], big.data[39_999]], [16_344u16 as u8, 216, 144]);
}

fn exhaust(bytes: &[u8]) {
    fn below(hive: &Hive, key: &Key, left: &mut usize) {
        let _ = hive.values(key);
        let _ = hive.class(key);
        let _ = hive.value(key, "ComputerName");
        for child in hive.subkeys(key).unwrap_or_default() {
            if *left == 0 {
                return;
            }
            *left -= 1;
            below(hive, &child, left);
        }
    }
    let Ok(hive) = open(bytes.to_vec()) else { return };
    let _ = hive.key("ControlSet001\\Control\\ComputerName\\ComputerName");
    if let Ok(root) = hive.root() {
        // Keys may contain themselves: whoever walks a hive bounds the walk.
        below(&hive, &root, &mut 60);
    }
}

#[test]
fn a_damaged_hive_is_an_error_and_no_more() {
    lidless_kit::cut_and_flip(&by_hand(), exhaust);
    let Some(path) = lidless_kit::fixture("hive/SAM") else { return };
    lidless_kit::cut_and_flip(&std::fs::read(path).unwrap(), exhaust);
}

#[test]
fn lists_that_lie_about_their_length_are_cut() {
    let mut bytes = by_hand();
    let at = bytes.windows(2).rposition(|two| two == b"ri").unwrap();
    bytes[at + 2..at + 4].copy_from_slice(&u16::MAX.to_le_bytes());
    let hive = open(bytes.clone()).unwrap();
    assert_eq!(hive.subkeys(&hive.root().unwrap()).unwrap().len(), 4);
    // The list of lists is a list of itself.
    let own = (at - 4096 - 4) as u32;
    bytes[at + 4..at + 8].copy_from_slice(&own.to_le_bytes());
    let hive = open(bytes).unwrap();
    assert!(hive.subkeys(&hive.root().unwrap()).is_err());
}
