//! Every inode, then every directory, each in the order of the disk.

use super::super::batch::{allowed, read_within};
use super::super::face::{NodeKind, Swept};
use super::super::names::{Facts, Names, most};
use super::directory::{Name, block, short};
use super::files::{Files, directory_pieces, place};
use super::inode::{Form, Inode};
use super::inodes::{chunks, each};
use super::map::resolve;
use super::superblock::{FORMAT, Superblock};
use crate::error::PeelError;
use lidless_core::{Limits, Timestamp};
use lidless_io::number::{index, wide};

/// How many bytes of forks are kept: of millions of usual inodes.
const FORKS: usize = 160 << 20;
/// How many bytes of directories are read: of a million of them, each in a block of its own.
const DIRECTORIES: u64 = 8 << 30;
const FULL: &str = "more of a file system's metadata than the limit";
/// How many directory blocks that lie in pieces are read one by one.
const MOST_SPLIT: usize = 1 << 14;

/// An inode, packed: a million of them have to fit.
#[derive(Debug, Clone, Copy)]
struct Row {
    inode: u64,
    size: u64,
    modified: i64,
    /// Where its fork begins among all forks.
    fork: u32,
    fork_length: u16,
    form: Form,
    kind: NodeKind,
    deleted: bool,
    is_realtime: bool,
}

/// Every inode in use, by number.
#[derive(Default)]
pub(super) struct Catalogue {
    rows: Vec<Row>,
    forks: Vec<u8>,
}

impl Catalogue {
    fn add(&mut self, number: u64, inode: &Inode) -> bool {
        let (Ok(fork), Ok(fork_length)) =
            (u32::try_from(self.forks.len()), u16::try_from(inode.fork.len()))
        else {
            return false;
        };
        if self.forks.len() > FORKS {
            return false;
        }
        self.forks.extend_from_slice(&inode.fork);
        self.rows.push(Row {
            inode: number,
            size: inode.size,
            modified: inode.modified,
            fork,
            fork_length,
            form: inode.form,
            kind: inode.kind,
            deleted: inode.deleted,
            is_realtime: inode.is_realtime,
        });
        true
    }

    fn row(&self, inode: u64) -> Option<&Row> {
        let at = self.rows.binary_search_by_key(&inode, |row| row.inode).ok()?;
        self.rows.get(at)
    }

    fn fork(&self, row: &Row) -> &[u8] {
        let from = index(u64::from(row.fork));
        let to = from.saturating_add(usize::from(row.fork_length));
        self.forks.get(from..to).unwrap_or(&[])
    }

    /// An inode as it was read.
    pub(super) fn inode(&self, number: u64) -> Option<Inode> {
        let row = self.row(number)?;
        Some(Inode {
            kind: row.kind,
            size: row.size,
            modified: row.modified,
            deleted: row.deleted,
            is_realtime: row.is_realtime,
            form: row.form,
            fork: self.fork(row).to_vec(),
        })
    }

    pub(super) fn facts(&self, inode: u64, superblock: &Superblock) -> Option<Facts> {
        let row = self.row(inode)?;
        Some(Facts {
            kind: row.kind,
            size: row.size,
            modified: Timestamp::from_second(row.modified).ok(),
            place: place(superblock, row.form, self.fork(row)),
            deleted: row.deleted,
        })
    }

    /// Inodes that should have a name, with whether each is a directory: not those that the file
    /// system keeps for itself.
    pub(super) fn rest(&self, superblock: &Superblock) -> Vec<(u64, bool)> {
        let rows = self.rows.iter().filter(|row| !superblock.own.contains(&row.inode));
        rows.map(|row| (row.inode, row.kind == NodeKind::Directory)).collect()
    }
}

