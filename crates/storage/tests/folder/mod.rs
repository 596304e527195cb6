//! Folders on this machine for stores to show.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// A folder that every user of this machine may read.
pub fn open_to_all() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).unwrap();
    folder
}

/// Writes files, given by their paths below the folder as bytes.
pub fn write_all<'a>(below: &Path, files: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) {
    for (name, bytes) in files {
        let path = below.join(OsStr::from_bytes(name));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// Names and contents as [`write_all`] takes them.
pub fn raw(files: &BTreeMap<String, Vec<u8>>) -> impl Iterator<Item = (&[u8], &[u8])> {
    files.iter().map(|(name, bytes)| (name.as_bytes(), bytes.as_slice()))
}

/// Writes other bytes into a file, as many as it had, at a time that no clock is at.
pub fn change(file: &Path) {
    let bytes: Vec<u8> = std::fs::read(file).unwrap().iter().map(|byte| byte ^ 1).collect();
    std::fs::write(file, bytes).unwrap();
    let later = SystemTime::now() - Duration::from_secs(86_400);
    std::fs::File::options().write(true).open(file).unwrap().set_modified(later).unwrap();
}

/// Everything below a folder: what it is, its size, when it was changed.
pub fn state(root: &Path) -> String {
    let mut lines = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let it = std::fs::symlink_metadata(&path).unwrap();
            let (mode, size) = (it.mode(), it.size());
            lines.push(format!("{path:?} {mode:o} {size} {}.{}", it.ctime(), it.ctime_nsec()));
            if it.is_dir() {
                folders.push(path);
            }
        }
    }
    lines.sort();
    lines.join("\n")
}

/// Runs one of these tests once more as a user who is not allowed everything. True when there was
/// no need to: this is one.
pub fn is_barred_or_repeats_barred(test: &str) -> bool {
    let own = std::fs::metadata("/proc/self").unwrap();
    if own.uid() != 0 {
        return true;
    }
    // Where others can run it.
    let place = open_to_all();
    let copy = place.path().join("test");
    std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = std::process::Command::new(&copy);
    command.args(["--exact", test, "--nocapture"]).current_dir("/").uid(65_534).gid(65_534);
    let ran = command.env("TMPDIR", std::env::temp_dir()).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout) + String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
    false
}
