//! Files and folders.

use crate::beside::Beside;
use crate::error::DiscoverError;
use crate::found::{DiscoverOptions, Found, Summary};
use lidless_core::{Artifact, Entry, Gap, Layer, Provenance};
use lidless_io::{FileBytes, ReadAt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use walkdir::WalkDir;

/// The absolute path of a file, for places.
pub(crate) fn absolute(path: &Path) -> String {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()).to_string_lossy().into_owned()
}

/// The absolute paths of files, one folder after the other. Links below what was named are not
/// followed, so that only folders have to be asked for.
#[derive(Default)]
struct Places {
    folder: PathBuf,
    absolute: PathBuf,
}

impl Places {
    fn of(&mut self, path: &Path) -> String {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return absolute(path);
        };
        if self.folder != folder || self.absolute.as_os_str().is_empty() {
            let named = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            self.absolute = PathBuf::from(absolute(named));
            self.folder = folder.to_owned();
        }
        self.absolute.join(name).to_string_lossy().into_owned()
    }
}

/// Every regular file below `root` that is not left out, in a fixed order. Links are not
/// followed; the insides of `.git` are another walk's business.
pub(crate) fn files(root: &Path, options: &DiscoverOptions, summary: &mut Summary) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let walk = WalkDir::new(root).follow_links(false).sort_by_file_name().into_iter();
    let walk = walk.filter_entry(|entry| entry.depth() == 0 || entry.file_name() != ".git");
    for entry in walk {
        match entry {
            Ok(entry) if entry.file_type().is_file() => {
                let inside = entry.path().strip_prefix(root).unwrap_or(entry.path());
                let named = options.exclude.is_match(entry.path());
                let reason = named.then(|| "left out by --exclude".to_owned());
                match reason.or_else(|| options.left_out(inside)) {
                    Some(reason) => summary.skip(reason),
                    None => files.push(entry.into_path()),
                }
            }
            Ok(_) => {}
            Err(error) => {
                let path = error.path().map(absolute).unwrap_or_default();
                let reason = error
                    .io_error()
                    .map_or_else(|| "a loop of links".to_owned(), std::string::ToString::to_string);
                let place = Provenance::new(Layer::File { path });
                summary.gaps.push(Gap::new(place, format!("could not be read: {reason}"), None));
            }
        }
    }
    files
}

/// Hands every file to `found`, several at a time. `skip` says which are known already.
pub(crate) fn walk(
    root: &Path,
    files: &[PathBuf],
    threads: usize,
    skip: &(dyn Fn(&Path, &FileBytes) -> bool + Sync),
    found: &(dyn Fn(Found) + Sync),
    summary: &mut Summary,
) {
    // A target that is one file has its folder's files beside it.
    let top = if root.is_file() { root.parent().unwrap_or(root) } else { root };
    let top: Arc<Path> =
        PathBuf::from(absolute(if top.as_os_str().is_empty() { Path::new(".") } else { top }))
            .into();
    let next = AtomicUsize::new(0);
    let shared = Mutex::new(std::mem::take(summary));
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, files.len().max(1)) {
            scope.spawn(|| {
                let mut places = Places::default();
                while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let named = if files.len() == 1 { absolute(path) } else { places.of(path) };
                    let place = Provenance::new(Layer::File { path: named });
                    let opened = FileBytes::open(path);
                    let lock = || shared.lock().unwrap_or_else(PoisonError::into_inner);
                    match opened {
                        Ok(bytes) => {
                            if skip(path, &bytes) {
                                continue;
                            }
                            {
                                let mut summary = lock();
                                summary.files = summary.files.saturating_add(1);
                                summary.bytes = summary.bytes.saturating_add(bytes.len());
                            }
                            let entry = Entry::new(place, Some(bytes.len()));
                            let folder = path.parent().unwrap_or(&top).to_owned();
                            let beside = Beside { root: Arc::clone(&top), folder };
                            let artifact =
                                Artifact::new(entry, Arc::new(bytes)).beside(Arc::new(beside));
                            found(Found { artifact, git: None });
                        }
                        Err(error) => {
                            // Its name was met, and its size needs no leave to read it.
                            let size = path.symlink_metadata().ok().map(|it| it.len());
                            let reason = format!("could not be read: {error}");
                            let mut summary = lock();
                            summary.bytes = summary.bytes.saturating_add(size.unwrap_or(0));
                            summary.skip("could not be read".to_owned());
                            summary.gaps.push(Gap::new(place, reason, size));
                        }
                    }
                }
            });
        }
    });
    *summary = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
}

/// Walks a file or a folder that is no repository.
///
/// # Errors
/// When it cannot be read at all.
pub(crate) fn walk_all(
    root: &Path,
    options: &DiscoverOptions,
    threads: usize,
    found: &(dyn Fn(Found) + Sync),
) -> Result<Summary, DiscoverError> {
    let readable = if root.is_dir() {
        std::fs::read_dir(root).map(|_| ())
    } else {
        std::fs::File::open(root).map(|_| ())
    };
    readable.map_err(|error| DiscoverError::NotReadable {
        path: root.display().to_string(),
        reason: error.to_string(),
    })?;
    let container = Provenance::new(Layer::File { path: absolute(root) }).to_string();
    let mut summary = Summary { container, ..Summary::default() };
    let options = options.of_root(root, &summary.container, &mut summary.gaps);
    let files = files(root, &options, &mut summary);
    walk(root, &files, threads, &|_, _| false, found, &mut summary);
    Ok(summary)
}
