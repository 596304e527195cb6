//! What the headers of all entries of a pack say, read from its beginning to its end.

use super::packs::HEADER_BYTES;
use gix::hash::Kind;
use gix::odb::pack::data::Entry;
use gix::odb::pack::data::entry::Header;
use gix::odb::pack::index::File as Index;
use lidless_io::{FileBytes, ReadAt as _};

/// How much of a pack is read at a time.
const WINDOW_BYTES: usize = 64 << 10;
/// No entry.
pub(super) const NONE: u32 = u32::MAX;
/// Passes over deltas whose base lies behind them.
const PASSES: usize = 32;

/// The entries of a pack, in the order in which they lie there.
pub(super) struct Heads {
    /// Where each begins.
    pub(super) offsets: Vec<u64>,
    /// The entry that each is a delta of; [`NONE`] where it is none, or where that is not there.
    bases: Vec<u32>,
    /// What each is, once it is made; none when that cannot be told.
    kinds: Vec<Option<gix::objs::Kind>>,
    /// Where the entry of each number of the index stands among them.
    positions: Vec<u32>,
}

impl Heads {
    /// Reads all headers; none when the pack is shorter than its index says.
    pub(super) fn read(index: &Index, file: &FileBytes, kind: Kind) -> Option<Self> {
        let numbers = 0..index.num_objects();
        let mut order: Vec<(u64, u32)> =
            numbers.map(|number| (index.pack_offset_at_index(number), number)).collect();
        order.sort_unstable();
        let mut positions = vec![0; order.len()];
        for (position, (_, number)) in (0u32..).zip(&order) {
            *positions.get_mut(usize::try_from(*number).ok()?)? = position;
        }
        let offsets: Vec<u64> = order.into_iter().map(|(offset, _)| offset).collect();
        let count = offsets.len();
        let mut heads =
            Self { bases: vec![NONE; count], kinds: vec![None; count], offsets, positions };
        let mut window = Window { start: 0, bytes: Vec::new() };
        let mut later = Vec::new();
        for at in 0..count {
            let offset = *heads.offsets.get(at)?;
            let Ok(entry) = Entry::from_bytes(window.at(file, offset)?, offset, kind) else {
                continue;
            };
            let base = match entry.header {
                Header::OfsDelta { base_distance } => {
                    Header::verified_base_pack_offset(offset, base_distance)
                        .and_then(|base| heads.before(at, base))
                }
                Header::RefDelta { base_id } => {
                    index.lookup(base_id).and_then(|found| heads.position(found))
                }
                header => {
                    *heads.kinds.get_mut(at)? = header.as_kind();
                    continue;
                }
            };
            let Some(base) = base else { continue };
            *heads.bases.get_mut(at)? = u32::try_from(base).ok()?;
            let of_base = *heads.kinds.get(base)?;
            *heads.kinds.get_mut(at)? = of_base;
            if of_base.is_none() {
                later.push(at);
            }
        }
        for _ in 0..PASSES {
            let before = later.len();
            later.retain(|at| {
                let of_base = heads.base(*at).and_then(|base| *heads.kinds.get(base)?);
                if let Some(slot) = heads.kinds.get_mut(*at) {
                    *slot = of_base;
                }
                of_base.is_none()
            });
            if later.len() == before {
                break;
            }
        }
        Some(heads)
    }

    /// The entry that begins at an offset before that of another one: most bases lie near.
    fn before(&self, at: usize, offset: u64) -> Option<usize> {
        let mut end = at;
        let mut step = 1_usize;
        loop {
            let start = at.saturating_sub(step);
            if *self.offsets.get(start)? <= offset {
                let found = self.offsets.get(start..end)?.binary_search(&offset).ok()?;
                return start.checked_add(found);
            }
            if start == 0 {
                return None;
            }
            (end, step) = (start, step.saturating_mul(2));
        }
    }

    /// The entry of a number of the index.
    pub(super) fn position(&self, number: u32) -> Option<usize> {
        usize::try_from(*self.positions.get(usize::try_from(number).ok()?)?).ok()
    }

    /// The entry that this one is a delta of.
    pub(super) fn base(&self, at: usize) -> Option<usize> {
        usize::try_from(*self.bases.get(at).filter(|base| **base != NONE)?).ok()
    }

    /// What an entry is, once it is made.
    pub(super) fn kind(&self, at: usize) -> Option<gix::objs::Kind> {
        *self.kinds.get(at)?
    }
}

/// A part of the pack in memory.
struct Window {
    start: u64,
    bytes: Vec<u8>,
}

impl Window {
    /// The bytes from an offset on, as many as a header may have unless the file ends.
    fn at(&mut self, file: &FileBytes, offset: u64) -> Option<&[u8]> {
        let from = |start: u64| usize::try_from(offset.checked_sub(start)?).ok();
        let held = from(self.start)
            .and_then(|from| self.bytes.len().checked_sub(from))
            .is_some_and(|left| left >= HEADER_BYTES);
        if !held {
            self.bytes.resize(WINDOW_BYTES, 0);
            let got = file.read_at(offset, &mut self.bytes).ok()?;
            self.bytes.truncate(got);
            self.start = offset;
        }
        self.bytes.get(from(self.start)?..)
    }
}
