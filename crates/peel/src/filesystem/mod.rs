//! File systems, swept through ranged reads.

mod drive;
mod face;
mod known;
mod neighbours;
mod ntfs;
mod table;

pub(crate) use drive::{Tour, Toured};
pub(crate) use table::find;
