//! Every inode, then every directory, each in the order of the disk.

use super::super::batch::{Piece, Read, allowed, read_in_order, read_within};
use super::super::face::{NodeKind, Swept};
use super::super::names::{Facts, Names, most};
use super::super::number::le32;
use super::directory::names;
use super::files::{Files, ROOT, directory_pieces, inline_blocks, told};
use super::inode::{Inode, flag};
use super::map::{first_block, resolve};
use super::superblock::{FORMAT, Superblock};
use crate::error::PeelError;
use lidless_core::Limits;
use lidless_io::number::{index, wide};
use std::collections::BTreeMap;

/// How many bytes of maps and inline contents are kept: of millions of usual inodes.
const MAPS: usize = 160 << 20;
/// How many bytes of directories are read: of a million of them, each in a block of its own.
const DIRECTORIES: u64 = 8 << 30;
/// Inode tables that are larger together are read only as far as inodes are in use, by bitmaps
/// where nothing else says it; what was deleted behind the last one in use is not seen then.
const WHOLE: u64 = 64 << 20;
/// Marks the piece of a bitmap.
const BITMAP: u64 = 1 << 63;
const FULL: &str = "more of a file system's metadata than the limit";

/// An inode, packed: a million of them have to fit.
#[derive(Debug, Clone, Copy)]
struct Row {
    size: u64,
    modified: i64,
    inode: u32,
    flags: u32,
    /// Where its map begins among all maps.
    map: u32,
    map_length: u16,
    kind: NodeKind,
    deleted: bool,
}

/// Every inode in use, and those deleted that still say something, by number.
#[derive(Default)]
pub(super) struct Catalogue {
    rows: Vec<Row>,
    maps: Vec<u8>,
}

impl Catalogue {
    fn add(&mut self, number: u32, inode: &Inode) -> bool {
        let (Ok(map), Ok(map_length)) =
            (u32::try_from(self.maps.len()), u16::try_from(inode.map.len()))
        else {
            return false;
        };
        if self.maps.len() > MAPS {
            return false;
        }
        self.maps.extend_from_slice(&inode.map);
        self.rows.push(Row {
            size: inode.size,
            modified: inode.modified.unwrap_or(i64::MIN),
            inode: number,
            flags: inode.flags,
            map,
            map_length,
            kind: inode.kind,
            deleted: inode.deleted,
        });
        true
    }

    fn row(&self, inode: u64) -> Option<&Row> {
        let at = self.rows.binary_search_by_key(&inode, |row| u64::from(row.inode)).ok()?;
        self.rows.get(at)
    }

    fn map(&self, row: &Row) -> &[u8] {
        let from = index(u64::from(row.map));
        self.maps.get(from..from.saturating_add(usize::from(row.map_length))).unwrap_or(&[])
    }

    /// An inode as it was read.
    pub(super) fn inode(&self, number: u32) -> Option<Inode> {
        let row = self.row(u64::from(number))?;
        Some(Inode {
            kind: row.kind,
            size: row.size,
            modified: Some(row.modified),
            deleted: row.deleted,
            flags: row.flags,
            map: self.map(row).to_vec(),
        })
    }

    pub(super) fn facts(&self, inode: u64, superblock: &Superblock) -> Option<Facts> {
        let row = self.row(inode)?;
        Some(Facts {
            kind: row.kind,
            size: row.size,
            modified: Inode::modified(Some(row.modified)),
            place: superblock.offset(first_block(self.map(row), row.flags)),
            deleted: row.deleted,
        })
    }

    /// Inodes that should have a name, with whether each is a directory: not those that the file
    /// system keeps for itself.
    pub(super) fn rest(&self, superblock: &Superblock) -> Vec<(u64, bool)> {
        let own = |row: &&Row| {
            row.inode >= superblock.first_inode
                && row.flags & flag::ATTRIBUTE == 0
                && row.inode != superblock.journal
                && !superblock.own.contains(&row.inode)
        };
        let rows = self.rows.iter().filter(own);
        rows.map(|row| (u64::from(row.inode), row.kind == NodeKind::Directory)).collect()
    }
}

