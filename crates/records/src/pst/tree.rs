//! The two trees of pages (MS-PST 2.2.2.7.7): nodes by their id, blocks by theirs.
//!
//! | offset: 32 bits | 64 bits | 4 KiB | size | field |
//! | --- | --- | --- | --- | --- |
//! | 0 | 0 | 0 | | entries |
//! | 496 | 488 | 4056 | 1, in 4 KiB 2 | number of entries |
//! | 498 | 490 | 4060 | 1 | size of an entry |
//! | 499 | 491 | 4061 | 1 | level: 0 a leaf |
//! | 500 | 496 | 4072 | 1 | kind: `80` blocks, `81` nodes |

use super::header::{Header, Layout, malformed};
use crate::error::RecordError;
use lidless_io::number::{u16_le, u32_le};
use lidless_io::{ReadAt, read_vec};
use std::sync::Arc;

/// Trees of real files have six levels at most.
const DEEPEST: u8 = 16;

/// A file of which only the trees are known.
#[derive(Clone)]
pub(super) struct Trees {
    pub(super) source: Arc<dyn ReadAt>,
    pub(super) header: Header,
}

/// Where a block lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Located {
    pub(super) id: u64,
    pub(super) offset: u64,
    /// Length as it is stored.
    pub(super) stored: u16,
    /// Length of what it holds; another one when it is compressed.
    pub(super) length: u16,
}

/// What a node is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node {
    /// Block of its data; 0 for none.
    pub(super) data: u64,
    /// Block that names its subnodes; 0 for none.
    pub(super) subnodes: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Blocks = 0x80,
    Nodes = 0x81,
}

struct Page {
    bytes: Vec<u8>,
    count: usize,
    entry: usize,
    level: u8,
}

impl Trees {
    fn page(&self, kind: Kind, offset: u64) -> Result<Page, RecordError> {
        let layout = self.header.layout;
        let (length, count_at, entry_at, kind_at) = match layout {
            Layout::Narrow => (512, 496, 498, 500),
            Layout::Wide => (512, 488, 490, 496),
            Layout::Large => (4096, 4056, 4060, 4072),
        };
        let bytes = read_vec(&*self.source, offset, length)?;
        let byte = |at: usize| bytes.get(at).copied();
        let (Some(entry), Some(level), Some(found)) =
            (byte(entry_at), byte(entry_at.saturating_add(1)), byte(kind_at))
        else {
            return Err(malformed(offset, "a page of a tree", "the end of the file"));
        };
        if found != kind as u8 {
            return Err(malformed(offset, "a page of a tree", format!("a page of kind {found}")));
        }
        let count = match layout {
            Layout::Large => u16_le(&bytes, count_at).map_or(0, usize::from),
            _ => byte(count_at).map_or(0, usize::from),
        };
        let entry = usize::from(entry);
        let least = layout.width().saturating_mul(3);
        if entry < least || level > DEEPEST || count.saturating_mul(entry) > count_at {
            return Err(malformed(offset, "entries that fit their page", count));
        }
        Ok(Page { bytes, count, entry, level })
    }

    /// The entry for a key in a leaf: all of its bytes.
    fn find(&self, kind: Kind, key: u64) -> Result<Option<Vec<u8>>, RecordError> {
        let layout = self.header.layout;
        let mut offset = match kind {
            Kind::Blocks => self.header.blocks,
            Kind::Nodes => self.header.nodes,
        };
        let mut above = DEEPEST.saturating_add(1);
        loop {
            let page = self.page(kind, offset)?;
            if page.level >= above {
                return Err(malformed(offset, "a page of a lower level", page.level));
            }
            above = page.level;
            let entries = page.bytes.chunks_exact(page.entry).take(page.count);
            // The first bit of the id of a block means nothing.
            let mask = if kind == Kind::Blocks { !1 } else { 0xffff_ffff };
            let mut last = None;
            for entry in entries {
                let own = layout.number_at(entry, 0).unwrap_or(0) & mask;
                if own > key & mask {
                    break;
                }
                last = Some((own, entry));
            }
            let Some((own, entry)) = last else { return Ok(None) };
            if page.level == 0 {
                return Ok((own == key & mask).then(|| entry.to_vec()));
            }
            offset = layout.number_at(entry, layout.width().saturating_mul(2)).unwrap_or(0);
        }
    }

    /// The node with an id; none when there is none.
    pub(super) fn node(&self, id: u32) -> Result<Option<Node>, RecordError> {
        let layout = self.header.layout;
        let Some(entry) = self.find(Kind::Nodes, u64::from(id))? else { return Ok(None) };
        let number = |index: usize| {
            layout.number_at(&entry, layout.width().saturating_mul(index)).unwrap_or(0)
        };
        Ok(Some(Node { data: number(1), subnodes: number(2) }))
    }

    /// Where a block lies.
    pub(super) fn block(&self, id: u64) -> Result<Located, RecordError> {
        let layout = self.header.layout;
        let Some(entry) = self.find(Kind::Blocks, id)? else {
            return Err(malformed(0, "a block", format!("no block {id:#x}")));
        };
        let width = layout.width();
        let offset = layout.number_at(&entry, width).unwrap_or(0);
        let at = width.saturating_mul(2);
        let stored = u16_le(&entry, at).unwrap_or(0);
        let length = match layout {
            Layout::Large => u16_le(&entry, at.saturating_add(2)).unwrap_or(stored),
            _ => stored,
        };
        Ok(Located { id, offset, stored, length: if length == 0 { stored } else { length } })
    }

    /// The ids of all nodes of a kind (the lower five bits), up to `most`, in the order of the
    /// tree. Reads all of its pages.
    pub(super) fn nodes_of(&self, kind: u32, most: usize) -> Result<Vec<u32>, RecordError> {
        let layout = self.header.layout;
        let mut found = Vec::new();
        let mut open = vec![(self.header.nodes, DEEPEST.saturating_add(1))];
        // No page is needed twice.
        let mut left = self.source.len() / 512;
        while let Some((offset, above)) = open.pop() {
            left = match left.checked_sub(1) {
                Some(left) if found.len() < most => left,
                _ => break,
            };
            let Ok(page) = self.page(Kind::Nodes, offset) else { continue };
            if page.level >= above {
                continue;
            }
            let entries: Vec<&[u8]> =
                page.bytes.chunks_exact(page.entry).take(page.count).collect();
            for entry in entries.iter().rev() {
                if page.level > 0 {
                    let below = layout.number_at(entry, layout.width().saturating_mul(2));
                    open.push((below.unwrap_or(0), page.level));
                }
            }
            if page.level == 0 {
                let ids = entries.iter().filter_map(|entry| u32_le(entry, 0));
                found.extend(ids.filter(|id| id & 0x1f == kind));
            }
        }
        Ok(found)
    }
}
