//! An ext4 volume with a tree of files, all of it in the first group; the other groups are marked
//! as never used (Linux kernel documentation, "ext4 Data Structures and Algorithms").

use super::block::{Block, count, small};
use super::file::{Content, File, Pieces, Tree};
use crate::random::Random;

const BLOCK: u64 = 4096;
const PER_GROUP: u64 = 32_768;
const INODES: u64 = 8192;
const INODE: usize = 256;
/// In every group: room for the copies of the descriptors, then bitmaps and inodes.
const BITMAP: u64 = 1200;
const INODE_BITMAP: u64 = 1201;
const TABLE: u64 = 1202;
const CONTENTS: u64 = TABLE + INODES * 256 / BLOCK;
const ROOT: u64 = 2;
/// The inode before the first that is no special one.
const FIRST: u64 = 10;
/// The 2nd of March 2021.
const WHEN: u32 = 1_614_690_000;
const EXTENTS: u32 = 0x8_0000;

/// The pieces of a volume of `size` bytes (at most 4 TiB) with the files, and modes by path: what
/// ends with `key`, `shadow` or lies in `.ssh` is its owner's alone.
pub(super) fn volume(size: u64, label: &str, files: &[File]) -> Pieces {
    let tree = Tree::new(files);
    let mut volume = Volume { pieces: Vec::new(), next: CONTENTS, inodes: Block::default() };
    volume.inodes = Block::new(usize::try_from(INODES).unwrap_or(0).saturating_mul(INODE));
    for number in 0..tree.nodes.len() {
        volume.node(&tree, number);
    }
    volume.finish(size, label, &tree)
}

fn inode_of(node: usize) -> u64 {
    if node == 0 { ROOT } else { FIRST.saturating_add(count(node)) }
}

struct Volume {
    pieces: Pieces,
    next: u64,
    inodes: Block,
}

impl Volume {
    fn node(&mut self, tree: &Tree<'_>, number: usize) {
        let Some((_, parent, file)) = tree.nodes.get(number) else { return };
        let (mode, links, size, run) = match file {
            Some(file) => {
                let own = file.path.contains("/.ssh/") || file.path.ends_with("shadow");
                let blocks = file.size().div_ceil(BLOCK);
                let first = self.next;
                self.next = self.next.saturating_add(blocks);
                if let Content::Bytes(bytes) = &file.content {
                    self.piece(first, bytes.clone());
                }
                (if own { 0x8180 } else { 0x81a4 }, 1, file.size(), (first, blocks))
            }
            None => {
                let bytes = folder(tree, number, *parent);
                let blocks = count(bytes.len()) / BLOCK;
                let first = self.next;
                self.next = self.next.saturating_add(blocks);
                let size = count(bytes.len());
                self.piece(first, bytes);
                let inside = tree.children(number);
                let folders = inside
                    .iter()
                    .filter(|one| tree.nodes.get(**one).is_some_and(|(_, _, file)| file.is_none()));
                let links = small::<u16>(count(folders.count())).saturating_add(2);
                (0x41ed, links, size, (first, blocks))
            }
        };
        self.inode(inode_of(number), mode, links, size, run);
    }

    fn piece(&mut self, block: u64, bytes: Vec<u8>) {
        self.pieces.push((block.saturating_mul(BLOCK), bytes.into()));
    }

    fn inode(&mut self, number: u64, mode: u16, links: u16, size: u64, run: (u64, u64)) {
        let mut inode = Block::new(INODE);
        inode.u16(0, mode).u32(4, small(size & 0xffff_ffff)).u32(0x6c, small(size >> 32));
        for at in [8, 12, 16] {
            inode.u32(at, WHEN);
        }
        inode.u16(0x1a, links).u32(0x1c, small(run.1.saturating_mul(8))).u32(0x20, EXTENTS);
        inode.u16(0x28, 0xf30a).u16(0x2a, u16::from(run.1 > 0)).u16(0x2c, 4);
        // One extent holds up to 128 MiB: the group it lies in.
        inode.u16(0x38, small(run.1)).u32(0x3c, small(run.0)).u16(0x80, 32);
        let at = number.saturating_sub(1).saturating_mul(count(INODE));
        self.inodes.put(usize::try_from(at).unwrap_or(usize::MAX), inode.bytes());
    }