/// Reads all inodes and all names.
pub(super) fn sweep(
    files: &Files,
    limits: &Limits,
) -> Result<(Catalogue, Names, Swept), PeelError> {
    let mut swept = Swept::default();
    let mut catalogue = Catalogue::default();
    let outcome = inodes(files, most(limits.members), &mut catalogue, &mut swept)?;
    let mut found = Names::new(most(limits.members));
    let most = allowed(&*files.volume).saturating_sub(outcome.bytes);
    let read = directories(files, &catalogue, most, &mut found, &mut swept)?;
    if found.is_full {
        swept.gaps.push(FULL.to_owned());
    }
    let end = files.superblock.offset(files.superblock.blocks);
    if outcome.cut > 0 || end > files.volume.len() {
        let gap = "a part of a file system that lies past the end of its volume";
        swept.gaps.push(gap.to_owned());
    }
    if outcome.failed > 0 || read.failed > 0 {
        swept.gaps.push("metadata of a file system that could not be read".to_owned());
    }
    swept.gaps.sort();
    swept.gaps.dedup();
    Ok((catalogue, found, swept))
}

fn inodes(
    files: &Files,
    most: u64,
    catalogue: &mut Catalogue,
    swept: &mut Swept,
) -> Result<Read, PeelError> {
    let superblock = &files.superblock;
    let all =
        files.groups.iter().fold(0u64, |sum, group| sum.saturating_add(u64::from(group.used)));
    let is_large = all.saturating_mul(superblock.inode_bytes) > WHOLE;
    let mut left = files.volume.len();
    let mut pieces = Vec::new();
    // Inodes of groups whose tables are read by their bitmaps: from where on, and up to where.
    let mut later: BTreeMap<u64, (u32, u32)> = BTreeMap::new();
    for (group, number) in files.groups.iter().zip(0u64..) {
        let mut count = group.used;
        if let Some((bitmap, in_use)) = group.bitmap.filter(|_| is_large && count > 0) {
            // The first ones are the first to be used, but for what was deleted among them.
            count = in_use.saturating_add(in_use / 4).min(group.used);
            later.insert(number, (count, group.used));
            let (start, length) = (superblock.offset(bitmap), superblock.block_bytes);
            pieces.push(Piece { start, length, tag: BITMAP | number });
        }
        let length = u64::from(count).saturating_mul(superblock.inode_bytes);
        // Tables of their own fit the volume together.
        let Some(rest) = left.checked_sub(length) else {
            let what = "inode tables larger than their volume";
            swept.count(format!("{FORMAT} {what}"), 1);
            break;
        };
        left = rest;
        let first = number.saturating_mul(u64::from(superblock.inodes_per_group));
        if length > 0 {
            pieces.push(Piece { start: superblock.offset(group.table), length, tag: first });
        }
    }
    let mut is_full = false;
    let size = index(superblock.inode_bytes);
    let mut take = |first: u64, at: u64, bytes: &[u8]| {
        let before = at.checked_div(superblock.inode_bytes).unwrap_or(0);
        let first = first.saturating_add(before).saturating_add(1);
        for (bytes, number) in bytes.chunks_exact(size).zip(first..) {
            let Some(inode) = Inode::parse(bytes) else { continue };
            let Ok(number) = u32::try_from(number) else { continue };
            is_full |= wide(catalogue.rows.len()) >= most;
            if is_full || !catalogue.add(number, &inode) {
                is_full = true;
                return;
            }
        }
    };
    let mut outcome = read_in_order(&*files.volume, pieces, &mut |tag, at, bytes| {
        if tag & BITMAP == 0 {
            take(tag, at, bytes);
        } else if let Some((_, to)) = later.get_mut(&(tag & !BITMAP)) {
            *to = last_used(bytes).min(*to);
        }
    })?;
    let mut pieces = Vec::new();
    for (number, (from, to)) in later {
        let Some(group) = files.groups.get(index(number)) else { continue };
        let bytes = |count: u32| u64::from(count).saturating_mul(superblock.inode_bytes);
        let length = bytes(to.saturating_sub(from));
        let Some(rest) = left.checked_sub(length).filter(|_| length > 0) else { continue };
        left = rest;
        let start = superblock.offset(group.table).saturating_add(bytes(from));
        let first = number.saturating_mul(u64::from(superblock.inodes_per_group));
        pieces.push(Piece { start, length, tag: first.saturating_add(u64::from(from)) });
    }
    let more = read_in_order(&*files.volume, pieces, &mut take)?;
    outcome.failed = outcome.failed.saturating_add(more.failed);
    outcome.cut = outcome.cut.saturating_add(more.cut);
    outcome.bytes = outcome.bytes.saturating_add(more.bytes);
    catalogue.rows.sort_unstable_by_key(|row| row.inode);
    catalogue.rows.dedup_by_key(|row| row.inode);
    if is_full {
        swept.gaps.push(FULL.to_owned());
    }
    Ok(outcome)
}

