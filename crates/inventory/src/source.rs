//! Where the files of an inventory lie: on this machine, or where the store put them.

use crate::manifest::DataFile;
use lidless_io::ReadAt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// One data file, opened.
#[derive(Clone)]
pub struct InventoryFile {
    /// Its place, as gaps name it.
    pub place: String,
    /// Its bytes.
    pub bytes: Arc<dyn ReadAt>,
    /// Its MD5 in hexadecimal, lower case, when whoever keeps the file may know it: when it is not
    /// that of the manifest, the bytes decide.
    pub md5: Option<String>,
}

/// The files of one inventory. Reasons are in words and hold no credential.
pub trait InventoryFiles: Send + Sync {
    /// The place of the manifest, as gaps and errors name it.
    fn place(&self) -> String;

    /// The manifest.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn manifest(&self) -> Result<Arc<dyn ReadAt>, String>;

    /// The checksum file beside the manifest, when there is one.
    fn checksum(&self) -> Option<Arc<dyn ReadAt>>;

    /// Opens the data file that a manifest calls `key`.
    ///
    /// # Errors
    /// What is to be told of it, as what comes after "a data file of the inventory".
    fn open(&self, key: &str) -> Result<InventoryFile, String>;

    /// Whether any of the files is there, as far as is worth asking; else why not.
    ///
    /// # Errors
    /// Why the first of them is not.
    fn any(&self, files: &[DataFile]) -> Result<(), String>;
}

/// Where a data file may lie, as seen from the folder of its manifest, likeliest first: under its
/// whole key below that folder or a folder above it, as a copy of the bucket has it; else under
/// its own name beside the manifest, or in a `data` folder there or one further up, as S3 lays
/// them out. None for a key that leads elsewhere.
#[must_use]
pub fn places_of(folder: &Path, key: &str) -> Vec<PathBuf> {
    let key = Path::new(key);
    // A manifest names files of its inventory, nothing else.
    let Some(name) = key.file_name().map(Path::new) else { return Vec::new() };
    if !key.components().all(|part| matches!(part, Component::Normal(_))) {
        return Vec::new();
    }
    let depth = key.components().count();
    let whole = folder.ancestors().take(depth).map(|above| above.join(key));
    let near = [
        Some(folder.join(name)),
        Some(folder.join("data").join(name)),
        folder.parent().map(|above| above.join("data").join(name)),
    ];
    whole.chain(near.into_iter().flatten()).collect()
}
