//! Something that can be opened.

use crate::place::Provenance;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A thing that was listed and not opened yet: small, serialisable, without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Where it is.
    pub provenance: Provenance,
    /// Length in bytes, when the listing says.
    pub length_bytes: Option<u64>,
    /// When it was last changed, when the listing says.
    pub modified: Option<Timestamp>,
    /// The version as the store names it.
    pub etag: Option<String>,
}

impl Entry {
    /// An entry of which only the place and the length are known.
    #[must_use]
    pub fn new(provenance: Provenance, length_bytes: Option<u64>) -> Self {
        Self { provenance, length_bytes, modified: None, etag: None }
    }

    /// Path of the innermost named thing, with `/` between its parts even where it was written
    /// on Windows.
    #[must_use]
    pub fn path(&self) -> String {
        self.provenance.path().replace('\\', "/")
    }

    /// The last part of the path.
    #[must_use]
    pub fn file_name(&self) -> String {
        self.path().rsplit('/').next().unwrap_or("").to_owned()
    }

    /// The path from the outermost container of names down to the entry, layers joined by `/`:
    /// what place patterns (`*/.ssh/id_rsa`) are matched against.
    #[must_use]
    pub fn full_path(&self) -> String {
        use crate::place::Layer;
        let mut parts = Vec::new();
        for layer in self.provenance.layers() {
            match layer {
                Layer::File { path } | Layer::Git { path, .. } | Layer::Member { path } => {
                    parts.push(path.replace('\\', "/"));
                }
                Layer::Object { container, key, .. } => parts.push(format!("{container}/{key}")),
                Layer::Input { name } => parts.push(name.clone()),
                Layer::Version { .. } | Layer::Partition { .. } | Layer::Decoded { .. } => {}
            }
        }
        parts.join("/")
    }
}
