//! File systems, swept through ranged reads.

mod batch;
mod btrfs;
mod drive;
mod ext;
mod face;
mod known;
mod names;
mod neighbours;
mod number;
mod table;
mod told;
mod xfs;

pub(crate) use drive::{Tour, Toured};
pub(crate) use table::find;
