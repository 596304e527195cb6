//! The face of every file system.

use crate::error::PeelError;
use lidless_core::{Limits, Timestamp};
use lidless_io::{Extents, ReadAt};
use std::sync::Arc;

/// What a name in a file system stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodeKind {
    /// A file, or an alternate stream of one.
    File,
    /// A directory.
    Directory,
    /// A link, a device, a pipe: nothing to read.
    Other,
}

/// A file or directory of a file system, as its metadata describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// Path from the root, `/` between its parts, none at its start. An alternate stream is
    /// `FILE:STREAM`.
    pub(crate) path: String,
    /// What it is.
    pub(crate) kind: NodeKind,
    /// Length in bytes.
    pub(crate) size: u64,
    /// When its content was last changed.
    pub(crate) modified: Option<Timestamp>,
    /// Its metadata are still there, its content may be another's by now.
    pub(crate) deleted: bool,
    /// The file system's own handle: record, inode, offset of a directory entry.
    pub(crate) handle: u64,
    /// Where its first byte lies in the volume, to read in disk order; 0 when unknown or when its
    /// content lies in its metadata.
    pub(crate) place: u64,
}

/// The content of a file.
pub(crate) enum Content {
    /// It lies in the metadata.
    Inline(Vec<u8>),
    /// Pieces of the volume.
    Extents(Extents),
    /// It is stored in another form (compressed), and decoded on demand.
    Decoded(Arc<dyn ReadAt>),
}

/// A directory that is to be listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Its path, as [`Node::path`].
    pub(crate) path: String,
    /// The names that matter in it, whatever their case; all of them when none.
    pub(crate) names: Option<Vec<String>>,
}

/// What a directory holds, as far as it could be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    /// Its children; none when there is no such directory.
    pub(crate) children: Vec<Node>,
    /// What kept it, or a part of it, from being read.
    pub(crate) failed: Option<PeelError>,
}

/// What a sweep answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Swept {
    /// Parts of the metadata that did not parse, each with how often, in words that count
    /// together: `NTFS file record without its signature`.
    pub(crate) malformed: Vec<(String, u64)>,
    /// What the sweep could not see, in words that count together.
    pub(crate) gaps: Vec<String>,
}

impl Swept {
    /// Adds what did not parse, unless that was nothing.
    pub(crate) fn count(&mut self, what: impl Into<String>, times: u64) {
        if times > 0 {
            self.malformed.push((what.into(), times));
        }
    }
}

/// Whether a sweep goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Go on.
    Continue,
    /// No more names are wanted.
    Stop,
}

/// An opened file system. Nothing in it panics or loops, whatever the volume holds; directories
/// that contain themselves are entered once.
pub(crate) trait FileSystem: Send + Sync {
    /// The volume's label, when it has one.
    fn label(&self) -> Option<String> {
        None
    }

    /// The children of a directory by its path (`""` is the root), as the file system compares
    /// names; none when there is no such directory. Deleted names are left out.
    ///
    /// # Errors
    /// What kept it from being read.
    fn directory(&self, path: &str) -> Result<Option<Vec<Node>>, PeelError>;

    /// The children of several directories, in the order asked, in as few reads as the layout
    /// allows. Names that do not matter may be among them.
    fn listings(&self, asked: &[Asked]) -> Vec<Listing> {
        let list = |one: &Asked| match self.directory(&one.path) {
            Ok(children) => Listing { children: children.unwrap_or_default(), failed: None },
            Err(error) => Listing { children: Vec::new(), failed: Some(error) },
        };
        asked.iter().map(list).collect()
    }

    /// Every name: files, streams, directories, deleted ones marked, each once, in as few reads
    /// as the layout allows (metadata in disk order, never a walk where there is a table).
    ///
    /// # Errors
    /// What ended the sweep before its end; what was visited before stays.
    fn sweep(
        &self,
        limits: &Limits,
        visit: &mut dyn FnMut(Node) -> Flow,
    ) -> Result<Swept, PeelError>;

    /// The content of a file that `directory` or `sweep` named. Costs no read where a sweep
    /// learned it already.
    ///
    /// # Errors
    /// `Closed` when it is encrypted or in a form that is not read.
    fn content(&self, node: &Node) -> Result<Content, PeelError>;

    /// The contents of several files, in the order given: where metadata of each have to be read
    /// for that, those of all are read together.
    fn contents(&self, nodes: &[Node]) -> Vec<Result<Content, PeelError>> {
        nodes.iter().map(|node| self.content(node)).collect()
    }
}

/// One format of file systems. A new one is one new file (or folder) and one line in `table.rs`.
pub(crate) trait Format: Send + Sync {
    /// `NTFS`, `ext4`, ...
    fn name(&self) -> &'static str;

    /// Whether the volume holds it. `head` is the first 72 KiB of the volume, or all when
    /// shorter; no more is read unless it is certain to matter.
    fn recognises(&self, volume: &dyn ReadAt, head: &[u8]) -> bool;

    /// Opens it.
    ///
    /// # Errors
    /// `Malformed`, `Closed`, `Read`.
    fn open(
        &self,
        volume: Arc<dyn ReadAt>,
        limits: &Limits,
    ) -> Result<Arc<dyn FileSystem>, PeelError>;
}
