//! Bytes of a file on this machine.

use crate::error::ReadError;
use crate::number::{index, wide};
use crate::read_at::ReadAt;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// A regular file read with `pread`, never mapped: a file cut short by someone else while it is
/// read is a short read here, not a signal.
#[derive(Debug)]
pub struct FileBytes {
    file: File,
    length: u64,
}

impl FileBytes {
    /// Opens a regular file.
    ///
    /// # Errors
    /// What the file system answered; also for anything that is not a regular file, because a
    /// pipe or a device has no length and may block for ever.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let metadata = std::fs::metadata(path)?;
        if !metadata.is_file() {
            return Err(std::io::Error::other("not a regular file").into());
        }
        let file = File::open(path)?;
        Ok(Self { file, length: metadata.len() })
    }

    /// Wraps an open file of known length.
    #[must_use]
    pub fn from_file(file: File, length: u64) -> Self {
        Self { file, length }
    }
}

impl ReadAt for FileBytes {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let available = index(self.length.saturating_sub(offset));
        let wanted = available.min(buffer.len());
        let mut done = 0usize;
        while let Some(rest) = buffer.get_mut(done..wanted).filter(|rest| !rest.is_empty()) {
            let position = offset.saturating_add(wide(done));
            match self.file.read_at(rest, position) {
                Ok(0) => break,
                Ok(count) => done = done.saturating_add(count),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(done)
    }
}
