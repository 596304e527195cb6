//! What the user names.

use crate::error::EngineError;
use lidless_core::{Access, Auth, Provider};
use lidless_token::{Credential, Own};
use percent_encoding::percent_decode_str;
use std::path::{Path, PathBuf};

/// One thing to look at.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "there is a handful of targets a run")]
pub enum Target {
    /// A file, a folder or a repository on this machine.
    Path(PathBuf),
    /// A repository elsewhere.
    GitUrl(String),
    /// A storage URL or a credential, named by the user.
    Credential {
        /// The credential.
        credential: Box<Credential>,
        /// Where it was given: `argument 1`, `standard input`, the name of a file.
        source: String,
    },
    /// A store by its short name, or a web server by its URL.
    Store {
        /// The way in for strangers.
        access: Access,
        /// As it was named.
        name: String,
        /// The way in with credentials of the user's own, when they said which.
        own: Option<Own>,
    },
}

impl Target {
    /// Understands one word of the command line.
    ///
    /// # Errors
    /// When it is neither a path that exists, nor a URL or token that is understood.
    pub fn parse(word: &str, source: &str) -> Result<Self, EngineError> {
        let trimmed = word.trim();
        if let Some(rest) = trimmed.strip_prefix("az://") {
            return azure(rest, trimmed);
        }
        for (scheme, provider, origin) in [
            ("s3://", Provider::Aws, "https://s3.amazonaws.com"),
            ("gs://", Provider::Gcs, "https://storage.googleapis.com"),
        ] {
            if let Some(rest) = trimmed.strip_prefix(scheme) {
                return bucket(rest, trimmed, provider, origin);
            }
        }
        // A web server that could be taken for something else: an emulator on this machine, a
        // host of a cloud.
        if let Some(url) = trimmed.strip_prefix("index+") {
            return web(url).map(|target| target.named(trimmed)).ok_or_else(|| {
                let shown = without_query(trimmed);
                EngineError::Target(format!("{shown}: write it as index+http://HOST/FOLDER/"))
            });
        }
        if Path::new(trimmed).exists() {
            return Ok(Self::Path(PathBuf::from(trimmed)));
        }
        if let Some(credential) = lidless_token::read(trimmed) {
            return Ok(Self::Credential {
                credential: Box::new(credential),
                source: source.to_owned(),
            });
        }
        if is_git_url(trimmed) {
            return Ok(Self::GitUrl(trimmed.to_owned()));
        }
        if let Some(target) = web(trimmed) {
            return Ok(target);
        }
        if trimmed.contains("://") {
            return Err(EngineError::Target(format!(
                "{}: neither a storage URL that is known nor the URL of a git repository (which \
                 ends in .git, or starts with git@ or ssh://)",
                without_query(trimmed)
            )));
        }
        Err(EngineError::Target(format!("{}: no such file or folder", without_query(trimmed))))
    }

    /// The same store under the name that it was given.
    fn named(self, word: &str) -> Self {
        match self {
            Self::Store { access, own, .. } => Self::Store { access, name: word.to_owned(), own },
            other => other,
        }
    }

    /// How reports call it; credentials redacted.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Path(path) => path.display().to_string(),
            Self::GitUrl(url) => without_userinfo(url),
            Self::Credential { credential, .. } => credential.redacted_url(),
            Self::Store { name, .. } => name.clone(),
        }
    }
}

fn azure(rest: &str, word: &str) -> Result<Target, EngineError> {
    let mut parts = rest.splitn(3, '/');
    let account = parts.next().unwrap_or("");
    let valid = (3..=24).contains(&account.len())
        && account.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if !valid {
        return Err(EngineError::Target(format!(
            "{word}: \"{account}\" is no storage account name (3 to 24 lower-case letters and \
             digits)"
        )));
    }
    let part = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    Ok(Target::Store {
        access: Access {
            provider: Provider::Azure,
            origin: format!("https://{account}.blob.core.windows.net"),
            path_style: false,
            account: account.to_owned(),
            container: part(parts.next()),
            key: part(parts.next()),
            auth: Auth::Anonymous,
        },
        name: word.to_owned(),
        own: None,
    })
}

