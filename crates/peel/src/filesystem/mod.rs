//! File systems, swept through ranged reads.

mod blocks;
mod civil;
mod drive;
mod exfat;
mod face;
mod fat;
mod iso;
mod known;
mod neighbours;
mod squashfs;
mod table;
mod udf;
mod walk;

pub(crate) use drive::{Tour, Toured};
pub(crate) use table::find;
