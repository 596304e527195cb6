//! File systems, swept through ranged reads.

mod drive;
mod face;
mod known;
mod neighbours;
mod table;

pub(crate) use drive::{Tour, Toured};
pub(crate) use face::{Content, FileSystem, Flow, Node, NodeKind, Swept};
pub(crate) use table::find;
