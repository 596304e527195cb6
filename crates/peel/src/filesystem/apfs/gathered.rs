//! What is known of the files of a volume.

use super::records::{Extent, Inode, Record, Value};
use crate::filesystem::decmpfs::{self, Compression};
use crate::filesystem::face::{Node, NodeKind};
use crate::filesystem::folders::join;
use lidless_core::Timestamp;
use std::collections::HashMap;

/// The attribute that holds a resource fork.
const RESOURCES: &str = "com.apple.ResourceFork";
/// Attributes of one file that are listed.
const STREAMS: usize = 64;

/// A name in a directory.
pub(super) struct Named {
    pub(super) parent: u64,
    pub(super) name: String,
    pub(super) id: u64,
    /// 4 a directory, 8 a file.
    pub(super) what: u16,
}

/// A file.
#[derive(Debug, Clone, Default)]
pub(super) struct File {
    pub(super) inode: Inode,
    pub(super) packed: Option<(Compression, Value)>,
    pub(super) resources: Option<Value>,
    /// Attributes with extents of their own: name, number, length.
    streams: Vec<(String, u64, u64)>,
}

/// Files by their number, and extents by theirs.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) files: HashMap<u64, File>,
    pub(super) extents: HashMap<u64, Vec<Extent>>,
}

impl Gathered {
    /// Takes a record about `id`; a name is handed back.
    pub(super) fn add(&mut self, id: u64, record: Record, value: &[u8]) -> Option<Named> {
        match record {
            Record::Inode(inode) => self.files.entry(id).or_default().inode = inode,
            Record::Extent { id, extent } => self.extent(id, extent),
            Record::Name { name, id: target, what } => {
                return Some(Named { parent: id, name, id: target, what });
            }
            Record::Attribute { name, value: place } => {
                let file = self.files.entry(id).or_default();
                match name.as_str() {
                    decmpfs::ATTRIBUTE => {
                        let header = Compression::parse(value.get(4..).unwrap_or(&[]));
                        file.packed = header.map(|header| (header, place));
                    }
                    RESOURCES => file.resources = Some(place),
                    _ => {
                        if let Value::Stream(number, size) = place
                            && file.streams.len() < STREAMS
                        {
                            file.streams.push((name, number, size));
                        }
                    }
                }
            }
        }
        None
    }

    /// Takes an extent.
    pub(super) fn extent(&mut self, id: u64, extent: Extent) {
        self.extents.entry(id).or_default().push(extent);
    }

    /// The nodes of a name: its file, and what hangs on it.
    pub(super) fn nodes(&self, folder: &str, named: &Named, block: u64) -> Vec<Node> {
        let file = self.files.get(&named.id);
        let mode = file.map_or(0, |file| file.inode.mode) & 0xf000;
        let kind = match (named.what, mode) {
            (4, _) => NodeKind::Directory,
            (8, 0x8000 | 0) => NodeKind::File,
            _ => NodeKind::Other,
        };
        let path = join(folder, &named.name);
        let modified = file.and_then(|file| file.inode.modified);
        let node = |path: String, size: u64, place: u64, handle: u64| Node {
            path,
            kind,
            size,
            modified,
            deleted: false,
            handle,
            place,
        };
        let Some(file) = file.filter(|_| kind == NodeKind::File) else {
            return vec![node(path, 0, 0, named.id)];
        };
        let place = |id: u64| {
            let first = self.extents.get(&id).and_then(|extents| extents.first());
            first.map_or(0, |extent| extent.block.saturating_mul(block))
        };
        let mut nodes = Vec::with_capacity(1);
        let packed = file.packed.filter(|_| file.inode.compressed);
        let in_fork = packed.is_some_and(|(how, _)| how.is_in_fork());
        let (size, first) = match (packed, file.resources) {
            (Some((how, _)), Some(Value::Stream(id, _))) if in_fork => (how.size, place(id)),
            (Some((how, _)), _) => (how.size, 0),
            (None, _) => (file.inode.size, place(file.inode.private)),
        };
        if let Some(Value::Stream(id, size)) = file.resources.filter(|_| !in_fork) {
            nodes.push(node(format!("{path}:rsrc"), size, place(id), handle_of_stream(id)));
        }
        for (name, id, size) in &file.streams {
            nodes.push(node(format!("{path}:{name}"), *size, place(*id), handle_of_stream(*id)));
        }
        nodes.push(node(path, size, first, named.id));
        nodes
    }

    /// When a directory was changed.
    pub(super) fn modified(&self, id: u64) -> Option<Timestamp> {
        self.files.get(&id).and_then(|file| file.inode.modified)
    }
}

/// The handle of what has extents and no name of its own: numbers have 60 bits.
fn handle_of_stream(id: u64) -> u64 {
    id | 1u64.wrapping_shl(63)
}

/// The number of such a handle.
pub(super) fn stream_of_handle(handle: u64) -> Option<u64> {
    let bit = 1u64.wrapping_shl(63);
    (handle & bit != 0).then_some(handle & !bit)
}
