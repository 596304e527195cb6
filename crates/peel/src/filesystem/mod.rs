//! File systems, swept through ranged reads.

mod batch;
mod drive;
mod ext;
mod blocks;
mod civil;
mod drive;
mod exfat;
mod face;
mod fat;
mod iso;
mod known;
mod names;
mod neighbours;
mod ntfs;
mod number;
mod table;
mod xfs;
mod squashfs;
mod table;
mod walk;

pub(crate) use drive::{Tour, Toured};
pub(crate) use table::find;
