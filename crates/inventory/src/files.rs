//! Where the data files of a manifest are on this machine, and what they are.

use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

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
    pub(crate) fn of(path: &Path) -> std::io::Result<Self> {
        let mut head = Vec::new();
        File::open(path)?.take(4).read_to_end(&mut head)?;
        Ok(match head.as_slice() {
            b"PAR1" => Self::Parquet,
            [b'O', b'R', b'C', ..] => Self::Orc,
            [0x1f, 0x8b, ..] => Self::CsvGzip,
            _ => Self::Csv,
        })
    }
}

/// Finds a data file: where the whole key lies below the folder of the manifest or a folder above
/// it, as a copy of the bucket has it; else under its own name beside the manifest, or in a `data`
/// folder there or one further up, as S3 lays them out.
pub(crate) fn locate(folder: &Path, key: &str) -> Option<PathBuf> {
    let key = Path::new(key);
    // A manifest names files of its inventory, nothing else of this machine.
    if key.as_os_str().is_empty()
        || !key.components().all(|part| matches!(part, Component::Normal(_)))
    {
        return None;
    }
    let folder = std::path::absolute(folder).ok()?;
    let name = Path::new(key.file_name()?);
    let depth = key.components().count();
    let whole = folder.ancestors().take(depth).map(|above| above.join(key));
    let near = [
        Some(folder.join(name)),
        Some(folder.join("data").join(name)),
        folder.parent().map(|above| above.join("data").join(name)),
    ];
    whole.chain(near.into_iter().flatten()).find(|path| path.is_file())
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
        assert_eq!(locate(&folder, "dst/src/conf/data/1.csv.gz"), Some(data.clone()));
        assert_eq!(locate(&folder, "elsewhere/data/1.csv.gz"), Some(data));
        let beside = put("flat/2.csv");
        assert_eq!(locate(&root.path().join("flat"), "a/b/2.csv"), Some(beside));
        assert_eq!(locate(&folder, "../../../flat/2.csv"), None);
        assert_eq!(locate(&folder, "/etc/passwd"), None);
    }
}
