//! Where something is: the chain of layers from the first link down to the byte.

use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// One step of a [`Provenance`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Layer {
    /// A file on this machine; absolute path.
    File {
        /// Absolute path.
        path: String,
    },
    /// A blob in a git history.
    Git {
        /// Absolute path or URL (without credentials) of the repository.
        repository: String,
        /// Full hexadecimal id of the commit that first brought the blob.
        commit: String,
        /// Path inside the repository.
        path: String,
    },
    /// What the user typed or piped in.
    Input {
        /// A name for it: `argument 1`, `standard input`.
        name: String,
    },
    /// A stored object.
    Object {
        /// The store without its containers: `az://contoso`, `s3:/` + bucket as container.
        store: String,
        /// Container or bucket.
        container: String,
        /// Key of the object.
        key: String,
    },
    /// Which state of the object above it is meant, when not the current one: `snapshot=TIME`.
    Version {
        /// As [`crate::ObjectVersion::query`] writes it.
        id: String,
    },
    /// A member of an archive, or a file of a file system.
    Member {
        /// Path inside the container as it is written there.
        path: String,
    },
    /// A partition of a disk, counted from 1.
    Partition {
        /// Number from 1.
        number: u32,
    },
    /// Content after a decoding step that has no members: `gzip`, `base64`.
    Decoded {
        /// Name of the encoding.
        encoding: String,
    },
}

/// The chain of layers. Equal chains are equal things. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Provenance {
    layers: Vec<Layer>,
}

impl Provenance {
    /// Starts a chain.
    #[must_use]
    pub fn new(first: Layer) -> Self {
        Self { layers: vec![first] }
    }

    /// The chain one step deeper.
    #[must_use]
    pub fn child(&self, layer: Layer) -> Self {
        let mut layers = self.layers.clone();
        layers.push(layer);
        Self { layers }
    }

    /// The layers, outermost first.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// How many wrappings were opened to get here.
    #[must_use]
    pub fn depth(&self) -> usize {
        let wrappings = self.layers.iter().filter(|one| !matches!(one, Layer::Version { .. }));
        wrappings.count().saturating_sub(1)
    }

    /// The path of the innermost named thing, `/`-separated as written there.
    #[must_use]
    pub fn path(&self) -> &str {
        self.layers.iter().rev().find_map(Layer::path).unwrap_or("")
    }
}

impl Layer {
    fn path(&self) -> Option<&str> {
        match self {
            Self::File { path } | Self::Git { path, .. } | Self::Member { path } => Some(path),
            Self::Object { key, .. } => Some(key),
            Self::Input { name } => Some(name),
            Self::Version { .. } | Self::Partition { .. } | Self::Decoded { .. } => None,
        }
    }
}

impl std::fmt::Display for Provenance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (depth, layer) in self.layers.iter().enumerate() {
            if depth > 0 && !matches!(layer, Layer::Version { .. }) {
                // A file of a partition stands below it as in a folder.
                let above = depth.checked_sub(1).and_then(|above| self.layers.get(above));
                let inside = matches!(above, Some(Layer::Partition { .. }))
                    && matches!(layer, Layer::Member { .. });
                f.write_str(if inside { "/" } else { "!/" })?;
            }
            match layer {
                Layer::File { path } => write!(f, "file://{}", escape(path))?,
                Layer::Git { repository, commit, path } => {
                    let url = escape(repository);
                    let scheme = if repository.contains("://") { "git+" } else { "git+file://" };
                    write!(f, "{scheme}{url}@{commit}:{}", escape(path))?;
                }
                Layer::Input { name } => write!(f, "input:{}", escape(name))?,
                Layer::Object { store, container, key } => {
                    write!(f, "{}/{}/{}", escape(store), escape(container), escape(key))?;
                }
                Layer::Version { id } => write!(f, "?{}", escape(id))?,
                Layer::Member { path } => f.write_str(&escape(path))?,
                Layer::Partition { number } => write!(f, "p{number}")?,
                Layer::Decoded { encoding } => f.write_str(&escape(encoding))?,
            }
        }
        Ok(())
    }
}

/// Percent-encodes what would break a place apart or play with a terminal: control and
/// direction characters, white space, `%`, `#`, `?` and a `!` before a slash.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let splits = character == '!' && rest.peek() == Some(&'/');
        let hidden = matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}');
        if splits
            || hidden
            || character.is_control()
            || character.is_whitespace()
            || matches!(character, '%' | '#' | '?' | '"' | '<' | '>' | '`')
        {
            let mut utf8 = [0; 4];
            for byte in character.encode_utf8(&mut utf8).bytes() {
                let _ = write!(out, "%{byte:02X}");
            }
        } else {
            out.push(character);
        }
    }
    out
}

/// A provenance and, when known, where in it: line from 1, offset in bytes from 0.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// What it is in.
    pub provenance: Provenance,
    /// Line, from 1.
    pub line: Option<u64>,
    /// Offset in bytes from the start of the innermost content.
    pub offset: Option<u64>,
}

impl Place {
    /// The whole of something.
    #[must_use]
    pub fn whole(provenance: Provenance) -> Self {
        Self { provenance, line: None, offset: None }
    }

    /// A line of something.
    #[must_use]
    pub fn line(provenance: Provenance, line: u64, offset: u64) -> Self {
        Self { provenance, line: Some(line), offset: Some(offset) }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.provenance)?;
        match self.line {
            Some(line) => write!(f, "#L{line}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_as_the_design_writes_them() {
        let object = Provenance::new(Layer::Object {
            store: "az://contoso".into(),
            container: "backups".into(),
            key: "alice.vhdx".into(),
        });
        let key = object
            .child(Layer::Partition { number: 2 })
            .child(Layer::Member { path: "Users/alice/.ssh/id_ed25519".into() });
        assert_eq!(
            key.to_string(),
            "az://contoso/backups/alice.vhdx!/p2/Users/alice/.ssh/id_ed25519"
        );
        let old = object.child(Layer::Version { id: "versionid=2026-01-01T00:00:00Z".into() });
        assert_eq!((old.path(), old.depth()), ("alice.vhdx", 0));
        assert_eq!(
            old.child(Layer::Partition { number: 2 }).to_string(),
            "az://contoso/backups/alice.vhdx?versionid=2026-01-01T00:00:00Z!/p2"
        );
        let git = Provenance::new(Layer::Git {
            repository: "/src/repo".into(),
            commit: "3f2a".into(),
            path: "READ ME!/x\u{1b}[2J".into(),
        });
        assert_eq!(
            Place::line(git, 12, 300).to_string(),
            "git+file:///src/repo@3f2a:READ%20ME%21/x%1B[2J#L12"
        );
    }
}
