//! What file systems of the images hold.

use std::sync::Arc;

/// Where bytes lie, in a volume, a disk or an image.
pub(super) type Pieces = Vec<(u64, Arc<[u8]>)>;

/// Pieces moved by `by` bytes.
pub(super) fn moved(pieces: Pieces, by: u64) -> Pieces {
    pieces.into_iter().map(|(at, bytes)| (at.saturating_add(by), bytes)).collect()
}

/// A file with its path, `/` between the parts.
#[derive(Debug, Clone)]
pub(in super::super) struct File {
    pub(super) path: String,
    pub(super) content: Content,
}

/// What a file holds.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// These bytes.
    Bytes(Vec<u8>),
    /// That many zeros, on clusters of its own that were never written.
    Zeros(u64),
}

impl File {
    pub(in super::super) fn new(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), content: Content::Bytes(bytes.into()) }
    }

    pub(in super::super) fn zeros(path: impl Into<String>, size: u64) -> Self {
        Self { path: path.into(), content: Content::Zeros(size) }
    }

    pub(super) fn size(&self) -> u64 {
        match &self.content {
            Content::Bytes(bytes) => super::block::count(bytes.len()),
            Content::Zeros(size) => *size,
        }
    }
}

/// A directory tree: every directory has a number, the root is 0.
pub(super) struct Tree<'a> {
    /// Name, parent, and the file when it is one. The parent stands before its children.
    pub(super) nodes: Vec<(String, usize, Option<&'a File>)>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(files: &'a [File]) -> Self {
        let mut nodes: Vec<(String, usize, Option<&File>)> = vec![(String::new(), 0, None)];
        let mut known = std::collections::HashMap::new();
        for file in files {
            let mut parent = 0;
            let mut path = String::new();
            let mut parts = file.path.split('/').peekable();
            while let Some(part) = parts.next() {
                path.push('/');
                path.push_str(part);
                let leaf = parts.peek().is_none();
                parent = *known.entry(path.clone()).or_insert_with(|| {
                    nodes.push((part.to_owned(), parent, leaf.then_some(file)));
                    nodes.len().saturating_sub(1)
                });
            }
        }
        Self { nodes }
    }

    /// The children of a directory.
    pub(super) fn children(&self, of: usize) -> Vec<usize> {
        self.nodes
            .iter()
            .enumerate()
            .skip(1)
            .filter(|(_, (_, parent, _))| *parent == of)
            .map(|(number, _)| number)
            .collect()
    }
}
