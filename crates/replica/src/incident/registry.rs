//! Registry hives with a few keys, in a file as long as those of a machine in use
//! (M. Suhanov, "Windows registry file format specification").

use crate::source::Source;

/// The content of a value.
pub(super) enum Data {
    Text(String),
    Number(u32),
    Time(u64),
}

/// A key, its values, the keys below it.
pub(super) struct Key {
    pub(super) name: String,
    pub(super) values: Vec<(&'static str, Data)>,
    pub(super) below: Vec<Key>,
}

/// A key by its path, with values at its end.
pub(super) fn key(path: &str, values: Vec<(&'static str, Data)>) -> Key {
    let mut parts = path.split('\\').rev();
    let name = parts.next().unwrap_or("").to_owned();
    let last = Key { name, values, below: Vec::new() };
    parts.fold(last, |below, name| Key {
        name: name.to_owned(),
        values: Vec::new(),
        below: vec![below],
    })
}

const NOTHING: u32 = u32::MAX;
/// 2023-06-20T20:00:00Z, in units of 100 ns since 1601.
pub(super) const WHEN: u64 = 133_317_648_000_000_000;

struct Cells(Vec<u8>);

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Cells {
    /// Writes a cell and says where; offsets count from the bin's own header of 32 bytes.
    fn add(&mut self, data: &[u8]) -> u32 {
        let at = narrow(self.0.len()).saturating_add(32);
        let size = data.len().saturating_add(4).next_multiple_of(8);
        let end = self.0.len().saturating_add(size);
        self.0.extend(0_u32.wrapping_sub(narrow(size)).to_le_bytes());
        self.0.extend_from_slice(data);
        self.0.resize(end, 0);
        at
    }

    fn list(&mut self, offsets: &[u32]) -> u32 {
        let bytes: Vec<u8> = offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect();
        self.add(&bytes)
    }

    fn value(&mut self, name: &str, data: &Data) -> u32 {
        let (kind, bytes) = match data {
            Data::Text(text) => {
                let units = text.encode_utf16().chain([0]);
                (1_u32, units.flat_map(u16::to_le_bytes).collect::<Vec<u8>>())
            }
            Data::Number(number) => (4, number.to_le_bytes().to_vec()),
            Data::Time(time) => (3, time.to_le_bytes().to_vec()),
        };
        let mut value = b"vk".to_vec();
        value.extend(u16::try_from(name.len()).unwrap_or(0).to_le_bytes());
        if let Data::Number(number) = data {
            value.extend(0x8000_0004_u32.to_le_bytes());
            value.extend(number.to_le_bytes());
        } else {
            value.extend(narrow(bytes.len()).to_le_bytes());
            value.extend(self.add(&bytes).to_le_bytes());
        }
        value.extend(kind.to_le_bytes());
        value.extend([1, 0, 0, 0]);
        value.extend_from_slice(name.as_bytes());
        self.add(&value)
    }

    fn key(&mut self, key: &Key) -> u32 {
        let below: Vec<u32> = key.below.iter().map(|below| self.key(below)).collect();
        let values: Vec<u32> =
            key.values.iter().map(|(name, data)| self.value(name, data)).collect();
        let mut list = b"li".to_vec();
        list.extend(u16::try_from(below.len()).unwrap_or(0).to_le_bytes());
        list.extend(below.iter().flat_map(|offset| offset.to_le_bytes()));
        let list = if below.is_empty() { NOTHING } else { self.add(&list) };
        let own = if values.is_empty() { NOTHING } else { self.list(&values) };
        let mut node = b"nk\x20\0".to_vec();
        node.extend(WHEN.to_le_bytes());
        node.extend([0; 8]);
        for number in
            [narrow(below.len()), 0, list, NOTHING, narrow(values.len()), own, NOTHING, NOTHING]
        {
            node.extend(number.to_le_bytes());
        }
        node.extend([0; 20]);
        node.extend(u16::try_from(key.name.len()).unwrap_or(0).to_le_bytes());
        node.extend([0; 2]);
        node.extend_from_slice(key.name.as_bytes());
        self.add(&node)
    }
}

/// A hive of `size` bytes with some keys below its root.
pub(super) fn hive(size: u64, file_name: &str, below: Vec<Key>) -> Source {
    let mut cells = Cells(Vec::new());
    let root = cells.key(&Key { name: "ROOT".into(), values: Vec::new(), below });
    let length = cells.0.len().saturating_add(32).next_multiple_of(4096);
    let mut base = b"regf\x01\0\0\0\x01\0\0\0".to_vec();
    base.extend(WHEN.to_le_bytes());
    base.extend([1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
    base.extend(root.to_le_bytes());
    base.extend(narrow(length).to_le_bytes());
    base.extend(1_u32.to_le_bytes());
    for unit in file_name.encode_utf16() {
        base.extend(unit.to_le_bytes());
    }
    base.resize(508, 0);
    let sum = base
        .chunks_exact(4)
        .filter_map(|word| word.try_into().ok().map(u32::from_le_bytes))
        .fold(0, |sum: u32, word| sum ^ word);
    base.extend(sum.to_le_bytes());
    let mut bin = b"hbin\0\0\0\0".to_vec();
    bin.extend(narrow(length).to_le_bytes());
    bin.resize(32, 0);
    let used = cells.0.len();
    bin.extend(cells.0);
    // The rest of the bin is one free cell.
    let free = length.saturating_sub(32).saturating_sub(used);
    bin.extend(narrow(free).to_le_bytes());
    bin.resize(length.max(bin.len()), 0);
    Source::sparse(size, vec![(0, base.into()), (4096, bin.into())])
}
