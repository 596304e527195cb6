//! Databases of the Extensible Storage Engine: which tables they have, and so what they are
//! (J. Metz, "Extensible Storage Engine (ESE) Database File (EDB) format specification").
//!
//! | offset | size | field of the header |
//! | --- | --- | --- |
//! | 4 | 4 | `ef cd ab 89` |
//! | 8, 232 | 4 | version, revision |
//! | 52 | 4 | state: 2 was not closed |
//! | 236 | 4 | page size |
//!
//! Pages are counted from 1, after the header and its copy; the catalogue begins on page 4. The
//! end of a page has its tags, backwards: size and offset of each value.

use crate::error::RecordError;
use lidless_io::number;
use lidless_io::{BlockCache, ReadAt, read_exact_vec, read_vec};
use std::collections::HashSet;
use std::sync::Arc;

const FORMAT: &str = "ESE database";
const MAGIC: [u8; 4] = [0xef, 0xcd, 0xab, 0x89];
const CATALOGUE: u32 = 4;
/// How many pages of the catalogue are read; those of domain controllers have some hundred.
const PAGES: usize = 2_048;
const TABLES: usize = 4_096;
const DEEPEST: usize = 8;
const BLOCK_BYTES: u64 = 256 << 10;
const LEAF: u32 = 2;
const UNCLEAN: u32 = 2;

/// What an ESE database says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EseTables {
    /// Size of its pages.
    pub page_bytes: u32,
    /// Whether it was closed; what its logs hold is not in it otherwise.
    pub is_clean: bool,
    /// The names of its tables, in the order of the catalogue.
    pub tables: Vec<String>,
}

/// Whether a file begins as an ESE database does.
#[must_use]
pub fn is_ese(head: &[u8]) -> bool {
    head.get(4..8) == Some(&MAGIC)
}

fn malformed(offset: u64, expected: &str) -> RecordError {
    RecordError::Malformed {
        format: FORMAT,
        offset,
        expected: expected.to_owned(),
        found: "other bytes".to_owned(),
    }
}

/// Reads the names of the tables.
///
/// # Errors
/// `Malformed`, `Read`. A catalogue that breaks off gives the names that came before.
pub fn ese_tables(source: Arc<dyn ReadAt>) -> Result<EseTables, RecordError> {
    let head = read_vec(&*source, 0, 512)?;
    if !is_ese(&head) {
        return Err(malformed(4, "ef cd ab 89"));
    }
    let page_bytes = number::u32_le(&head, 236).unwrap_or(0);
    if !matches!(page_bytes, 2_048 | 4_096 | 8_192 | 16_384 | 32_768) {
        return Err(malformed(236, "a page size"));
    }
    let is_clean = number::u32_le(&head, 52) != Some(UNCLEAN);
    let cache = BlockCache::new(source, BLOCK_BYTES, BLOCK_BYTES.saturating_mul(16));
    let database = Pages { source: cache, page_bytes };
    let mut tables = Vec::new();
    match database.catalogue(&mut tables) {
        Err(error) if tables.is_empty() => Err(error),
        _ => Ok(EseTables { page_bytes, is_clean, tables }),
    }
}

struct Pages {
    source: BlockCache,
    page_bytes: u32,
}

/// A page with what its header says.
struct Page {
    bytes: Vec<u8>,
    flags: u32,
    next: u32,
    tags: usize,
    start: usize,
    is_large: bool,
}

impl Pages {
    fn page(&self, number: u32) -> Result<Page, RecordError> {
        let size = u64::from(self.page_bytes);
        let offset = u64::from(number).saturating_add(1).saturating_mul(size);
        let bytes = read_exact_vec(&self.source, offset, size)?;
        let is_large = self.page_bytes >= 16_384;
        let field = |at: usize| number::u32_le(&bytes, at).unwrap_or(0);
        let tags = number::u16_le(&bytes, 34).map_or(0, usize::from);
        // A tag takes four bytes, large pages keep checksums in 40 more bytes of header.
        let start = if is_large { 80 } else { 40 };
        let fits = tags.checked_mul(4).is_some_and(|tags| tags < bytes.len());
        if !fits {
            return Err(malformed(offset, "as many tags as fit"));
        }
        Ok(Page { flags: field(36), next: field(20), tags, start, is_large, bytes })
    }

    fn catalogue(&self, tables: &mut Vec<String>) -> Result<(), RecordError> {
        let mut number = CATALOGUE;
        let mut page = self.page(number)?;
        for _ in 0..DEEPEST {
            if page.flags & LEAF != 0 {
                break;
            }
            number = page.value(1).and_then(|value| page.child(value)).ok_or_else(|| {
                malformed(u64::from(number), "a child of a page of the catalogue")
            })?;
            page = self.page(number)?;
        }
        let mut seen = HashSet::from([number]);
        loop {
            for tag in 1..page.tags {
                if let Some(name) = page.value(tag).and_then(|value| page.table(value)) {
                    if tables.len() >= TABLES {
                        return Ok(());
                    }
                    if !tables.contains(&name) {
                        tables.push(name);
                    }
                }
            }
            number = page.next;
            if number == 0 || seen.len() >= PAGES || !seen.insert(number) {
                return Ok(());
            }
            page = self.page(number)?;
        }
    }
}

/// A value of a page and the flags of its tag.
#[derive(Clone, Copy)]
struct Value<'p> {
    bytes: &'p [u8],
    flags: u8,
}

