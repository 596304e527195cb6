//! The journal (kernel documentation, ext4, "Journal (jbd2)"): what was committed and not written
//! to its place yet. Numbers are big-endian.
//!
//! | offset | size | field of every block of records |
//! | --- | --- | --- |
//! | 0 | 4 | `0xc03b3998` |
//! | 4 | 4 | 1 descriptor, 2 commit, 3 and 4 superblock, 5 revocation |
//! | 8 | 4 | number of the transaction |
//!
//! | offset | size | field of the superblock |
//! | --- | --- | --- |
//! | 12 | 4 | block size |
//! | 16, 20 | 4 | blocks; first block of the log |
//! | 24 | 4 | first transaction in the log |
//! | 28 | 4 | block it begins at; 0 when there is nothing to replay |
//! | 40 | 4 | features: 2 64 bit, 8 and 16 checksums of version 2 and 3, 32 fast commits |
//! | 84 | 4 | blocks for fast commits at the end |
//!
//! A descriptor holds tags, each for one of the blocks that follow it: place, low (4), checksum
//! (2), flags (2), place, high (4, with 64 bit); with checksums of version 3: low, flags, high,
//! checksum (4 each). Flags: 1 the block began like a journal block, 2 no UUID of 16 bytes
//! follows, 8 the last tag. A revocation holds the length in use at 12 and places of blocks that
//! no older transaction may write. The blocks for fast commits begin with a tag: 9 (2), length (2),
//! features (4), the transaction they come after (4), little-endian; what they say is not replayed.

use super::super::number::{be16, be32, be64, le16, le32, part};
use super::superblock::Superblock;
use bytes::Bytes;
use lidless_io::number::{index, wide};
use lidless_io::{Extents, ReadAt, ReadError, read_vec};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

const MAGIC: u32 = 0xc03b_3998;
const FAST: &str = "fast commits of a journal that were not replayed";
/// How much of a log is read. All of it is held until it was replayed.
const MOST: u64 = 64 << 20;
/// How much one request asks for.
const AT_ONCE: u64 = 4 << 20;

/// A volume with the transactions of its journal in place.
pub(super) struct Replayed {
    source: Arc<dyn ReadAt>,
    block_bytes: u64,
    blocks: BTreeMap<u64, Bytes>,
}

impl Replayed {
    /// Whether any of these blocks comes from the journal.
    pub(super) fn touches(&self, block: u64, length: u64) -> bool {
        self.blocks.range(block..block.saturating_add(length)).next().is_some()
    }

    /// What was replayed, over the `got` bytes that were read at `offset`.
    fn put_over(&self, offset: u64, buffer: &mut [u8], got: usize) {
        let end = offset.saturating_add(wide(got));
        let first = offset.checked_div(self.block_bytes).unwrap_or(0);
        let behind = end.div_ceil(self.block_bytes.max(1)).max(first);
        for (block, bytes) in self.blocks.range(first..behind) {
            let start = block.saturating_mul(self.block_bytes);
            let (to, from) = match start.checked_sub(offset) {
                Some(ahead) => (index(ahead), 0),
                None => (0, index(offset.saturating_sub(start))),
            };
            let source = bytes.get(from..).unwrap_or(&[]);
            let target = buffer.get_mut(to..got).unwrap_or(&mut []);
            let size = source.len().min(target.len());
            if let (Some(target), Some(source)) = (target.get_mut(..size), source.get(..size)) {
                target.copy_from_slice(source);
            }
        }
    }
}

impl ReadAt for Replayed {
    fn len(&self) -> u64 {
        self.source.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let got = self.source.read_at(offset, buffer)?;
        self.put_over(offset, buffer, got);
        Ok(got)
    }

    fn read_apart(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let got = self.source.read_apart(offset, buffer)?;
        self.put_over(offset, buffer, got);
        Ok(got)
    }

