//! What a chain gives, and what it looks at.

use lidless_core::Auth;
use std::path::{Path, PathBuf};

/// Credentials that were found, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// How requests are authorised.
    pub auth: Auth,
    /// Which credential it is, without anything secret: `AKIA…MPLE`, an address.
    pub hint: String,
    /// Where it came from, in words: `AWS_ACCESS_KEY_ID`, `profile lab of ~/.aws/credentials`.
    pub source: String,
    /// The project of Google Cloud that the settings beside it name.
    pub project: Option<String>,
    /// The region that the settings beside it name.
    pub region: Option<String>,
    /// Where the settings beside it say that the service is.
    pub endpoint: Option<String>,
}

/// The environment variables and the files of a user: given, so that tests have their own.
pub struct Surroundings<'a> {
    /// A variable by its name; empty ones are none.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// The home folder.
    pub home: Option<PathBuf>,
}

impl Surroundings<'_> {
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        (self.variable)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// The path that a variable names, or one in the home folder.
    pub(crate) fn path(&self, variable: &str, in_home: &str) -> Option<PathBuf> {
        if let Some(named) = self.variable(variable) {
            return Some(match (named.strip_prefix("~/"), &self.home) {
                (Some(rest), Some(home)) => home.join(rest),
                _ => PathBuf::from(named),
            });
        }
        self.home.as_ref().map(|home| home.join(in_home))
    }

    /// A path as the user writes it.
    pub(crate) fn shown(&self, path: &Path) -> String {
        let below = self.home.as_ref().and_then(|home| path.strip_prefix(home).ok());
        match below {
            Some(below) => format!("~/{}", below.display()),
            None => path.display().to_string(),
        }
    }
}