/// Reads all inodes and all names.
pub(super) fn sweep(
    files: &Files,
    limits: &Limits,
) -> Result<(Catalogue, Names, Swept), PeelError> {
    let superblock = &files.superblock;
    let volume = &*files.volume;
    let mut swept = Swept::default();
    let mut catalogue = Catalogue::default();
    let mut trees = chunks(volume, superblock)?;
    say(&mut swept, trees.malformed, "inode B-tree that does not parse");
    let (mut cut, mut failed) = (trees.read.cut, trees.read.failed);
    let mut is_full = false;
    let mut unsigned = 0u64;
    // Inodes of their own fit the volume together.
    let mut left = volume.len();
    let before = trees.pieces.len();
    trees.pieces.retain(|piece| match left.checked_sub(piece.length) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    });
    let over = before.saturating_sub(trees.pieces.len());
    say(&mut swept, wide(over), "inodes larger than their volume");
    // Directories are scattered like inodes, and come after them.
    let half = allowed(volume) / 2;
    let read = read_within(volume, half, trees.pieces, &mut |first, at, bytes| {
        for (number, bytes) in each(superblock, first, at, bytes) {
            let Some(inode) = Inode::parse(bytes) else {
                unsigned = unsigned.saturating_add(1);
                continue;
            };
            if inode.is_free() {
                continue;
            }
            is_full |= wide(catalogue.rows.len()) >= most(limits.members);
            if is_full || !catalogue.add(number, &inode) {
                is_full = true;
                return;
            }
        }
    })?;
    catalogue.rows.sort_unstable_by_key(|row| row.inode);
    catalogue.rows.dedup_by_key(|row| row.inode);
    say(&mut swept, unsigned, "inode without its signature");
    cut = cut.saturating_add(read.cut);
    failed = failed.saturating_add(read.failed);
    let mut names = Names::new(most(limits.members));
    let rest = allowed(volume).saturating_sub(read.bytes);
    failed = failed.saturating_add(directories(files, &catalogue, rest, &mut names, &mut swept)?);
    if names.is_full || is_full || trees.is_full {
        swept.gaps.push(FULL.to_owned());
    }
    if cut > 0 || superblock.blocks.saturating_mul(superblock.block_bytes) > volume.len() {
        let gap = "a part of a file system that lies past the end of its volume";
        swept.gaps.push(gap.to_owned());
    }
    if failed > 0 {
        swept.gaps.push("metadata of a file system that could not be read".to_owned());
    }
    Ok((catalogue, names, swept))
}

/// Reads the names in all directories. Answers how many parts could not be read.
fn directories(
    files: &Files,
    catalogue: &Catalogue,
    most: u64,
    names: &mut Names,
    swept: &mut Swept,
) -> Result<u64, PeelError> {
    let superblock = &files.superblock;
    let is_directory = |row: &&Row| row.kind == NodeKind::Directory;
    let rows: Vec<&Row> = catalogue.rows.iter().filter(is_directory).collect();
    let forks: Vec<(Form, &[u8])> = rows
        .iter()
        .filter(|row| row.form != Form::Local)
        .map(|row| (row.form, catalogue.fork(row)))
        .collect();
    let mut resolved = resolve(&*files.volume, superblock, &forks)?.into_iter();
    let (mut broken, mut unmapped, mut missing) = (0u64, 0u64, 0u64);
    let mut left = files.volume.len().min(DIRECTORIES);
    let mut is_over = false;
    let mut pieces = Vec::new();
    let mut apart = Vec::new();
    let add = |row: &Row, name: Name<'_>, names: &mut Names| {
        let deleted = name.deleted || row.deleted;
        let kind = if name.is_directory { NodeKind::Directory } else { NodeKind::File };
        names.add(row.inode, name.inode, kind, deleted, name.name);
    };
    for (row, number) in rows.iter().zip(0u64..) {
        if row.form == Form::Local {
            let fork = catalogue.fork(row);
            let whole = short(superblock, fork, &mut |name| add(row, name, names));
            broken = broken.saturating_add(u64::from(!whole));
            continue;
        }
        let Some(runs) = resolved.next() else { break };
        unmapped = unmapped.saturating_add(runs.malformed);
        missing = missing.saturating_add(runs.missing);
        let (own, split) = directory_pieces(superblock, &runs, number);
        for piece in own {
            match left.checked_sub(piece.length) {
                Some(rest) => {
                    left = rest;
                    pieces.push(piece);
                }
                None => is_over = true,
            }
        }
        if !split.is_empty() && apart.len() < MOST_SPLIT {
            apart.push((*row, runs, split));
        }
    }
    let size = index(superblock.directory_bytes());
    let outcome = read_within(&*files.volume, most, pieces, &mut |tag, _, bytes| {
        let Some(row) = rows.get(index(tag)) else { return };
        for bytes in bytes.chunks(size) {
            let whole = block(superblock, bytes, &mut |name| add(row, name, names));
            broken = broken.saturating_add(u64::from(!whole));
        }
    })?;
    let mut blocks = 0usize;
    for (row, runs, split) in apart {
        for at in split {
            blocks = blocks.saturating_add(1);
            if blocks > MOST_SPLIT {
                missing = missing.saturating_add(1);
                continue;
            }
            let bytes = files.split_block(&runs, at)?;
            let whole = block(superblock, &bytes, &mut |name| add(row, name, names));
            broken = broken.saturating_add(u64::from(!whole));
        }
    }
    if is_over {
        swept.gaps.push(FULL.to_owned());
    }
    say(swept, broken, "directory block that does not parse");
    say(swept, unmapped, "directory whose map of blocks does not parse");
    Ok(outcome.failed.saturating_add(missing))
}

fn say(swept: &mut Swept, count: u64, what: &str) {
    swept.count(format!("{FORMAT} {what}"), count);
}
