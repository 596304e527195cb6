//! What lies beside a file of a file system.

use super::face::{Asked, Content, FileSystem, Node, NodeKind};
use lidless_core::{Artifact, Entry, Layer, Provenance, Siblings};
use lidless_io::{MemoryBytes, ReadAt};
use std::sync::Arc;

/// The neighbours of the files in one folder.
pub(super) struct Neighbours {
    pub(super) files: Arc<dyn FileSystem>,
    /// The volume's place.
    pub(super) place: Provenance,
    /// The folder, without a slash at its end.
    pub(super) folder: String,
}

impl Siblings for Neighbours {
    fn open(&self, path: &str) -> Option<Artifact> {
        let mut folder = self.folder.clone();
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        for part in above.split('/').filter(|part| !part.is_empty() && *part != ".") {
            if part == ".." {
                let up = folder.rsplit_once('/').map_or(0, |(up, _)| up.len());
                folder.truncate(up);
            } else {
                if !folder.is_empty() {
                    folder.push('/');
                }
                folder.push_str(part);
            }
        }
        let asked = Asked { path: folder.clone(), names: Some(vec![name.to_owned()]) };
        let listing = self.files.listings(&[asked]).pop()?;
        // The name as it is written, before one in other letters.
        let last = |node: &Node| node.path.rsplit('/').next().unwrap_or(&node.path).to_owned();
        let files: Vec<Node> = listing
            .children
            .into_iter()
            .filter(|node| node.kind == NodeKind::File && last(node).eq_ignore_ascii_case(name))
            .collect();
        let exact = files.iter().find(|node| last(node) == name);
        let node = exact.or(files.first())?;
        let bytes: Arc<dyn ReadAt> = match self.files.content(node).ok()? {
            Content::Inline(bytes) => Arc::new(MemoryBytes::new(bytes)),
            Content::Extents(extents) => Arc::new(extents),
            Content::Decoded(bytes) => bytes,
        };
        let place = self.place.child(Layer::Member { path: node.path.clone() });
        let beside = Self { files: Arc::clone(&self.files), place: self.place.clone(), folder };
        Some(Artifact::new(Entry::new(place, Some(bytes.len())), bytes).beside(Arc::new(beside)))
    }
}
