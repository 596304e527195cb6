//! File systems, swept through ranged reads.

mod apfs;
mod decmpfs;
mod drive;
mod face;
mod folders;
mod hfs;
mod known;
mod neighbours;
mod table;

pub(crate) use apfs::ApfsContainer;
pub(crate) use drive::{Tour, Toured};
pub(crate) use table::find;