    fn finish(mut self, size: u64, label: &str, tree: &Tree<'_>) -> Pieces {
        let nodes = count(tree.nodes.len());
        let folders = count(tree.nodes.iter().filter(|(_, _, file)| file.is_none()).count());
        let blocks = size / BLOCK;
        let groups = blocks.div_ceil(PER_GROUP);
        // The root is one of the nodes, and a special inode.
        let used = FIRST.saturating_add(nodes).saturating_sub(1);
        let id = Random::named(label).bytes(16);
        let mut descriptors = Block::default();
        for group in 0..groups {
            let base = group.saturating_mul(PER_GROUP);
            let mut one = Block::new(32);
            one.u32(0, small(base.saturating_add(BITMAP)));
            one.u32(4, small(base.saturating_add(INODE_BITMAP)));
            one.u32(8, small(base.saturating_add(TABLE)));
            let (free, unused, flags) = match group {
                0 => (PER_GROUP.saturating_sub(self.next), INODES.saturating_sub(used), 0),
                _ => (PER_GROUP.saturating_sub(CONTENTS), INODES, 3),
            };
            one.u16(12, small(free)).u16(14, small(unused)).u16(18, flags);
            one.u16(16, if group == 0 { small(folders) } else { 0 });
            one.u16(28, small(unused));
            let sum = crc16(&[&id, &small::<u32>(group).to_le_bytes()[..], one.bytes()].concat());
            one.u16(30, sum);
            descriptors.push(one.bytes());
        }
        let bits = |count: u64, size: usize| {
            let mut bytes = Block::new(size);
            let whole = usize::try_from(count / 8).unwrap_or(0);
            bytes.put(0, &vec![0xff; whole]);
            bytes.put(whole, &[1_u8.wrapping_shl(small(count % 8)).wrapping_sub(1)]);
            bytes.into_bytes()
        };
        let mut inode_bits = bits(used, 4096);
        inode_bits.iter_mut().skip(1024).for_each(|byte| *byte = 0xff);
        self.piece(BITMAP, bits(self.next, 4096));
        self.piece(INODE_BITMAP, inode_bits);
        let inodes = std::mem::take(&mut self.inodes).into_bytes();
        self.piece(TABLE, inodes);
        self.piece(1, descriptors.into_bytes());
        let mut block = Block::new(1024);
        block.u32(0, small(groups.saturating_mul(INODES))).u32(4, small(blocks));
        block.u32(12, small(blocks.saturating_sub(groups.saturating_mul(CONTENTS))));
        block.u32(16, small(groups.saturating_mul(INODES).saturating_sub(used)));
        block.u32(24, 2).u32(28, 2).u32(32, small(PER_GROUP)).u32(36, small(PER_GROUP));
        block.u32(40, small(INODES)).u32(44, WHEN).u32(48, WHEN).u16(54, 0xffff);
        block.u16(56, 0xef53).u16(58, 1).u16(60, 1).u32(64, WHEN).u32(76, 1);
        block.u32(84, 11).u16(88, small(count(INODE)));
        // File types, extents, flexible groups; sparse copies, large files, group checksums.
        block.u32(96, 0x242).u32(100, 0x13).put(104, &id).put(120, label.as_bytes());
        block.u16(0xfe, 32).u32(0x108, WHEN).u16(0x15c, 32).u16(0x15e, 32);
        self.pieces.push((1024, block.into_bytes().into()));
        self.pieces
    }
}

/// The blocks of a directory.
fn folder(tree: &Tree<'_>, number: usize, parent: usize) -> Vec<u8> {
    let mut entries = vec![(inode_of(number), ".", 2_u8), (inode_of(parent), "..", 2)];
    for child in tree.children(number) {
        if let Some((name, _, file)) = tree.nodes.get(child) {
            entries.push((inode_of(child), name, if file.is_some() { 1 } else { 2 }));
        }
    }
    let mut out: Vec<u8> = Vec::new();
    let mut block: Vec<Vec<u8>> = Vec::new();
    let close = |block: &mut Vec<Vec<u8>>, out: &mut Vec<u8>| {
        let used: usize = block.iter().map(Vec::len).sum();
        if let Some(last) = block.last_mut() {
            // The last entry reaches to the end of its block.
            let length = last.len().saturating_add(4096_usize.saturating_sub(used));
            let mut padded = Block::default();
            padded.push(last).u16(4, small(count(length)));
            *last = padded.into_bytes();
            last.resize(length, 0);
        }
        out.extend(block.concat());
        block.clear();
    };
    for (inode, name, kind) in entries {
        let mut entry = Block::new(8);
        entry.u32(0, small(inode)).put(6, &[small(count(name.len())), kind]);
        entry.push(name.as_bytes()).align(4);
        let length = entry.len();
        entry.u16(4, small(count(length)));
        if block.iter().map(Vec::len).sum::<usize>().saturating_add(length) > 4096 {
            close(&mut block, &mut out);
        }
        block.push(entry.into_bytes());
    }
    close(&mut block, &mut out);
    out
}

/// The checksum of group descriptors: CRC-16, polynomial 0x8005 reflected.
fn crc16(bytes: &[u8]) -> u16 {
    // Its own field, the last two bytes, is left out.
    let kept = bytes.get(..bytes.len().saturating_sub(2)).unwrap_or_default();
    kept.iter().fold(u16::MAX, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte), |value, _| {
            if value & 1 == 1 { 0xa001 ^ (value >> 1) } else { value >> 1 }
        })
    })
}
