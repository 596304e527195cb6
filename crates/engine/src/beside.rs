//! The objects beside an object: parents and segments of disk images, bands of bundles.

use crate::metered::Metered;
use lidless_core::{Artifact, Entry, Layer, Provenance, Siblings};
use lidless_io::{BlockCache, Budget, Tally};
use lidless_storage::Store;
use std::sync::Arc;

/// How much of each neighbour is kept, in blocks of what a parser's small reads cost.
const CACHE_BYTES: u64 = 4 << 20;
const BLOCK_BYTES: u64 = 64 << 10;

/// The neighbours of an object in its container, through the grant that opened it. The store asks
/// the scope before each request, as for everything.
pub(crate) struct Beside {
    pub(crate) store: Arc<dyn Store>,
    /// The store's name in places.
    pub(crate) name: String,
    pub(crate) container: String,
    /// The folder of the object, without a slash at its end.
    pub(crate) folder: String,
    pub(crate) budget: Budget,
    pub(crate) tally: Tally,
}

impl Siblings for Beside {
    fn open(&self, path: &str) -> Option<Artifact> {
        let key = joined(&self.folder, path)?;
        self.tally.add(0, 1);
        let object = self.store.head(&self.container, &key).ok()?;
        if object.unreadable().is_some() {
            return None;
        }
        let remote = self.store.open(&self.container, &object);
        let metered = Metered::new(remote, self.budget.clone(), self.tally.clone());
        let bytes = BlockCache::new(Arc::new(metered), BLOCK_BYTES, CACHE_BYTES);
        let place = Provenance::new(Layer::Object {
            store: self.name.clone(),
            container: self.container.clone(),
            key: key.clone(),
        });
        let mut entry = Entry::new(place, Some(object.size));
        entry.modified = object.modified;
        entry.etag = object.etag;
        let folder = key.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let beside = Self {
            store: Arc::clone(&self.store),
            name: self.name.clone(),
            container: self.container.clone(),
            folder,
            budget: self.budget.clone(),
            tally: self.tally.clone(),
        };
        Some(Artifact::new(entry, Arc::new(bytes)).beside(Arc::new(beside)))
    }
}

/// A relative path below a folder, with `.` and `..` resolved; none when it leaves the container.
fn joined(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    if path.is_empty() || path.starts_with('/') {
        return None;
    }
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neighbour_stays_in_the_container() {
        assert_eq!(joined("a/b", "c.vhd").as_deref(), Some("a/b/c.vhd"));
        assert_eq!(joined("a/b", "../bands/0").as_deref(), Some("a/bands/0"));
        assert_eq!(joined("", "x").as_deref(), Some("x"));
        for outside in ["../../../x", "/x", "", "../../.."] {
            assert_eq!(joined("a/b", outside), None, "{outside}");
        }
    }
}
