//! Forks of many extents: those past the eighth are in the overflow file.

use super::layout::{Fork, Header, extents};
use super::tree::Tree;
use crate::error::PeelError;
use lidless_io::number::{u16_be, u32_be};
use lidless_io::{Extents, ReadAt};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// Records of the overflow file that are kept: eight extents each.
const RECORDS: usize = 1_000_000;

/// Which fork of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Which {
    Data,
    Resources,
}

/// Extents by the first block of the file that they are for.
type Later = BTreeMap<u32, Vec<(u32, u32)>>;

/// What the overflow file holds for each fork.
type Overflow = Arc<HashMap<(u32, Which), Later>>;

/// Opens forks.
pub(super) struct Forks {
    volume: Arc<dyn ReadAt>,
    base: u64,
    block: u64,
    overflow: Fork,
    /// Read when first needed.
    later: Mutex<Option<Overflow>>,
}

impl Forks {
    pub(super) fn new(volume: Arc<dyn ReadAt>, header: &Header) -> Self {
        let overflow = header.overflow.clone();
        Self { volume, base: header.base, block: header.block, overflow, later: Mutex::new(None) }
    }

    /// The size of a block.
    pub(super) fn block(&self) -> u64 {
        self.block
    }

    /// The bytes of a fork of a file.
    pub(super) fn open(&self, file: u32, which: Which, fork: &Fork) -> Result<Extents, PeelError> {
        let needed = fork.length.div_ceil(self.block).min(fork.blocks.max(1));
        if fork.known() >= needed {
            return Ok(fork.open(&self.volume, self.base, self.block));
        }
        let mut whole = fork.clone();
        let later = self.later()?;
        if let Some(later) = later.get(&(file, which)) {
            for (first, more) in later {
                if u64::from(*first) == whole.known() {
                    whole.extents.extend_from_slice(more);
                }
            }
        }
        if whole.known() < needed {
            return Err(PeelError::Closed(
                "a file of HFS+ some of whose extents are missing".into(),
            ));
        }
        Ok(whole.open(&self.volume, self.base, self.block))
    }

    fn later(&self) -> Result<Overflow, PeelError> {
        let mut slot = self.later.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*slot {
            return Ok(Arc::clone(known));
        }
        let mut found: HashMap<(u32, Which), Later> = HashMap::new();
        let tree = Tree::open(self.overflow.open(&self.volume, self.base, self.block))?;
        let mut count = 0usize;
        tree.sweep(&mut |record| {
            let which = match u16_be(record.key, 0) {
                Some(0) => Which::Data,
                Some(0xff00) => Which::Resources,
                _ => return true,
            };
            let (Some(file), Some(first)) = (u32_be(record.key, 2), u32_be(record.key, 6)) else {
                return true;
            };
            count = count.saturating_add(1);
            found.entry((file, which)).or_default().insert(first, extents(record.data));
            count < RECORDS
        })?;
        let found = Arc::new(found);
        *slot = Some(Arc::clone(&found));
        Ok(found)
    }
}
