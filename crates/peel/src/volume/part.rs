//! The faces of what lies between a disk and a file system.

use crate::error::PeelError;
use lidless_io::ReadAt;
use std::sync::Arc;

/// A part of a disk that a partition table names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// Number from 1, as Linux counts: GPT by its entry; MBR primaries 1 to 4, logicals from 5.
    pub(crate) number: u32,
    /// First byte on the disk.
    pub(crate) start: u64,
    /// Length in bytes.
    pub(crate) length: u64,
    /// What the table says it is for: `EFI system`, `Windows data`, `Linux LVM`, `0x27`, ...
    pub(crate) kind: String,
    /// Whether that kind never holds files: reserved space, a boot loader.
    pub(crate) is_reserved: bool,
}

/// A kind of partition table. A new one is one new file and one line in `table.rs`.
pub(crate) trait Scheme: Send + Sync {
    /// `GPT`, `MBR`, ...
    fn name(&self) -> &'static str;

    /// The parts of a disk, by number; none when it has no such table. `head` is the first
    /// 72 KiB, or all when shorter. Parts that reach past the end of the disk are kept and cut.
    ///
    /// # Errors
    /// When there is such a table and it cannot be read.
    fn parts(&self, disk: &dyn ReadAt, head: &[u8]) -> Option<Result<Vec<Part>, PeelError>>;
}

/// A volume inside a volume, with a name of its own.
pub(crate) struct Logical {
    /// `vg0-root`.
    pub(crate) name: String,
    /// Its bytes.
    pub(crate) bytes: Arc<dyn ReadAt>,
}

/// What can lie on a partition instead of a file system: a volume manager, encryption, swap. A
/// new one is one new file and one line in `table.rs`.
pub(crate) trait Holder: Send + Sync {
    /// `LVM2`, `BitLocker`, `LUKS`, ...
    fn name(&self) -> &'static str;

    /// Whether the volume begins with it; `head` as in [`Scheme::parts`].
    fn recognises(&self, volume: &dyn ReadAt, head: &[u8]) -> bool;

    /// Whether it counts before any file system: what looks like one is only its front.
    fn is_before_files(&self) -> bool {
        false
    }

    /// The volumes inside.
    ///
    /// # Errors
    /// `Closed` with the product's name when it is encrypted, or in words what it is.
    fn open(&self, volume: &Arc<dyn ReadAt>, head: &[u8]) -> Result<Vec<Logical>, PeelError>;
}