impl Page {
    fn value(&self, tag: usize) -> Option<Value<'_>> {
        let place = self.bytes.len().checked_sub(tag.checked_add(1)?.checked_mul(4)?)?;
        let size = number::u16_le(&self.bytes, place)?;
        let offset = number::u16_le(&self.bytes, place.checked_add(2)?)?;
        let mask = if self.is_large { 0x7fff } else { 0x1fff };
        let start = self.start.checked_add(usize::from(offset & mask))?;
        let bytes = number::slice(&self.bytes, start, usize::from(size & mask))?;
        // Where pages are large the flags stand above the first number of the value.
        let flags =
            if self.is_large { bytes.get(1)? >> 5 } else { u8::try_from(offset >> 13).ok()? };
        Some(Value { bytes, flags })
    }

    /// What follows the key of a value.
    fn content<'p>(&self, value: Value<'p>) -> Option<&'p [u8]> {
        const SHARED_KEY: u8 = 4;
        let rest = if value.flags & SHARED_KEY != 0 { value.bytes.get(2..)? } else { value.bytes };
        let own = usize::from(number::u16_le(rest, 0)? & 0x1fff);
        rest.get(own.checked_add(2)?..)
    }

    fn child(&self, value: Value<'_>) -> Option<u32> {
        number::u32_le(self.content(value)?, 0)
    }

    /// The name of a table, when a row of the catalogue is about one.
    fn table(&self, value: Value<'_>) -> Option<String> {
        const TABLE: u16 = 1;
        const FIRST_VARIABLE: usize = 127;
        let row = self.content(value)?;
        let last = usize::from(*row.get(1)?);
        let variable = usize::from(number::u16_le(row, 2)?);
        if number::u16_le(row, 8)? != TABLE || last <= FIRST_VARIABLE {
            return None;
        }
        let ends = last.checked_sub(FIRST_VARIABLE)?.checked_mul(2)?;
        let length = usize::from(number::u16_le(row, variable)? & 0x7fff);
        let name = number::slice(row, variable.checked_add(ends)?, length)?;
        let fits = !name.is_empty() && name.iter().all(|byte| (0x20..0x7f).contains(byte));
        fits.then(|| name.iter().map(|byte| char::from(*byte)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_io::MemoryBytes;

    fn row(kind: u16, name: &str) -> Vec<u8> {
        let mut row = vec![2, 128];
        let variable = 14u16;
        row.extend(variable.to_le_bytes());
        row.extend(5u32.to_le_bytes());
        row.extend(kind.to_le_bytes());
        row.extend(9u32.to_le_bytes());
        row.extend((name.len() as u16).to_le_bytes());
        row.extend(name.as_bytes());
        row
    }

    fn page(size: usize, flags: u32, next: u32, values: &[(u8, Vec<u8>)]) -> Vec<u8> {
        let start = if size >= 16_384 { 80 } else { 40 };
        let mut page = vec![0; size];
        page[20..24].copy_from_slice(&next.to_le_bytes());
        page[34..36].copy_from_slice(&(values.len() as u16 + 1).to_le_bytes());
        page[36..40].copy_from_slice(&flags.to_le_bytes());
        let mut at = 0;
        for (index, (flags, value)) in values.iter().enumerate() {
            let mut value = value.clone();
            let mut offset = at as u16;
            if size >= 16_384 {
                value[1] |= flags << 5;
            } else {
                offset |= u16::from(*flags) << 13;
            }
            page[start + at..start + at + value.len()].copy_from_slice(&value);
            let tag = size - 4 * (index + 2);
            page[tag..tag + 2].copy_from_slice(&(value.len() as u16).to_le_bytes());
            page[tag + 2..tag + 4].copy_from_slice(&offset.to_le_bytes());
            at += value.len();
        }
        page
    }

    fn value(shared: bool, content: &[u8]) -> (u8, Vec<u8>) {
        let mut value = if shared { vec![1, 0] } else { Vec::new() };
        value.extend([3, 0, b'k', b'e', b'y']);
        value.extend(content);
        (if shared { 4 } else { 0 }, value)
    }

    /// No tool here writes these databases: built by the specification.
    fn database(size: usize) -> Vec<u8> {
        let mut bytes = vec![0; size * 5];
        bytes[4..8].copy_from_slice(&MAGIC);
        bytes[52..56].copy_from_slice(&2u32.to_le_bytes());
        bytes[236..240].copy_from_slice(&(size as u32).to_le_bytes());
        bytes.extend(page(size, 5, 0, &[value(false, &5u32.to_le_bytes())]));
        let first = [value(false, &row(1, "MSysObjects")), value(true, &row(2, "a column"))];
        bytes.extend(page(size, LEAF, 6, &first));
        bytes.extend(page(size, LEAF, 5, &[value(true, &row(1, "datatable"))]));
        bytes
    }

    #[test]
    fn the_tables_of_the_catalogue_are_listed_once_whatever_the_page_size() {
        for size in [4_096, 8_192, 32_768] {
            // The chain of leaves comes back to where it began.
            let found = ese_tables(Arc::new(MemoryBytes::new(database(size)))).unwrap();
            assert_eq!(found.tables, ["MSysObjects", "datatable"], "{size}");
            assert_eq!((found.page_bytes, found.is_clean), (size as u32, false));
        }
    }

    #[test]
    fn damaged_databases_are_errors_and_no_more() {
        let sample = database(4_096);
        let places = (0..256).chain(4 * 4_096..sample.len()).step_by(3);
        let mut changed = sample.clone();
        for place in places {
            for value in [0, 0xff, sample[place] ^ 1] {
                changed[place] = value;
                let _ = ese_tables(Arc::new(MemoryBytes::new(changed.clone())));
            }
            changed[place] = sample[place];
            if place % 7 == 0 {
                let _ = ese_tables(Arc::new(MemoryBytes::new(sample[..place].to_vec())));
            }
        }
    }
}
