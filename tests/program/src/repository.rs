//! Repositories made with the real git.

use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A repository in a folder that vanishes with the value.
#[derive(Debug)]
pub struct Repository {
    folder: TempDir,
}

impl Repository {
    /// An empty repository; none when git is missing, which fails where CI is set.
    ///
    /// # Panics
    /// When CI is set and git is missing.
    #[must_use]
    pub fn new() -> Option<Self> {
        let folder = tempfile::tempdir().ok()?;
        let repository = Self { folder };
        let made = repository.git("2020-01-01T00:00:00Z", &["init", "-q", "-b", "main"]);
        assert!(made || std::env::var_os("CI").is_none(), "git is missing");
        if !made {
            eprintln!("left out: git is missing");
        }
        made.then_some(repository)
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file and commits everything at a time.
    ///
    /// # Panics
    /// When the file system or git says no.
    pub fn commit(&self, file: &str, content: impl AsRef<[u8]>, date: &str, message: &str) {
        let path = self.path().join(file);
        std::fs::create_dir_all(path.parent().expect("files lie in folders")).expect("a folder");
        std::fs::write(path, content).expect("a file");
        assert!(self.git(date, &["add", "-A"]));
        assert!(self.git(date, &["commit", "-q", "--no-gpg-sign", "-m", message]));
    }

    fn git(&self, date: &str, arguments: &[&str]) -> bool {
        Command::new("git")
            .arg("-C")
            .arg(self.path())
            .args(["-c", "user.name=A. Author", "-c", "user.email=author@example.com"])
            .args(arguments)
            .env("GIT_AUTHOR_DATE", date)
            .env("GIT_COMMITTER_DATE", date)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .status()
            .is_ok_and(|status| status.success())
    }
}