/// How many inodes there are up to the last one that a bitmap says is in use.
fn last_used(bitmap: &[u8]) -> u32 {
    let Some((at, byte)) = bitmap.iter().enumerate().rfind(|(_, byte)| **byte != 0) else {
        return 0;
    };
    let bits = 8u32.saturating_sub(byte.leading_zeros());
    u32::try_from(at).unwrap_or(u32::MAX).saturating_mul(8).saturating_add(bits)
}

fn directories(
    files: &Files,
    catalogue: &Catalogue,
    most: u64,
    found: &mut Names,
    swept: &mut Swept,
) -> Result<Read, PeelError> {
    let superblock = &files.superblock;
    let of_names = |row: &&Row| {
        row.kind == NodeKind::Directory
            && (row.inode >= superblock.first_inode || row.inode == ROOT)
    };
    let rows: Vec<&Row> = catalogue.rows.iter().filter(of_names).collect();
    let maps: Vec<(&[u8], u32, u64)> = rows
        .iter()
        .filter(|row| row.flags & flag::INLINE == 0)
        .map(|row| (catalogue.map(row), row.flags, row.size))
        .collect();
    let mut resolved = resolve(&*files.volume, superblock, &maps)?.into_iter();
    let (mut broken, mut unmapped, mut missing, mut is_encrypted) = (0u64, 0u64, 0u64, false);
    let mut left = files.volume.len().min(DIRECTORIES);
    let mut is_over = false;
    let mut pieces = Vec::new();
    let mut add = |row: &Row, is_first: bool, block: &[u8], found: &mut Names| {
        // The blocks of a deleted directory may be another's by now.
        let is_own = is_first && le32(block, 0) == row.inode;
        if row.deleted && !is_own && row.flags & flag::INLINE == 0 {
            return;
        }
        let whole = names(block, files.form(row.flags), &mut |name| {
            let (parent, child) = (u64::from(row.inode), u64::from(name.inode));
            if name.name == b"." || name.name == b".." {
                return;
            }
            is_encrypted |= row.flags & flag::ENCRYPTED != 0;
            let deleted = name.deleted || row.deleted;
            found.add(parent, child, name.kind, deleted, &told(name.name, row.flags));
        });
        if !whole && !row.deleted {
            broken = broken.saturating_add(1);
        }
    };
    for (row, number) in rows.iter().zip(0u64..) {
        if row.flags & flag::INLINE != 0 {
            inline_blocks(catalogue.map(row)).for_each(|block| add(row, true, block, found));
            continue;
        }
        let Some(runs) = resolved.next() else { break };
        if !row.deleted {
            unmapped = unmapped.saturating_add(runs.malformed);
            missing = missing.saturating_add(runs.missing);
        }
        for piece in directory_pieces(superblock, &runs, row.size, number) {
            match left.checked_sub(piece.length) {
                Some(rest) => {
                    left = rest;
                    pieces.push(piece);
                }
                None => is_over = true,
            }
        }
    }
    let size = index(superblock.block_bytes);
    let mut outcome = read_within(&*files.volume, most, pieces, &mut |tag, at, bytes| {
        let Some(row) = rows.get(index(tag >> 1)) else { return };
        for (block, number) in bytes.chunks(size).zip(0u64..) {
            add(row, tag & 1 == 1 && at == 0 && number == 0, block, found);
        }
    })?;
    outcome.failed = outcome.failed.saturating_add(missing);
    for (count, what) in [
        (broken, "directory block that does not parse"),
        (unmapped, "directory whose map of blocks does not parse"),
    ] {
        swept.count(format!("{FORMAT} {what}"), count);
    }
    if is_over {
        swept.gaps.push(FULL.to_owned());
    }
    if is_encrypted {
        swept.gaps.push("file names encrypted with fscrypt".to_owned());
    }
    Ok(outcome)
}
