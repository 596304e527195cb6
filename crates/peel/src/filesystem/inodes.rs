//! What file systems of inodes have in common when they are asked for one path, or for contents:
//! directories that were looked into are remembered, and inodes are read together.

use super::face::{Node, NodeKind};
use super::folders::join;
use super::names::Facts;
use crate::error::PeelError;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How large a directory may be when it is opened by its path.
pub(super) const LARGEST_DIRECTORY: u64 = 16 << 20;
/// How many paths of directories are remembered.
const REMEMBERED: usize = 20_000;

/// A name in a directory, for an inode that is there.
pub(super) struct Child {
    pub(super) inode: u64,
    pub(super) is_directory: bool,
    pub(super) name: String,
}

/// Inodes of directories by path.
#[derive(Default)]
pub(super) struct Paths(Mutex<HashMap<String, u64>>);

impl Paths {
    /// The inode that a path leads to from `root`; none when a part of it is not there.
    /// `children` gives the names in a directory, or none when it is not one.
    ///
    /// # Errors
    /// Those of `children`.
    pub(super) fn find(
        &self,
        root: u64,
        path: &str,
        mut children: impl FnMut(u64) -> Result<Option<Vec<Child>>, PeelError>,
    ) -> Result<Option<u64>, PeelError> {
        let known = |path: &str| {
            let paths = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            paths.get(path).copied()
        };
        if path.is_empty() {
            return Ok(Some(root));
        }
        if let Some(inode) = known(path) {
            return Ok(Some(inode));
        }
        let (mut at, mut inode) = (0usize, root);
        for part in path.split('/') {
            at = at.saturating_add(part.len());
            if let Some(known) = path.get(..at).and_then(known) {
                inode = known;
            } else {
                let Some(names) = children(inode)? else { return Ok(None) };
                let Some(next) = names.iter().find(|child| child.name == part) else {
                    return Ok(None);
                };
                inode = next.inode;
            }
            at = at.saturating_add(1);
        }
        Ok(Some(inode))
    }

    /// The nodes of the directory at a path. Of those that are no directories `facts` says what
    /// they are, in order; of a directory there is nothing more to know than its name says.
    pub(super) fn nodes(
        &self,
        path: &str,
        children: Vec<Child>,
        facts: Vec<Option<Facts>>,
    ) -> Vec<Node> {
        let mut facts = facts.into_iter();
        let mut nodes = Vec::with_capacity(children.len());
        let mut paths = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for child in children {
            let mut node = Node {
                path: join(path, &child.name),
                kind: NodeKind::Directory,
                size: 0,
                modified: None,
                deleted: false,
                handle: child.inode,
                place: 0,
            };
            if !child.is_directory {
                let told = facts.next().flatten().filter(|told| !told.deleted);
                let Some(told) = told else { continue };
                node.kind = told.kind;
                node.size = told.size;
                node.modified = told.modified;
                node.place = told.place;
            }
            if node.kind == NodeKind::Directory && paths.len() < REMEMBERED {
                paths.insert(node.path.clone(), node.handle);
            }
            nodes.push(node);
        }
        nodes
    }
}

/// The inodes of nodes: those that a sweep kept from memory, others read together.
///
/// # Errors
/// Those of `read`, which gives inodes in the order asked for.
pub(super) fn described<I>(
    nodes: &[Node],
    kept: impl Fn(&Node) -> Option<I>,
    read: impl FnOnce(&[u64]) -> Result<Vec<Option<I>>, PeelError>,
) -> Result<Vec<Option<I>>, PeelError> {
    let mut found: Vec<Option<I>> = nodes.iter().map(kept).collect();
    let missing: Vec<(usize, u64)> = nodes
        .iter()
        .zip(&found)
        .enumerate()
        .filter(|(_, (node, inode))| inode.is_none() && node.handle != 0)
        .map(|(at, (node, _))| (at, node.handle))
        .collect();
    let wanted: Vec<u64> = missing.iter().map(|(_, inode)| *inode).collect();
    for ((at, _), inode) in missing.into_iter().zip(read(&wanted)?) {
        if let Some(slot) = found.get_mut(at) {
            *slot = inode;
        }
    }
    Ok(found)
}
