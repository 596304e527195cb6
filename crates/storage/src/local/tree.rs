//! One folder and what lies below it, opened a folder inside the other. No link is followed, so
//! that nothing outside is reached, whatever is moved around meanwhile; and nothing but folders
//! and regular files is opened: opening a device can do something, opening a pipe can wait.

use super::address::names_of;
use lidless_core::{Layer, Object, Provenance, Timestamp};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fstat, open, openat, statat};
use rustix::io::Errno;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

/// A folder that the user named, links on the way to it resolved once.
pub(crate) struct Tree {
    pub(crate) root: PathBuf,
    /// The same as text that leads back.
    pub(crate) shown: String,
}

/// What a name in a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    Link,
    /// A pipe, a socket, a device.
    Special,
}

/// A name in a folder, and what it is where the folder says so.
pub(crate) type Named = (Vec<u8>, Option<Kind>);

const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK);
/// Without waiting, should a pipe have taken the place of what was a file a moment ago.
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY);

impl Tree {
    /// Opens the folder that a key leads to; an empty one to the root.
    pub(crate) fn folder(&self, key: &str) -> Result<OwnedFd, Errno> {
        let mut at = open(&self.root, FOLDER, Mode::empty())?;
        if key.is_empty() {
            return Ok(at);
        }
        for name in names_of(key).ok_or(Errno::NOENT)? {
            at = openat(&at, name.as_slice(), FOLDER, Mode::empty())?;
        }
        Ok(at)
    }

    /// What a key is; nothing is opened but the folders on the way.
    pub(crate) fn look(&self, key: &str) -> Result<Stat, Errno> {
        let (folder, name) = self.beside(key)?;
        look(&folder, &name)
    }

    /// Opens the file that a key names, with what it is once it is open.
    ///
    /// # Errors
    /// As the system answers; `Errno::LOOP` for a link, `Errno::OPNOTSUPP` for what is no regular
    /// file.
    pub(crate) fn file(&self, key: &str) -> Result<(File, Stat), Errno> {
        let (folder, name) = self.beside(key)?;
        match kind(&look(&folder, &name)?) {
            Kind::File => {}
            Kind::Link => return Err(Errno::LOOP),
            Kind::Folder | Kind::Special => return Err(Errno::OPNOTSUPP),
        }
        let file = openat(&folder, name.as_slice(), FILE, Mode::empty())?;
        let stat = fstat(&file)?;
        match kind(&stat) {
            Kind::File => Ok((File::from(file), stat)),
            _ => Err(Errno::OPNOTSUPP),
        }
    }

    /// The place of a key.
    pub(crate) fn place(&self, key: &str) -> Provenance {
        let path = match (self.shown.as_str(), key) {
            (root, "") => root.to_owned(),
            ("/", key) => format!("/{key}"),
            (root, key) => format!("{root}/{key}"),
        };
        Provenance::new(Layer::File { path })
    }

    /// The folder that a key lies in, and its name there.
    fn beside(&self, key: &str) -> Result<(OwnedFd, Vec<u8>), Errno> {
        let (folder, _) = key.rsplit_once('/').unwrap_or(("", key));
        let mut names = names_of(key).ok_or(Errno::NOENT)?;
        let name = names.pop().ok_or(Errno::NOENT)?;
        Ok((self.folder(folder)?, name))
    }
}

/// What a name in a folder is, links themselves and not what they point at.
pub(crate) fn look(folder: &impl AsFd, name: &[u8]) -> Result<Stat, Errno> {
    statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)
}

/// The names in a folder, as the system gives them: in no order.
pub(crate) fn names(
    folder: &OwnedFd,
) -> Result<impl Iterator<Item = Result<Named, Errno>> + use<>, Errno> {
    let entries = Dir::read_from(folder)?;
    Ok(entries.filter_map(|entry| match entry {
        Ok(entry) => {
            let name = entry.file_name().to_bytes().to_vec();
            let is_own = name == b"." || name == b"..";
            (!is_own).then(|| Ok((name, kind_of(entry.file_type()))))
        }
        Err(error) => Some(Err(error)),
    }))
}

/// What a look says it is.
pub(crate) fn kind(stat: &Stat) -> Kind {
    kind_of(FileType::from_raw_mode(stat.st_mode)).unwrap_or(Kind::Special)
}

fn kind_of(kind: FileType) -> Option<Kind> {
    match kind {
        FileType::RegularFile => Some(Kind::File),
        FileType::Directory => Some(Kind::Folder),
        FileType::Symlink => Some(Kind::Link),
        FileType::Unknown => None,
        _ => Some(Kind::Special),
    }
}

/// A file as a listing names it.
pub(crate) fn object(key: String, stat: &Stat) -> Object {
    let nanoseconds = i32::try_from(stat.st_mtime_nsec).unwrap_or(0);
    Object {
        key,
        size: size(stat),
        etag: Some(version(stat)),
        modified: Timestamp::new(stat.st_mtime, nanoseconds).ok(),
        ..Object::default()
    }
}

/// How many bytes a file has.
pub(crate) fn size(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}

/// What changes whenever a file does: which one it is, its size, and when its content and what is
/// said of it were last changed. The last of these nobody sets at will.
pub(crate) fn version(stat: &Stat) -> String {
    format!(
        "{:x}-{:x}-{}.{:09}-{}.{:09}",
        stat.st_ino,
        stat.st_size,
        stat.st_mtime,
        stat.st_mtime_nsec,
        stat.st_ctime,
        stat.st_ctime_nsec
    )
}
