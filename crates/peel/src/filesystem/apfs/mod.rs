//! APFS, by Apple's "Apple File System Reference".
//!
//! ```text
//! numbers with the least byte first; blocks of mostly 4096 bytes
//! object      0   8  Fletcher-64 of what follows
//!             8  16  number, transaction
//!            24   8  type, subtype
//! container  32   4  "NXSB"; 36 bytes in a block, 40 blocks
//!            64   8  features: 0x100 a Fusion drive
//!           104  20  checkpoints: blocks, 112 the first
//!           160   8  block of the object map; 184 numbers of up to 100 volumes
//! volume     32   4  "APSB"
//!            56   8  features: 1 names without case, 8 without their normal form
//!           116   4  type of the tree of files; 128 block of the object map, 136 root of the tree
//!          1032   8  root of the tree of extents, where 56 has 0x20: a sealed volume
//!           216   8  snapshots; 264 flags: 1 not encrypted; 704 name
//! node       32   8  flags: 1 root, 2 leaf, 4 keys and values of fixed sizes,
//!                    0x10 no header; level; records
//!            40   4  where the table of records is behind byte 56, and its length
//! ```
//!
//! A container is a holder whose volumes are told by name. A volume inside it is handed on as
//! the container with the volume's own block in place of the first one. Its tree is read level by
//! level, each in the order of the disk, and never through its object map node by node.

mod container;
mod files;
mod format;
mod gathered;
mod layout;
mod records;
mod tree;

pub(crate) use container::ApfsContainer;
pub(super) use format::Apfs;
