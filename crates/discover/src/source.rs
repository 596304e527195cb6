//! What a target turns out to be.

use crate::clone::{clone, shown};
use crate::error::DiscoverError;
use crate::found::{DiscoverOptions, Found, Summary};
use crate::{folder, git};
use std::path::{Path, PathBuf};

/// A source of content.
#[derive(Debug)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// A folder that is no repository.
    Folder(PathBuf),
    /// A repository on this machine, with or without a work tree.
    Repository(PathBuf),
    /// A repository elsewhere, cloned to a folder that vanishes with the value.
    Clone {
        /// The URL without userinfo.
        url: String,
        /// Where it lies.
        folder: tempfile::TempDir,
    },
}

impl Source {
    /// Finds out what a target is; clones it when it is a URL.
    ///
    /// # Errors
    /// `NotFound`, or `Clone` when git cannot clone it.
    pub fn open(target: &str) -> Result<Self, DiscoverError> {
        let path = Path::new(target);
        if path.is_file() {
            return Ok(Self::File(path.to_owned()));
        }
        if path.is_dir() {
            let top = path.join(".git");
            let bare = path.join("HEAD").is_file()
                && path.join("objects").is_dir()
                && path.join("refs").is_dir();
            return Ok(if top.exists() || bare {
                Self::Repository(path.to_owned())
            } else {
                Self::Folder(path.to_owned())
            });
        }
        let is_url = target.contains("://") || (target.contains('@') && target.contains(':'));
        if !is_url {
            return Err(DiscoverError::NotFound(target.to_owned()));
        }
        Ok(Self::Clone { url: shown(target), folder: clone(target)? })
    }

    /// Hands everything in the source to `found`, several at a time and in no order.
    ///
    /// # Errors
    /// When the source cannot be read at all; anything less is a gap in the summary.
    pub fn walk(
        &self,
        options: &DiscoverOptions,
        threads: usize,
        found: &(dyn Fn(Found) + Sync),
    ) -> Result<Summary, DiscoverError> {
        match self {
            Self::File(path) | Self::Folder(path) => {
                folder::walk_all(path, options, threads, found)
            }
            Self::Repository(path) => {
                git::walk(path, &folder::absolute(path), options, threads, found)
            }
            // What strangers wrote does not decide what is looked at.
            Self::Clone { url, folder } => {
                let options = DiscoverOptions { heed_ignore_file: false, ..options.clone() };
                git::walk(folder.path(), url, &options, threads, found)
            }
        }
    }
}