    fn gap_bytes(&self) -> u64 {
        self.source.gap_bytes()
    }

    fn lanes(&self) -> usize {
        self.source.lanes()
    }
}

/// What came of a journal.
pub(super) enum Outcome {
    /// There was nothing in it.
    Clean,
    /// Its transactions, in place; what else there is to say.
    Replayed(Arc<Replayed>, Option<&'static str>),
    /// Why it was not replayed, in words that count together.
    Left(&'static str),
}

/// Replays the log that `journal` holds over `volume`.
///
/// # Errors
/// When the journal cannot be read.
pub(super) fn replay(
    volume: &Arc<dyn ReadAt>,
    journal: Extents,
    superblock: &Superblock,
) -> Result<Outcome, ReadError> {
    const BROKEN: Outcome = Outcome::Left("a journal that is malformed and was not replayed");
    let head = read_vec(&journal, 0, 1024)?;
    let block_bytes = u64::from(be32(&head, 12));
    if be32(&head, 0) != MAGIC
        || !(3..=4).contains(&be32(&head, 4))
        || block_bytes != superblock.block_bytes
    {
        return Ok(BROKEN);
    }
    let (start, features) = (u64::from(be32(&head, 28)), be32(&head, 40));
    let with_fast = features & 0x20 != 0;
    let fast = if with_fast { u64::from(be32(&head, 84)) } else { 0 };
    let end = u64::from(be32(&head, 16)).saturating_sub(fast);
    let first = u64::from(be32(&head, 20));
    if start == 0 {
        let fast =
            with_fast && has_fast(&journal, end.saturating_mul(block_bytes), be32(&head, 24))?;
        return Ok(if fast { Outcome::Left(FAST) } else { Outcome::Clean });
    }
    if first == 0 || !(first..end).contains(&start) {
        return Ok(BROKEN);
    }
    let mut log =
        Log { journal, block_bytes, first, end, at: start, read: 0, chunk: (0, Bytes::new()) };
    let Some((transactions, sequence)) = log.transactions(be32(&head, 24), features)? else {
        return Ok(Outcome::Left("a journal with more to replay than the limit"));
    };
    let fast = with_fast && has_fast(&log.journal, end.saturating_mul(block_bytes), sequence)?;
    let mut revoked: HashMap<u64, usize> = HashMap::new();
    for (number, transaction) in transactions.iter().enumerate() {
        for block in &transaction.revoked {
            revoked.insert(*block, number);
        }
    }
    let mut blocks = BTreeMap::new();
    for (number, transaction) in transactions.into_iter().enumerate() {
        for (block, bytes) in transaction.blocks {
            if revoked.get(&block).is_none_or(|last| *last < number) {
                blocks.insert(block, bytes);
            }
        }
    }
    let source = Arc::clone(volume);
    let replayed = Arc::new(Replayed { source, block_bytes, blocks });
    Ok(Outcome::Replayed(replayed, fast.then_some(FAST)))
}

/// Whether there are fast commits after the transactions before `sequence`.
fn has_fast(journal: &Extents, at: u64, sequence: u32) -> Result<bool, ReadError> {
    let head = read_vec(journal, at, 12)?;
    Ok(le16(&head, 0) == 9 && le32(&head, 8) == sequence)
}

#[derive(Default)]
struct Transaction {
    blocks: Vec<(u64, Bytes)>,
    revoked: Vec<u64>,
}

/// A log that is read in its order.
struct Log {
    journal: Extents,
    block_bytes: u64,
    first: u64,
    end: u64,
    at: u64,
    read: u64,
    /// Offset of the bytes at hand, and they.
    chunk: (u64, Bytes),
}

impl Log {
    /// The committed transactions, and the number of the one after them; none when there is more
    /// than may be read.
    fn transactions(
        &mut self,
        mut sequence: u32,
        features: u32,
    ) -> Result<Option<(Vec<Transaction>, u32)>, ReadError> {
        let mut done = Vec::new();
        let mut open = Transaction::default();
        // Each block once: a log that goes round ends.
        let mut left = self.end.saturating_sub(self.first);
        while left > 0 {
            left = left.saturating_sub(1);
            let Some(block) = self.next()? else { return Ok(None) };
            if be32(&block, 0) != MAGIC || be32(&block, 8) != sequence {
                break;
            }
            match be32(&block, 4) {
                1 => {
                    for (place, escaped) in tags(&block, features) {
                        left = left.saturating_sub(1);
                        let Some(mut bytes) = self.next()? else { return Ok(None) };
                        if escaped {
                            let mut whole = bytes.to_vec();
                            if let Some(start) = whole.get_mut(..4) {
                                start.copy_from_slice(&MAGIC.to_be_bytes());
                            }
                            bytes = whole.into();
                        }
                        open.blocks.push((place, bytes));
                    }
                }
                2 => {
                    done.push(std::mem::take(&mut open));
                    sequence = sequence.wrapping_add(1);
                }
                5 => open.revoked.extend(revocations(&block, features)),
                _ => break,
            }
        }
        Ok(Some((done, sequence)))
    }

    fn next(&mut self) -> Result<Option<Bytes>, ReadError> {
        let at = self.at.saturating_mul(self.block_bytes);
        self.at = self.at.saturating_add(1);
        if self.at >= self.end {
            self.at = self.first;
        }
        let cut = |chunk: &(u64, Bytes)| {
            let from = index(at.checked_sub(chunk.0)?);
            let to = from.checked_add(index(self.block_bytes))?;
            (to <= chunk.1.len()).then(|| chunk.1.slice(from..to))
        };
        if let Some(block) = cut(&self.chunk) {
            return Ok(Some(block));
        }
        if self.read >= MOST {
            return Ok(None);
        }
        let end = self.end.saturating_mul(self.block_bytes);
        let length = end.saturating_sub(at).min(AT_ONCE).max(self.block_bytes);
        self.read = self.read.saturating_add(length);
        self.chunk = (at, read_vec(&self.journal, at, length)?.into());
        Ok(Some(cut(&self.chunk).unwrap_or_default()))
    }
}

/// The tags of a descriptor: place of a block, and whether its first four bytes were changed.
fn tags(block: &[u8], features: u32) -> Vec<(u64, bool)> {
    let sixty_four = features & 2 != 0;
    let (second, third) = (features & 8 != 0, features & 0x10 != 0);
    let size = match (third, second, sixty_four) {
        (true, _, _) => 16,
        (false, true, true) => 14,
        (false, false, true) => 12,
        (false, true, false) => 10,
        (false, false, false) => 8,
    };
    let tail = if second || third { 4 } else { 0 };
    let mut rest = block.get(12..block.len().saturating_sub(tail)).unwrap_or(&[]);
    let mut found = Vec::new();
    while rest.len() >= size {
        let tag = part(rest, 0, size);
        let flags = if third { be32(tag, 4) } else { u32::from(be16(tag, 6)) };
        let high = if sixty_four { u64::from(be32(tag, 8)) << 32 } else { 0 };
        found.push((high | u64::from(be32(tag, 0)), flags & 1 != 0));
        let behind = if flags & 2 == 0 { size.saturating_add(16) } else { size };
        rest = rest.get(behind..).unwrap_or(&[]);
        if flags & 8 != 0 {
            break;
        }
    }
    found
}

fn revocations(block: &[u8], features: u32) -> Vec<u64> {
    let size = if features & 2 != 0 { 8 } else { 4 };
    let used = index(u64::from(be32(block, 12)));
    let records = block.get(16..used.min(block.len())).unwrap_or(&[]);
    let place = |record: &[u8]| {
        if size == 8 { be64(record, 0) } else { u64::from(be32(record, 0)) }
    };
    records.chunks_exact(size).map(place).collect()
}
