//! An opened hive, and looking things up in it.

use super::base::{BASE, Base, MAGIC};
use super::cells::Cells;
use super::key::Key;
use super::log::recover;
use super::value::RegistryValue;
use crate::error::RecordError;
use lidless_io::{ReadAt, read_vec};
use std::sync::Arc;

/// Whether a hive holds all that was written to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HiveState {
    /// Everything was written.
    Clean,
    /// It was not, and its logs had the rest.
    Recovered,
    /// It was not: values may be older than they were.
    Stale,
}

/// A registry hive.
pub struct Hive {
    cells: Cells,
    base: Base,
    state: HiveState,
}

impl Hive {
    /// Whether a file begins as a hive does.
    #[must_use]
    pub fn is_one(head: &[u8]) -> bool {
        head.starts_with(MAGIC)
    }

    /// Opens a hive with the logs that lie beside it (`NAME.LOG1`, `NAME.LOG2`), in any order.
    /// `logs` is called only when the hive needs them.
    ///
    /// # Errors
    /// `Malformed`, `Read`. A log that does not fit is left out, and the hive is stale.
    pub fn open(
        bytes: Arc<dyn ReadAt>,
        logs: impl FnOnce() -> Vec<Arc<dyn ReadAt>>,
    ) -> Result<Self, RecordError> {
        let base = Base::read(&read_vec(&*bytes, 0, BASE)?)?;
        if base.is_clean() {
            let cells = Cells::new(bytes, base.bins_bytes)?;
            return Ok(Self { cells, base, state: HiveState::Clean });
        }
        let recovered = recover(&bytes, &base, &logs())?;
        let (cells, state) = match recovered {
            Some((patched, length)) => {
                (Cells::new(Arc::new(patched), length)?, HiveState::Recovered)
            }
            None => (Cells::new(bytes, base.bins_bytes)?, HiveState::Stale),
        };
        Ok(Self { cells, base, state })
    }

    /// Whether it holds all that was written to it.
    #[must_use]
    pub fn state(&self) -> HiveState {
        self.state
    }

    /// When it was last written: 100 ns since 1601.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.base.written
    }

    /// The end of the path it had on its machine.
    #[must_use]
    pub fn file_name(&self) -> &str {
        &self.base.file_name
    }

    /// The root key.
    ///
    /// # Errors
    /// As [`Hive::key`].
    pub fn root(&self) -> Result<Key, RecordError> {
        Key::read(&self.cells, self.base.root)
    }

    /// A key by its path from the root, with `\` between its parts; none when there is none.
    ///
    /// # Errors
    /// `Malformed` when a key or a list on the way does not parse, `Read`.
    pub fn key(&self, path: &str) -> Result<Option<Key>, RecordError> {
        self.below(&self.root()?, path)
    }

    /// A key by its path from another.
    ///
    /// # Errors
    /// As [`Hive::key`].
    pub fn below(&self, key: &Key, path: &str) -> Result<Option<Key>, RecordError> {
        let mut key = key.clone();
        for part in path.split('\\').filter(|part| !part.is_empty()) {
            match key.child(&self.cells, part)? {
                Some(child) => key = child,
                None => return Ok(None),
            }
        }
        Ok(Some(key))
    }

    /// The keys directly below a key; at most 65,536.
    ///
    /// # Errors
    /// As [`Hive::key`].
    pub fn subkeys(&self, key: &Key) -> Result<Vec<Key>, RecordError> {
        key.children(&self.cells)
    }

    /// The values of a key; at most 16,384.
    ///
    /// # Errors
    /// As [`Hive::key`].
    pub fn values(&self, key: &Key) -> Result<Vec<RegistryValue>, RecordError> {
        key.values(&self.cells)
    }

    /// A value of a key by its name; none when there is none.
    ///
    /// # Errors
    /// As [`Hive::key`].
    pub fn value(&self, key: &Key, name: &str) -> Result<Option<RegistryValue>, RecordError> {
        key.value(&self.cells, name)
    }

    /// The class name of a key.
    ///
    /// # Errors
    /// As [`Hive::key`].
    pub fn class(&self, key: &Key) -> Result<Option<String>, RecordError> {
        key.class(&self.cells)
    }
}
