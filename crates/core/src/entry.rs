//! Something that can be opened.

use crate::place::{Layer, Provenance};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, OnceLock};

/// A thing that was listed and not opened yet: small, serialisable, without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Where it is; not changed once it was asked for its names.
    pub provenance: Provenance,
    /// Length in bytes, when the listing says.
    pub length_bytes: Option<u64>,
    /// When it was last changed, when the listing says.
    pub modified: Option<Timestamp>,
    /// The version as the store names it.
    pub etag: Option<String>,
    #[serde(skip)]
    names: Names,
}

/// What an entry is called, made when it is first asked for: every detector and every format asks.
#[derive(Debug, Clone, Default)]
struct Names(OnceLock<Arc<Made>>);

/// The names follow from the place.
impl PartialEq for Names {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Names {}

#[derive(Debug)]
struct Made {
    full: String,
    lower: String,
    /// Where the path of the innermost thing begins, and the last part of it.
    path: usize,
    file: usize,
}

impl Made {
    fn of(place: &Provenance) -> Self {
        let mut full = String::new();
        let mut path = 0;
        let mut is_first = true;
        for layer in place.layers() {
            let (above, name) = match layer {
                Layer::File { path } | Layer::Git { path, .. } | Layer::Member { path } => {
                    (None, path)
                }
                Layer::Object { container, key, .. } => (Some(container), key),
                Layer::Input { name } => (None, name),
                Layer::Version { .. } | Layer::Partition { .. } | Layer::Decoded { .. } => continue,
            };
            if !is_first {
                full.push('/');
            }
            is_first = false;
            if let Some(above) = above {
                full.push_str(above);
                full.push('/');
            }
            path = full.len();
            full.push_str(name);
        }
        if full.contains('\\') {
            full = full.replace('\\', "/");
        }
        let name = full.get(path..).unwrap_or("");
        let file = name.rfind('/').map_or(path, |at| path.saturating_add(at).saturating_add(1));
        let lower = full.to_ascii_lowercase();
        Self { full, lower, path, file }
    }
}

impl Entry {
    /// An entry of which only the place and the length are known.
    #[must_use]
    pub fn new(provenance: Provenance, length_bytes: Option<u64>) -> Self {
        Self { provenance, length_bytes, modified: None, etag: None, names: Names::default() }
    }

    fn names(&self) -> &Made {
        self.names.0.get_or_init(|| Arc::new(Made::of(&self.provenance)))
    }

    /// Path of the innermost named thing, with `/` between its parts even where it was written
    /// on Windows.
    #[must_use]
    pub fn path(&self) -> &str {
        let names = self.names();
        names.full.get(names.path..).unwrap_or("")
    }

    /// The same in small letters, of ASCII.
    #[must_use]
    pub fn lower_path(&self) -> &str {
        let names = self.names();
        names.lower.get(names.path..).unwrap_or("")
    }

    /// The last part of the path.
    #[must_use]
    pub fn file_name(&self) -> &str {
        let names = self.names();
        names.full.get(names.file..).unwrap_or("")
    }

    /// The same in small letters, of ASCII.
    #[must_use]
    pub fn lower_file_name(&self) -> &str {
        let names = self.names();
        names.lower.get(names.file..).unwrap_or("")
    }

    /// The path from the outermost container of names down to the entry, layers joined by `/`:
    /// what place patterns (`*/.ssh/id_rsa`) are matched against.
    #[must_use]
    pub fn full_path(&self) -> &str {
        &self.names().full
    }

    /// The same in small letters, of ASCII.
    #[must_use]
    pub fn lower_full_path(&self) -> &str {
        &self.names().lower
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_called_by_its_innermost_name() {
        let place = Provenance::new(Layer::Object {
            store: "az://contoso".into(),
            container: "Backups".into(),
            key: "pc\\Alice.ZIP".into(),
        });
        let entry = Entry::new(place.clone(), None);
        assert_eq!(
            (entry.path(), entry.file_name(), entry.full_path()),
            ("pc/Alice.ZIP", "Alice.ZIP", "Backups/pc/Alice.ZIP")
        );
        assert_eq!(entry.lower_path(), "pc/alice.zip");
        let inside = place.child(Layer::Version { id: "3".into() });
        let inside = Entry::new(inside.child(Layer::Member { path: "Ä/.ENV".into() }), None);
        assert_eq!(inside.path(), "Ä/.ENV");
        assert_eq!((inside.file_name(), inside.lower_file_name()), (".ENV", ".env"));
        assert_eq!(inside.lower_full_path(), "backups/pc/alice.zip/Ä/.env");
        assert_eq!(inside, Entry::new(inside.provenance.clone(), None));
    }
}
