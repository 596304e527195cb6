//! One process at a time works on a case.
//!
//! The hold is a lock of the operating system on a file beside the case: it ends with the process,
//! however that ends, so there is no stale lock to take away. It is not on the case file itself,
//! since closing a second handle of that file would drop the locks of SQLite.

use crate::error::LedgerError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The right to work on a case, until dropped.
#[derive(Debug)]
pub(crate) struct Hold {
    path: PathBuf,
    /// Its lock is the hold.
    _file: File,
}

/// How often the file may be taken away between opening and locking it.
const TRIES: usize = 16;

impl Hold {
    /// Takes the hold of the case at `case`, without waiting.
    pub(crate) fn take(case: &Path) -> Result<Self, LedgerError> {
        let mut name = case.as_os_str().to_owned();
        name.push("-lock");
        let path = PathBuf::from(name);
        let cannot = |error: std::io::Error| LedgerError::Hold {
            case: case.display().to_string(),
            why: error.to_string(),
        };
        for _ in 0..TRIES {
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(&path)
                .map_err(cannot)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let mut holder = String::new();
                    let _ = file.take(64).read_to_string(&mut holder);
                    let holder = holder.trim();
                    let process =
                        if !holder.is_empty() && holder.bytes().all(|b| b.is_ascii_digit()) {
                            format!(" (process {holder})")
                        } else {
                            String::new()
                        };
                    return Err(LedgerError::Held { case: case.display().to_string(), process });
                }
                Err(TryLockError::Error(error)) => return Err(cannot(error)),
            }
            // Whoever held it before may have removed it meanwhile: then this is no hold.
            let here = std::fs::metadata(&path).ok().map(|data| (data.dev(), data.ino()));
            let mine = file.metadata().ok().map(|data| (data.dev(), data.ino()));
            if here.is_none() || here != mine {
                continue;
            }
            let written = file
                .set_len(0)
                .and_then(|()| file.rewind())
                .and_then(|()| writeln!(file, "{}", std::process::id()));
            // Who holds it is a courtesy: a full disk is told by the case itself.
            drop(written);
            return Ok(Self { path, _file: file });
        }
        Err(LedgerError::Held { case: case.display().to_string(), process: String::new() })
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // Removed while it is held, so that nobody else's is.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_a_file_left_behind_is_no_hold() {
        let folder = tempfile::tempdir().unwrap();
        let case = folder.path().join("a.case");
        let lock = folder.path().join("a.case-lock");
        // Left behind by a process that was killed.
        std::fs::write(&lock, "4194305\n").unwrap();
        let hold = Hold::take(&case).unwrap();
        let error = Hold::take(&case).unwrap_err().to_string();
        assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
        drop(hold);
        assert!(!lock.exists());
        drop(Hold::take(&case).unwrap());
    }
}
