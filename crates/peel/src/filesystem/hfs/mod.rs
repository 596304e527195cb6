//! HFS+ and HFSX, by Apple's Technical Note 1150.
//!
//! ```text
//! numbers with the greatest byte first
//! volume header, at 1024 and 1024 before the end
//!      0  2  "H+" or "HX"
//!      4  4  attributes: 0x100 unmounted, 0x2000 with a journal
//!     40  8  bytes in a block, blocks
//!    192 80  fork of the extents overflow file; 272 the catalog's; 352 the attributes'
//! fork   0  8  length in bytes
//!       12  4  blocks
//!       16 64  eight extents: first block, blocks
//! node   0  4  next one of its level; 8 kind: -1 leaf, 0 index, 1 header, 2 map
//!       10  2  records; their offsets stand at the end of the node, the last one first
//! key    0  2  length; catalog: 2 parent, 6 name; overflow: 2 fork, 4 file, 8 first block;
//!              attributes: 4 file, 12 name
//! ```
//!
//! The catalog's nodes are swept in the order of the disk. Hard links lead to files in
//! `HFS+ Private Data`, and links to directories (Time Machine) to directories in
//! `.HFS+ Private Directory Data`, whose names stand below the first of their links.

mod files;
mod forks;
mod format;
mod layout;
mod records;
mod sweep;
mod tree;

pub(super) use format::Hfs;
