//! A registry hive with keys and values (the layout is described by the "Windows registry file
//! format specification" of the msuhanov project; hivex reads these hives).

use super::block::{Block, count, small, utf16};
use std::collections::BTreeMap;

/// The value of a name.
#[derive(Debug, Clone)]
pub(in super::super) enum Value {
    /// REG_SZ.
    Text(String),
    /// REG_DWORD.
    Number(u32),
}

/// A key, with its values and the keys below.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Key {
    values: Vec<(String, Value)>,
    keys: BTreeMap<String, Key>,
}

const NONE: u32 = u32::MAX;
/// The 2nd of March 2021, in units of 100 ns since 1601.
const WHEN: u64 = 132_591_636_120_000_000;

impl Key {
    /// Sets a value of the key at `path` (`\` between the parts), making what is missing.
    pub(in super::super) fn set(&mut self, path: &str, name: &str, value: Value) -> &mut Self {
        let mut key = &mut *self;
        for part in path.split('\\').filter(|part| !part.is_empty()) {
            key = key.keys.entry(part.to_owned()).or_default();
        }
        key.values.push((name.to_owned(), value));
        self
    }

    /// Sets a text.
    pub(in super::super) fn text(&mut self, path: &str, name: &str, value: &str) -> &mut Self {
        self.set(path, name, Value::Text(value.to_owned()))
    }

    /// The hive, with this key as its root.
    pub(in super::super) fn hive(&self, file_name: &str) -> Vec<u8> {
        let mut cells = Cells { bin: Block::new(32) };
        let root = self.write("ROOT", NONE, &mut cells);
        let mut bin = cells.bin;
        // What is left of the bin is one free cell.
        let used = bin.len();
        let size = used.saturating_add(8).next_multiple_of(4096);
        bin.push(&small::<u32>(count(size.saturating_sub(used))).to_le_bytes()).align(4096);
        bin.put(0, b"hbin").u32(8, small(count(size)));
        let mut base = Block::new(4096);
        base.put(0, b"regf").u32(4, 1).u32(8, 1).u64(12, WHEN).u32(20, 1).u32(24, 5);
        base.u32(32, 1).u32(36, root).u32(40, small(count(size))).u32(44, 1);
        base.put(48, &utf16(file_name));
        let sum = base
            .bytes()
            .chunks_exact(4)
            .take(127)
            .filter_map(|word| word.try_into().ok().map(u32::from_le_bytes))
            .fold(0, |sum: u32, word| sum ^ word);
        base.u32(508, sum).push(bin.bytes());
        base.into_bytes()
    }

    /// Writes the key and what is below it; answers its offset.
    fn write(&self, name: &str, parent: u32, cells: &mut Cells) -> u32 {
        let mut record = Block::new(76);
        record.put(0, b"nk").u16(2, if parent == NONE { 0x2c } else { 0x20 }).u64(4, WHEN);
        record.u32(16, parent).u32(20, small(count(self.keys.len())));
        record.u32(28, NONE).u32(32, NONE).u32(36, small(count(self.values.len()))).u32(40, NONE);
        record.u32(44, NONE).u32(48, NONE).u16(72, small(count(name.len())));
        record.push(name.as_bytes());
        let own = cells.add(record.bytes());
        let at = usize::try_from(own).unwrap_or(0).saturating_add(4);
        let mut list = Block::new(4);
        list.put(0, b"lf").u16(2, small(count(self.keys.len())));
        let mut sorted: Vec<_> = self.keys.iter().collect();
        sorted.sort_by_key(|(name, _)| name.to_uppercase());
        for (name, key) in sorted {
            let place = key.write(name, own, cells);
            let mut hint = [0; 4];
            hint.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from);
            list.push(&place.to_le_bytes()).push(&hint);
        }
        if !self.keys.is_empty() {
            let place = cells.add(list.bytes());
            cells.bin.u32(at.saturating_add(28), place);
        }
        if !self.values.is_empty() {
            let mut list = Block::default();
            for (name, value) in &self.values {
                list.push(&value.write(name, cells).to_le_bytes());
            }
            let place = cells.add(list.bytes());
            cells.bin.u32(at.saturating_add(40), place);
        }
        own
    }
}

impl Value {
    fn write(&self, name: &str, cells: &mut Cells) -> u32 {
        let mut record = Block::new(20);
        record.put(0, b"vk").u16(2, small(count(name.len()))).u16(16, 1);
        match self {
            Self::Text(text) => {
                let mut data = utf16(text);
                data.extend([0, 0]);
                let place = cells.add(&data);
                record.u32(4, small(count(data.len()))).u32(8, place).u32(12, 1);
            }
            Self::Number(number) => {
                record.u32(4, 0x8000_0004).u32(8, *number).u32(12, 4);
            }
        }
        record.push(name.as_bytes());
        cells.add(record.bytes())
    }
}

struct Cells {
    bin: Block,
}

impl Cells {
    /// Adds a cell in use; answers its offset from the first bin.
    fn add(&mut self, bytes: &[u8]) -> u32 {
        let at = small(count(self.bin.len()));
        let size = bytes.len().saturating_add(4).next_multiple_of(8);
        let negative = i32::try_from(size).unwrap_or(i32::MAX).wrapping_neg();
        self.bin.push(&negative.to_le_bytes()).push(bytes).align(8);
        at
    }
}
