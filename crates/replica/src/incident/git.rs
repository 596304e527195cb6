//! Writing a git repository: loose objects, a reference, an index. No git program is needed.

use flate2::Compression;
use flate2::write::ZlibEncoder;
use gix::hash::{Kind, ObjectId};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Files of a tree by their path with `/`.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// Who made a commit, when, and what for.
pub(super) struct Commit<'a> {
    /// `Name <address>`.
    pub(super) author: &'a str,
    /// Seconds since 1970.
    pub(super) seconds: i64,
    pub(super) message: &'a str,
}

/// A repository in the making.
pub(super) struct Repository {
    folder: PathBuf,
    head: Option<ObjectId>,
    files: Files,
}

fn hash(parts: &[&[u8]]) -> io::Result<ObjectId> {
    let mut hasher = gix::hash::hasher(Kind::Sha1);
    for part in parts {
        hasher.update(part);
    }
    hasher.try_finalize().map_err(io::Error::other)
}

impl Repository {
    /// Starts an empty repository in `folder`, which is made; one that is already there is refused.
    pub(super) fn create(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let git = folder.join(".git");
        std::fs::create_dir(&git)?;
        for name in ["objects/info", "objects/pack", "refs/heads", "refs/tags"] {
            std::fs::create_dir_all(git.join(name))?;
        }
        std::fs::write(git.join("HEAD"), "ref: refs/heads/main\n")?;
        std::fs::write(
            git.join("config"),
            "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n",
        )?;
        Ok(Self { folder: folder.to_owned(), head: None, files: Files::new() })
    }

    /// Commits exactly `files` onto `main`.
    pub(super) fn commit(&mut self, files: Files, commit: &Commit<'_>) -> io::Result<()> {
        let tree = self.tree(&files, "")?;
        let parent = self.head.map(|id| format!("parent {id}\n")).unwrap_or_default();
        let Commit { author, seconds, message } = commit;
        let text = format!(
            "tree {tree}\n{parent}author {author} {seconds} +0000\n\
             committer {author} {seconds} +0000\n\n{message}\n"
        );
        let id = self.object("commit", text.as_bytes())?;
        std::fs::write(self.folder.join(".git/refs/heads/main"), format!("{id}\n"))?;
        self.head = Some(id);
        self.files = files;
        Ok(())
    }

    /// Writes the newest commit's files into the folder, and the index that says so.
    pub(super) fn check_out(&self) -> io::Result<()> {
        let mut index = b"DIRC\0\0\0\x02".to_vec();
        let count = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        index.extend_from_slice(&count.to_be_bytes());
        for (path, content) in &self.files {
            let file = self.folder.join(path);
            if let Some(folder) = file.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(&file, content)?;
            // Times and numbers of the file are left zero: git looks again by itself.
            let start = index.len();
            index.extend_from_slice(&[0; 24]);
            index.extend_from_slice(&0o100_644_u32.to_be_bytes());
            index.extend_from_slice(&[0; 8]);
            let size = u32::try_from(content.len()).unwrap_or(u32::MAX);
            index.extend_from_slice(&size.to_be_bytes());
            index.extend_from_slice(blob_id(content)?.as_slice());
            let length = u16::try_from(path.len()).unwrap_or(0xfff).min(0xfff);
            index.extend_from_slice(&length.to_be_bytes());
            index.extend_from_slice(path.as_bytes());
            index.push(0);
            while !index.len().saturating_sub(start).is_multiple_of(8) {
                index.push(0);
            }
        }
        let sum = hash(&[&index])?;
        index.extend_from_slice(sum.as_slice());
        std::fs::write(self.folder.join(".git/index"), index)
    }

    /// Writes the tree of what lies under `prefix`, and everything in it.
    fn tree(&self, files: &Files, prefix: &str) -> io::Result<ObjectId> {
        // Git sorts folders as if their names ended in a slash.
        let mut names = BTreeSet::new();
        for path in files.keys() {
            if let Some(rest) = path.strip_prefix(prefix) {
                names.insert(match rest.split_once('/') {
                    Some((folder, _)) => format!("{folder}/"),
                    None => rest.to_owned(),
                });
            }
        }
        let mut tree = Vec::new();
        for name in names {
            let path = format!("{prefix}{name}");
            let (mode, id) = match files.get(&path) {
                Some(content) => ("100644", self.object("blob", content)?),
                None => ("40000", self.tree(files, &path)?),
            };
            tree.extend_from_slice(format!("{mode} {}\0", name.trim_end_matches('/')).as_bytes());
            tree.extend_from_slice(id.as_slice());
        }
        self.object("tree", &tree)
    }

    fn object(&self, kind: &str, content: &[u8]) -> io::Result<ObjectId> {
        let head = format!("{kind} {}\0", content.len());
        let id = hash(&[head.as_bytes(), content])?;
        let text = id.to_string();
        let (folder, name) = text.split_at_checked(2).unwrap_or_default();
        let folder = self.folder.join(".git/objects").join(folder);
        std::fs::create_dir_all(&folder)?;
        let file = folder.join(name);
        if !file.exists() {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(head.as_bytes())?;
            encoder.write_all(content)?;
            std::fs::write(file, encoder.finish()?)?;
        }
        Ok(id)
    }
}

fn blob_id(content: &[u8]) -> io::Result<ObjectId> {
    hash(&[format!("blob {}\0", content.len()).as_bytes(), content])
}
