//! File systems, swept through ranged reads.

mod apfs;
mod batch;
mod blocks;
mod btrfs;
mod cramfs;
mod decmpfs;
mod drive;
mod exfat;
mod ext;
mod face;
mod fat;
mod folders;
mod hfs;
mod inodes;
mod iso;
mod known;
mod levels;
mod names;
mod neighbours;
mod ntfs;
mod number;
mod romfs;
mod runs;
mod squashfs;
mod table;
mod told;
mod udf;
mod walk;
mod xfs;

pub(crate) use apfs::ApfsContainer;
pub(crate) use drive::{Tour, Toured};
pub(crate) use face::{Content, FileSystem, Flow, Format, Node, NodeKind, Swept};
pub(crate) use table::find;
