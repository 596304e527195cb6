//! A pack read in blocks, some of which are held.

use lidless_io::{FileBytes, ReadAt as _};

/// How much of a pack a thread reads at a time, and how many such blocks it holds.
const BLOCK_BITS: u32 = 12;
const BLOCK_BYTES: u64 = 1 << BLOCK_BITS;
const BLOCKS: usize = 512;

/// Parts of a pack in memory: what hangs on an entry lies near it, and in turns with what hangs
/// on others.
#[derive(Default)]
pub(super) struct Blocks {
    held: Vec<Block>,
    /// What goes over the end of a block.
    joined: Vec<u8>,
}

/// One part: which, and what it holds.
#[derive(Default, Clone)]
struct Block {
    number: Option<u64>,
    bytes: Vec<u8>,
}

impl Blocks {
    /// The bytes from an offset on; fewer where the file ends.
    pub(super) fn read(&mut self, file: &FileBytes, offset: u64, length: usize) -> Option<&[u8]> {
        let from = usize::try_from(offset & (BLOCK_BYTES - 1)).ok()?;
        let number = offset >> BLOCK_BITS;
        let end = from.checked_add(length)?;
        let block = usize::try_from(BLOCK_BYTES).ok()?;
        if end <= block {
            let bytes = self.block(file, number)?;
            return bytes.get(from..end.min(bytes.len()));
        }
        if end > block.saturating_mul(2) {
            self.joined.resize(length, 0);
            let got = file.read_at(offset, &mut self.joined).ok()?;
            return self.joined.get(..got);
        }
        let mut joined = std::mem::take(&mut self.joined);
        joined.clear();
        joined.extend_from_slice(self.block(file, number)?.get(from..)?);
        let next = self.block(file, number.checked_add(1)?)?;
        joined.extend_from_slice(next.get(..end.saturating_sub(block).min(next.len()))?);
        self.joined = joined;
        Some(&self.joined)
    }

    fn block(&mut self, file: &FileBytes, number: u64) -> Option<&[u8]> {
        if self.held.is_empty() {
            self.held.resize(BLOCKS, Block::default());
        }
        let slot = usize::try_from(number).ok()?.checked_rem(BLOCKS)?;
        let block = self.held.get_mut(slot)?;
        if block.number != Some(number) {
            block.number = None;
            block.bytes.resize(usize::try_from(BLOCK_BYTES).ok()?, 0);
            let got = file.read_at(number << BLOCK_BITS, &mut block.bytes).ok()?;
            block.bytes.truncate(got);
            block.number = Some(number);
        }
        Some(&block.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn what_is_read_is_what_the_file_holds() {
        let block = usize::try_from(BLOCK_BYTES).unwrap();
        let all: Vec<u8> = (0..block * (BLOCKS + 3) + 77).map(|at| (at / 7 % 251) as u8).collect();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&all).unwrap();
        let file = FileBytes::open(file.path()).unwrap();
        let mut blocks = Blocks::default();
        // Over ends of blocks, over more than one, past the end of the file, and where two blocks
        // want one place.
        let far = block * BLOCKS;
        for from in [0, 5, block - 1, block, far - 3, far, far + block - 1, 9, all.len() - 80] {
            for length in [0, 1, 70, block - 1, block, block + 1, block * 2, block * 2 + 9] {
                let read = blocks.read(&file, from as u64, length).unwrap();
                let end = all.len().min(from + length);
                assert_eq!(read, &all[from..end], "{length} bytes from {from}");
            }
        }
    }
}
