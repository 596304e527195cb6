//! File systems, swept through ranged reads.

mod decmpfs;
mod drive;
mod face;
mod hfs;
mod known;
mod neighbours;
mod table;

pub(crate) use drive::{Tour, Toured};
pub(crate) use table::find;