/// A folder or a file of a web server. A query may hold anything, a password as well: such URLs
/// are none.
fn web(word: &str) -> Option<Target> {
    let (scheme, rest) = word.split_once("://")?;
    if !matches!(scheme, "http" | "https") || rest.contains(['?', '#', '@', '\\']) {
        return None;
    }
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.split(':').next().unwrap_or("");
    if host.is_empty() || authority.contains(char::is_whitespace) {
        return None;
    }
    let path = percent_decode_str(path).decode_utf8().ok()?.into_owned();
    let authority = authority.to_ascii_lowercase();
    Some(Target::Store {
        access: Access {
            provider: Provider::Http,
            origin: format!("{scheme}://{authority}"),
            path_style: true,
            account: String::new(),
            container: Some(authority),
            key: (!path.is_empty()).then_some(path),
            auth: Auth::Anonymous,
        },
        name: word.to_owned(),
        own: None,
    })
}

fn bucket(rest: &str, word: &str, provider: Provider, origin: &str) -> Result<Target, EngineError> {
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    if rest.is_empty() {
        return Ok(Target::Store {
            access: Access {
                provider,
                origin: origin.to_owned(),
                path_style: true,
                account: String::new(),
                container: None,
                key: None,
                auth: Auth::Anonymous,
            },
            name: word.to_owned(),
            own: None,
        });
    }
    // Ceph and the oldest buckets also have capitals and underscores.
    let valid = (3..=222).contains(&bucket.len())
        && bucket.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    if !valid {
        return Err(EngineError::Target(format!(
            "{word}: \"{bucket}\" is no bucket name (letters, digits, dots, dashes)"
        )));
    }
    Ok(Target::Store {
        access: Access {
            provider,
            origin: origin.to_owned(),
            path_style: true,
            account: String::new(),
            container: Some(bucket.to_owned()),
            key: (!key.is_empty()).then(|| key.to_owned()),
            auth: Auth::Anonymous,
        },
        name: word.to_owned(),
        own: None,
    })
}

fn is_git_url(word: &str) -> bool {
    let path = without_query(word);
    word.starts_with("ssh://")
        || word.starts_with("git://")
        || (word.starts_with("git@") && word.contains(':'))
        || (word.contains("://") && path.trim_end_matches('/').ends_with(".git"))
        || word.starts_with("file://")
        || ["https://github.com/", "https://gitlab.com/", "https://bitbucket.org/"]
            .iter()
            .any(|forge| word.starts_with(forge))
}

fn without_query(url: &str) -> String {
    without_userinfo(url.split(['?', '#']).next().unwrap_or(""))
}

fn without_userinfo(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = authority.rsplit('@').next().unwrap_or("");
            let slash = if rest.contains('/') { "/" } else { "" };
            format!("{scheme}://{host}{slash}{path}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_a_repository_url_is_never_shown() {
        let target = Target::parse("https://me:hunter2@example.com/a.git", "argument 1").unwrap();
        assert!(matches!(target, Target::GitUrl(_)));
        assert_eq!(target.describe(), "https://example.com/a.git");
        let wrong = Target::parse("https://me:hunter2@example.com/a", "argument 1");
        assert!(!wrong.unwrap_err().to_string().contains("hunter2"));
        let wrong = Target::parse("https://me:hunter2@example.com/a?x=1", "argument 1");
        assert!(!wrong.unwrap_err().to_string().contains("hunter2"));
    }

    #[test]
    fn a_folder_of_a_web_server_is_a_store() {
        let parsed = Target::parse("http://Files.example.com:8080/pub/a%20b/", "x").unwrap();
        let Target::Store { access, .. } = parsed else { panic!("not a store") };
        assert_eq!(access.store(), "http:/");
        assert_eq!(access.container.as_deref(), Some("files.example.com:8080"));
        assert_eq!(access.key.as_deref(), Some("pub/a b/"));
        assert!(Target::parse("https://example.com/a?token=hunter2", "x").is_err());
        let local = Target::parse("index+http://127.0.0.1:8000/pub/", "x").unwrap();
        let Target::Store { access, name, .. } = local else { panic!("not a store") };
        assert_eq!(
            (access.provider, name.as_str()),
            (Provider::Http, "index+http://127.0.0.1:8000/pub/")
        );
        assert!(Target::parse("index+ftp://127.0.0.1/", "x").is_err());
    }

    #[test]
    fn stores_are_named_by_account_container_and_prefix() {
        let Target::Store { access, .. } = Target::parse("az://contoso/a/b/c", "x").unwrap() else {
            panic!("not a store");
        };
        assert_eq!(access.account, "contoso");
        assert_eq!(access.container.as_deref(), Some("a"));
        assert_eq!(access.key.as_deref(), Some("b/c"));
        assert!(Target::parse("az://No_Account", "x").is_err());
        assert!(Target::parse("/no/such/path", "x").is_err());
    }
}
