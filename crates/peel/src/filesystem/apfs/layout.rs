//! Objects, nodes, and their records.

use lidless_io::number::{u16_le, u32_le, u64_le};

/// The format's name in reports.
pub(super) const APFS: &str = "APFS";
/// Where a node's table is counted from.
const TABLE: usize = 56;
/// The flag of a node whose header is left empty.
const HEADLESS: u16 = 0x10;
/// What a root keeps at its end about the whole tree.
const INFO: usize = 40;

/// Whether the checksum of an object is right.
pub(super) fn is_whole(block: &[u8]) -> bool {
    const MODULUS: u64 = 0xffff_ffff;
    let (mut low, mut high) = (0u64, 0u64);
    for word in block.get(8..).unwrap_or(&[]).chunks_exact(4) {
        low = low.wrapping_add(u64::from(u32_le(word, 0).unwrap_or(0))) % MODULUS;
        high = high.wrapping_add(low) % MODULUS;
    }
    let first = MODULUS.wrapping_sub(low.wrapping_add(high) % MODULUS);
    let second = MODULUS.wrapping_sub(low.wrapping_add(first) % MODULUS);
    u64_le(block, 0) == Some(second.wrapping_shl(32) | first)
}

/// The number of an object and its type without its flags.
pub(super) fn object(block: &[u8]) -> Option<(u64, u32)> {
    Some((u64_le(block, 8)?, u32_le(block, 24)? & 0xffff))
}

/// A node of a B-tree.
pub(super) struct Node<'a> {
    bytes: &'a [u8],
    flags: u16,
    count: usize,
    table: usize,
    /// Where keys begin, and values end.
    keys: usize,
    values: usize,
}

impl<'a> Node<'a> {
    /// Reads the node of a name: types 2 and 3 are those of trees. Nodes of sealed volumes have
    /// no header to be told by.
    pub(super) fn parse(bytes: &'a [u8], name: u64) -> Option<Self> {
        let flags = u16_le(bytes, 32)?;
        let (number, kind) = object(bytes)?;
        if flags & HEADLESS == 0 && !(matches!(kind, 2 | 3) && number == name) {
            return None;
        }
        let table = TABLE.checked_add(usize::from(u16_le(bytes, 40)?))?;
        let keys = table.checked_add(usize::from(u16_le(bytes, 42)?))?;
        let info = if flags & 1 != 0 { INFO } else { 0 };
        let values = bytes.len().checked_sub(info)?;
        // A record takes at least four bytes of the table.
        let count = usize::try_from(u32_le(bytes, 36)?).ok()?.min(bytes.len() / 4);
        Some(Self { bytes, flags, count, table, keys, values })
    }

    pub(super) fn is_leaf(&self) -> bool {
        self.flags & 2 != 0
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The key and the value of a record, and where in the node the value begins. Those of fixed
    /// sizes are answered to the end of the node.
    pub(super) fn record(&self, index: usize) -> Option<(&'a [u8], &'a [u8], usize)> {
        let fixed = self.flags & 4 != 0;
        let place = index.checked_mul(if fixed { 4 } else { 8 })?.checked_add(self.table)?;
        let number = |at: usize| u16_le(self.bytes, place.checked_add(at)?).map(usize::from);
        let key = self.bytes.get(self.keys.checked_add(number(0)?)?..)?;
        let back = number(if fixed { 2 } else { 4 })?;
        let from = self.values.checked_sub(back)?;
        let value = self.bytes.get(from..self.values)?;
        if fixed {
            return Some((key, value, from));
        }
        Some((key.get(..number(2)?)?, value.get(..number(6)?)?, from))
    }
}
