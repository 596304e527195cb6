//! The files of an inventory on this machine, and what data files are.

use crate::manifest::DataFile;
use crate::source::{InventoryFile, InventoryFiles, places_of};
use lidless_io::{FileBytes, ReadAt, ReadError, read_vec};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a data file is, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// CSV as it is.
    Csv,
    /// CSV in gzip.
    CsvGzip,
    /// Parquet.
    Parquet,
    /// ORC, which is not read.
    Orc,
}

impl Form {
    /// Tells by the first bytes, never by the name.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn of(bytes: &dyn ReadAt) -> Result<Self, ReadError> {
        let head = read_vec(bytes, 0, 4)?;
        Ok(match head.as_slice() {
            b"PAR1" => Self::Parquet,
            [b'O', b'R', b'C', ..] => Self::Orc,
            [0x1f, 0x8b, ..] => Self::CsvGzip,
            _ => Self::Csv,
        })
    }
}

/// An inventory on this machine.
pub(crate) struct LocalFiles {
    path: PathBuf,
    folder: Option<PathBuf>,
}

impl LocalFiles {
    pub(crate) fn new(path: &Path) -> Self {
        // A bare name has an empty parent, which is no path.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = std::path::absolute(folder.unwrap_or(Path::new("."))).ok();
        Self { path: path.to_owned(), folder }
    }

    fn locate(&self, key: &str) -> Option<PathBuf> {
        places_of(self.folder.as_deref()?, key).into_iter().find(|path| path.is_file())
    }
}

impl InventoryFiles for LocalFiles {
    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn manifest(&self) -> Result<Arc<dyn ReadAt>, String> {
        match FileBytes::open(&self.path) {
            Ok(bytes) => Ok(Arc::new(bytes)),
            Err(error) => Err(error.to_string()),
        }
    }

    fn checksum(&self) -> Option<Arc<dyn ReadAt>> {
        let bytes = FileBytes::open(&self.path.with_extension("checksum")).ok()?;
        Some(Arc::new(bytes))
    }

    fn open(&self, key: &str) -> Result<InventoryFile, String> {
        let path = self
            .locate(key)
            .ok_or_else(|| "is not here, so its objects are not known".to_owned())?;
        let bytes = FileBytes::open(&path).map_err(|error| format!("cannot be read: {error}"))?;
        Ok(InventoryFile { place: path.display().to_string(), bytes: Arc::new(bytes), md5: None })
    }

    fn any(&self, files: &[DataFile]) -> Result<(), String> {
        if files.is_empty() || files.iter().any(|file| self.locate(&file.key).is_some()) {
            return Ok(());
        }
        Err("download them beside the manifest".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_file_is_found_as_stores_lay_it_out_and_beside_its_manifest() {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, b"x").unwrap();
            path
        };
        let data = put("dst/src/conf/data/1.csv.gz");
        let folder = root.path().join("dst/src/conf/2026-01-01T00-00Z");
        std::fs::create_dir_all(&folder).unwrap();
        let files = LocalFiles::new(&folder.join("manifest.json"));
        assert_eq!(files.locate("dst/src/conf/data/1.csv.gz"), Some(data.clone()));
        assert_eq!(files.locate("elsewhere/data/1.csv.gz"), Some(data));
        let beside = put("flat/2.csv");
        let flat = LocalFiles::new(&root.path().join("flat/manifest.json"));
        assert_eq!(flat.locate("a/b/2.csv"), Some(beside));
        assert_eq!(files.locate("../../../flat/2.csv"), None);
        assert_eq!(files.locate("/etc/passwd"), None);
        assert_eq!(files.locate(""), None);
    }
}
