//! The contents of files, the maps of many read together.

use super::super::face::{Content, Node, NodeKind};
use super::super::inodes::described;
use super::super::runs::Runs;
use super::files::{Files, number};
use super::inode::{Inode, flag};
use super::map::resolve;
use super::superblock::FORMAT;
use crate::error::PeelError;
use lidless_io::Extents;
use lidless_io::number::wide;
use std::sync::Arc;

/// A content whose map was looked at, or what came before that.
enum Step {
    Done(Result<Content, PeelError>),
    Map(Inode),
}

impl Files {
    /// The contents of files, in the order given.
    pub(super) fn contents_of(&self, nodes: &[Node]) -> Vec<Result<Content, PeelError>> {
        let steps = match self.described(nodes) {
            Ok(inodes) => nodes.iter().zip(inodes).map(|(node, inode)| self.step(node, inode)),
            Err(error) => return nodes.iter().map(|_| Err(error.clone())).collect(),
        };
        let steps: Vec<Step> = steps.collect();
        let maps: Vec<(&[u8], u32, u64)> = steps
            .iter()
            .filter_map(|step| match step {
                Step::Map(inode) => Some((inode.map.as_slice(), inode.flags, inode.size)),
                Step::Done(_) => None,
            })
            .collect();
        let resolved = resolve(&*self.volume, &self.superblock, &maps);
        let error = resolved.as_ref().err().cloned();
        let mut resolved = resolved.unwrap_or_default().into_iter();
        let finish = |step| match (step, &error) {
            (Step::Done(done), _) => done,
            (Step::Map(_), Some(error)) => Err(error.clone().into()),
            (Step::Map(inode), None) => self.mapped(&inode, &resolved.next().unwrap_or_default()),
        };
        steps.into_iter().map(finish).collect()
    }

    /// The inodes of files: those that a sweep saw from memory, others read together.
    fn described(&self, nodes: &[Node]) -> Result<Vec<Option<Inode>>, PeelError> {
        let catalogue = self.catalogue();
        let kept = |node: &Node| catalogue.as_ref()?.inode(number(node.handle));
        described(nodes, kept, |wanted| {
            self.inodes(&wanted.iter().map(|inode| number(*inode)).collect::<Vec<u32>>())
        })
    }

    fn step(&self, node: &Node, inode: Option<Inode>) -> Step {
        let closed = |why: &str| Step::Done(Err(PeelError::Closed(why.to_owned())));
        if node.handle == 0 {
            return Step::Done(Ok(Content::Inline(Vec::new())));
        }
        let Some(inode) = inode.filter(|inode| inode.kind == NodeKind::File) else {
            let found = "none of a file";
            return Step::Done(Err(PeelError::malformed(FORMAT, 0, "an inode", found)));
        };
        if inode.flags & flag::ENCRYPTED != 0 {
            return closed("a file encrypted with fscrypt");
        }
        if inode.flags & flag::COMPRESSED != 0 {
            return closed("a file compressed by e2compr");
        }
        if inode.flags & flag::INLINE == 0 {
            return Step::Map(inode);
        }
        // What was never written of a longer one reads as zeros.
        if wide(inode.map.len()) < inode.size && inode.map.iter().all(|byte| *byte == 0) {
            let hole = Extents::new(Arc::clone(&self.raw), Vec::new(), inode.size);
            return Step::Done(Ok(Content::Extents(hole)));
        }
        Step::Done(Ok(Content::Inline(inode.map)))
    }

    fn mapped(&self, inode: &Inode, runs: &Runs) -> Result<Content, PeelError> {
        if inode.deleted && runs.runs.is_empty() && inode.size > 0 {
            let why = "a deleted file whose blocks are no longer known";
            return Err(PeelError::Closed(why.to_owned()));
        }
        let block_bytes = self.superblock.block_bytes;
        let offset = |block| self.superblock.offset(block);
        let pieces = runs.content(FORMAT, self.raw.len(), block_bytes, offset)?;
        if let Some(replayed) = &self.replayed
            && runs.runs.iter().any(|run| replayed.touches(run.block, run.length))
        {
            let whole = Extents::new(Arc::clone(&self.volume), pieces, inode.size);
            return Ok(Content::Decoded(Arc::new(whole)));
        }
        Ok(Content::Extents(Extents::new(Arc::clone(&self.raw), pieces, inode.size)))
    }
}
