//! The bytes of one file, as it was when it was listed.

use super::refusal::unread;
use super::tree::{Tree, size, version};
use lidless_core::Object;
use lidless_io::{FileBytes, ReadAt, ReadError, ReadErrorKind};
use rustix::fs::{Stat, fstat};
use std::os::fd::AsFd;
use std::sync::Arc;

/// A file that is opened for each read: a listing may hold a million of them, a process a thousand
/// open files.
pub(crate) struct LocalBytes {
    tree: Arc<Tree>,
    key: String,
    size: u64,
    version: Option<String>,
}

impl LocalBytes {
    pub(crate) fn new(tree: Arc<Tree>, object: &Object) -> Self {
        let (key, version) = (object.key.clone(), object.etag.clone());
        Self { tree, key, size: object.size, version }
    }

    /// Refuses what is not the file that was listed.
    fn check(&self, stat: &Stat, what: &str) -> Result<(), ReadError> {
        let is_other = self.version.as_ref().is_some_and(|listed| *listed != version(stat));
        if is_other || size(stat) != self.size {
            let why = format!("cannot {what}: it changed since it was listed");
            return Err(ReadError::new(ReadErrorKind::Changed, why));
        }
        Ok(())
    }
}

impl ReadAt for LocalBytes {
    fn len(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        if offset >= self.size || buffer.is_empty() {
            return Ok(0);
        }
        let what = format!("read {}", self.tree.place(&self.key));
        let (file, stat) = self.tree.file(&self.key).map_err(|error| unread(&what, error))?;
        self.check(&stat, &what)?;
        let watched = file.try_clone()?;
        let done = FileBytes::from_file(file, self.size).read_at(offset, buffer)?;
        // What was written while it was read shows now.
        let stat = fstat(watched.as_fd()).map_err(|error| unread(&what, error))?;
        self.check(&stat, &what)?;
        Ok(done)
    }
}
