//! File systems, swept through ranged reads.

mod blocks;
mod civil;
mod cramfs;
mod drive;
mod exfat;
mod face;
mod fat;
mod iso;
mod known;
mod neighbours;
mod romfs;
mod squashfs;
mod table;
mod udf;
mod walk;

pub(crate) use drive::{Tour, Toured};
pub(crate) use table::find;
