//! The table by which exFAT compares names (specification, section 7.2): the upper case of each
//! unit of UTF-16 from 0 on; `ffff` and a number stand for that many units that are their own.

use lidless_io::utf16::units_le;

/// An up-case table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UpCase(Vec<u16>);

impl UpCase {
    /// Reads a table whose sum is `sum`; what is not a table gives none.
    pub(super) fn parse(bytes: &[u8], sum: u32) -> Option<Self> {
        let own =
            bytes.iter().fold(0u32, |sum, byte| sum.rotate_right(1).wrapping_add(u32::from(*byte)));
        if own != sum || bytes.is_empty() {
            return None;
        }
        let mut units = units_le(bytes);
        let mut table: Vec<u16> = Vec::new();
        while let Some(unit) = units.next() {
            let count = if unit == 0xffff { units.next().unwrap_or(0) } else { 0 };
            if count == 0 {
                table.push(unit);
            }
            for _ in 0..count {
                table.push(u16::try_from(table.len()).ok()?);
            }
            if table.len() > 1 << 16 {
                return None;
            }
        }
        Some(Self(table))
    }

    /// A name in the form in which equal names are equal.
    pub(super) fn folded(&self, name: &str) -> Vec<u16> {
        name.encode_utf16()
            .map(|unit| self.0.get(usize::from(unit)).copied().unwrap_or(unit))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_with_gaps_is_spread_out() {
        let units = [0xffffu16, 0x61, u16::from(b'A'), 0xffff, 2, u16::from(b'D')];
        let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let sum =
            bytes.iter().fold(0u32, |sum, byte| sum.rotate_right(1).wrapping_add((*byte).into()));
        let table = UpCase::parse(&bytes, sum).unwrap();
        assert_eq!(table.folded("abcdé"), "AbcDé".encode_utf16().collect::<Vec<_>>());
        assert_eq!(UpCase::parse(&bytes, sum ^ 1), None);
    }
}
