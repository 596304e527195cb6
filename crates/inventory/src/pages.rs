//! How large the pages of a Parquet file say they are, read before the library makes room for
//! them: a few bytes can claim two gigabytes.
//!
//! A page's header is a Thrift struct in the compact protocol (parquet-format, `PageHeader`):
//! field 2 is the size of the page unpacked, field 3 packed; what else there is, is skipped.

use lidless_io::{ReadAt, read_vec};

/// Writers make pages of about 1 MiB.
const PAGE_BYTES: u64 = 64 << 20;
/// A header has statistics in it: two values of a column.
const HEADER_BYTES: [u64; 2] = [1 << 10, 1 << 18];
/// Structs in structs; real headers have two.
const DEPTH: usize = 8;

/// Follows the pages of a column chunk; false when one is larger than pages are, or the chain of
/// pages breaks.
pub(crate) fn are_bounded(source: &dyn ReadAt, start: u64, length: u64) -> bool {
    let Some(end) = start.checked_add(length) else { return false };
    let mut place = start;
    while place < end {
        let Some(page) =
            HEADER_BYTES.iter().find_map(|size| header(&read_vec(source, place, *size).ok()?))
        else {
            return false;
        };
        if page.unpacked > PAGE_BYTES || page.packed > PAGE_BYTES {
            return false;
        }
        // The header has at least one byte, so the loop goes on.
        place = match place.checked_add(page.header).and_then(|p| p.checked_add(page.packed)) {
            Some(next) if next <= end => next,
            _ => return false,
        };
    }
    true
}

#[derive(Debug, PartialEq, Eq)]
struct Page {
    header: u64,
    packed: u64,
    unpacked: u64,
}

fn header(bytes: &[u8]) -> Option<Page> {
    let mut thrift = Thrift { bytes, place: 0 };
    let (mut packed, mut unpacked) = (None, None);
    let mut id = 0i64;
    while let Some(kind) = thrift.field(&mut id)? {
        match (id, kind) {
            (2, 5) => unpacked = u64::try_from(thrift.number()?).ok(),
            (3, 5) => packed = u64::try_from(thrift.number()?).ok(),
            _ => thrift.skip(kind, 0)?,
        }
    }
    let header = u64::try_from(thrift.place).ok()?;
    Some(Page { header, packed: packed?, unpacked: unpacked? })
}

struct Thrift<'a> {
    bytes: &'a [u8],
    place: usize,
}

impl Thrift<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.place)?;
        self.place = self.place.checked_add(1)?;
        Some(byte)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0u32..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A signed number, as zigzag.
    fn number(&mut self) -> Option<i64> {
        let value = self.varint()?;
        let half = i64::try_from(value >> 1).ok()?;
        Some(if value & 1 == 0 { half } else { !half })
    }

    /// The kind of the next field, with its id; `Some(None)` at the end of the struct.
    fn field(&mut self, id: &mut i64) -> Option<Option<u8>> {
        let byte = self.byte()?;
        if byte == 0 {
            return Some(None);
        }
        *id = match byte >> 4 {
            0 => self.number()?,
            delta => id.checked_add(i64::from(delta))?,
        };
        Some(Some(byte & 0x0f))
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
        match kind {
            // Booleans are in the kind itself.
            1 | 2 => {}
            3 => {
                self.byte()?;
            }
            4..=6 => {
                self.varint()?;
            }
            7 => self.place = self.place.checked_add(8)?,
            8 => {
                let length = usize::try_from(self.varint()?).ok()?;
                self.place = self.place.checked_add(length)?;
            }
            12 if depth < DEPTH => {
                let mut id = 0i64;
                while let Some(kind) = self.field(&mut id)? {
                    self.skip(kind, depth.checked_add(1)?)?;
                }
            }
            // Page headers have no lists and maps.
            _ => return None,
        }
        (self.place <= self.bytes.len()).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_gives_its_sizes_and_its_own_length() {
        // type 0, unpacked 300, packed 200, then a data page header with statistics in it
        let bytes = [
            0x15, 0x00, 0x15, 0xd8, 0x04, 0x15, 0x90, 0x03, 0x2c, 0x15, 0x02, 0x3c, 0x18, 0x01,
            0x61, 0x11, 0x00, 0x00, 0x00, 0xff,
        ];
        assert_eq!(header(&bytes), Some(Page { header: 19, packed: 200, unpacked: 300 }));
        lidless_kit::cut_and_flip(&bytes, |bytes| {
            let _ = header(bytes);
        });
    }
}
