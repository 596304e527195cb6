//! What lies in a folder now.

use crate::digest::Algorithm;
use crate::digest::{Digests, digest};
use crate::error::SealError;
use crate::manifest::{Manifest, Observed, Resource};
use lidless_io::FileBytes;
use std::path::Path;

/// Folders of a version control system, which are not of the model.
const LEFT_OUT: [&str; 4] = [".git", ".gitattributes", ".github", ".gitignore"];

/// The files of a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folder {
    /// What each file looks like from outside, sorted by name.
    pub files: Vec<Observed>,
    /// Names of what is neither file nor folder, links above all: they are not followed.
    pub odd: Vec<String>,
}

/// Reads names, sizes and times of everything below `folder`, leaving out `ignored` (paths below
/// the folder, with all that is below them) and what belongs to version control.
///
/// # Errors
/// When something cannot be read: a seal of half a folder would be a promise not kept.
pub fn read_folder(folder: &Path, ignored: &[String]) -> Result<Folder, SealError> {
    let mut found = Folder::default();
    walk(folder, "", ignored, &mut found)?;
    found.files.sort_by(|a, b| a.name.cmp(&b.name));
    found.odd.sort();
    Ok(found)
}

fn walk(at: &Path, prefix: &str, ignored: &[String], found: &mut Folder) -> Result<(), SealError> {
    let fail = |error: std::io::Error| SealError::Read {
        path: at.display().to_string(),
        why: error.to_string(),
    };
    for entry in std::fs::read_dir(at).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let file_name = entry.file_name().to_string_lossy().into_owned();
        let name = if prefix.is_empty() { file_name } else { format!("{prefix}/{file_name}") };
        let left_out = prefix.is_empty() && LEFT_OUT.contains(&name.as_str());
        if left_out || ignored.iter().any(|path| path.trim_start_matches("./") == name) {
            continue;
        }
        // Of the link itself, not of what it points at.
        let metadata = entry.path().symlink_metadata().map_err(fail)?;
        if metadata.is_dir() {
            walk(&entry.path(), &name, ignored, found)?;
        } else if metadata.is_file() {
            let modified = metadata.modified().ok();
            let since = modified.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
            found.files.push(Observed {
                name,
                size_bytes: metadata.len(),
                modified_nanoseconds: since.and_then(|time| i64::try_from(time.as_nanos()).ok()),
                ..Observed::default()
            });
        } else {
            found.odd.push(name);
        }
    }
    Ok(())
}

impl Folder {
    /// Reads every file and makes the manifest of a model called `name`.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn manifest(
        &self,
        folder: &Path,
        name: &str,
        ignored: &[String],
    ) -> Result<Manifest, SealError> {
        let (mut resources, mut observed) = (Vec::new(), Vec::new());
        for file in &self.files {
            let made = read_file(&folder.join(&file.name))?;
            resources.push(Resource {
                name: file.name.clone(),
                algorithm: Algorithm::Sha256,
                digest: made.sha256,
            });
            observed.push(Observed {
                size_bytes: made.size_bytes,
                blake3: Some(made.blake3),
                ..file.clone()
            });
        }
        let ignored: Vec<String> =
            ignored.iter().cloned().chain(LEFT_OUT.map(str::to_owned)).collect();
        Ok(Manifest { name: name.to_owned(), resources, ignored, observed })
    }
}

/// Digests of one file.
///
/// # Errors
/// When it cannot be read.
pub fn read_file(path: &Path) -> Result<Digests, SealError> {
    let fail = |why: String| SealError::Read { path: path.display().to_string(), why };
    let file = FileBytes::open(path).map_err(|error| fail(error.to_string()))?;
    digest(&file).map_err(fail)
}
