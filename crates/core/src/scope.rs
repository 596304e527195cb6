//! What may be touched, by whose authority, until when, how fast. See `docs/scope.md`.

use jiff::Timestamp;
use serde::Deserialize;
use std::net::IpAddr;

/// What the network client is about to touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touch {
    /// Host name or address the request goes to, without a port, lower case.
    pub host: String,
    /// The store the host serves: `az://contoso`, `s3://bucket`; null when it is no storage.
    pub store: Option<String>,
    /// Container, and the key or prefix inside it, joined by `/`; empty for the whole store.
    pub path: String,
}

impl Touch {
    /// True when the request stays on this machine: `localhost`, `*.localhost` or a loopback
    /// address.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || host.ends_with(".localhost")
            || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    fn resource(&self) -> Option<String> {
        self.store.as_ref().map(|store| {
            if self.path.is_empty() { store.clone() } else { format!("{store}/{}", self.path) }
        })
    }
}

/// Why something may not be touched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Denied {
    /// In words, lower case, without a full stop.
    pub reason: String,
}

/// Why a scope file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// It does not parse.
    #[error("the scope file does not parse: {0}")]
    Syntax(String),
    /// Nobody stands behind it.
    #[error("the scope file names nobody who authorised it: fill in {0}")]
    Unsigned(&'static str),
    /// Its time is over.
    #[error("the scope file expired on {0}: ask for a new authorisation")]
    Expired(Timestamp),
    /// Its time has not come.
    #[error("the scope file is not valid before {0}")]
    TooEarly(Timestamp),
    /// It allows nothing.
    #[error("the scope file allows nothing: add an [[allow]] table with a store or a host")]
    Empty,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    authority: Authority,
    #[serde(default)]
    limits: RateLimits,
    #[serde(default)]
    allow: Vec<Pattern>,
    #[serde(default)]
    deny: Vec<Pattern>,
    #[serde(default)]
    verify: Issuers,
}

/// Whether the issuers of found credentials may be asked about them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Issuers {
    #[serde(default)]
    allow: bool,
    /// Host names, `*.example.com` for every name below; empty for every built-in rule's.
    #[serde(default)]
    hosts: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Authority {
    #[serde(default)]
    owner: String,
    #[serde(default)]
    authorised_by: String,
    #[serde(default)]
    reference: Option<String>,
    #[serde(default)]
    contact: Option<String>,
    #[serde(default)]
    not_before: Option<Timestamp>,
    expires: Timestamp,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RateLimits {
    requests_per_second: Option<u32>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pattern {
    /// `az://ACCOUNT[/CONTAINER[/PREFIX]]`, `s3://BUCKET[/PREFIX]`, `gs://BUCKET[/PREFIX]`.
    store: Option<String>,
    /// A host name; `*.example.com` for every name below it.
    host: Option<String>,
}

impl Pattern {
    fn matches(&self, touch: &Touch) -> bool {
        let store = self.store.as_ref().is_none_or(|pattern| {
            let pattern = pattern.trim_end_matches('/');
            touch.resource().is_some_and(|resource| {
                resource == pattern
                    || resource.strip_prefix(pattern).is_some_and(|rest| rest.starts_with('/'))
            })
        });
        let host = self.host.as_ref().is_none_or(|pattern| {
            let pattern = pattern.to_ascii_lowercase();
            match pattern.strip_prefix("*.") {
                Some(parent) => touch
                    .host
                    .strip_suffix(parent)
                    .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
                None => touch.host == pattern,
            }
        });
        store && host && (self.store.is_some() || self.host.is_some())
    }

    fn words(&self) -> String {
        let parts = [&self.store, &self.host].into_iter().flatten().map(String::as_str);
        parts.collect::<Vec<_>>().join(" on ")
    }

    /// True when the pattern lies inside what is about to be touched: listing an account whose
    /// one container is allowed is asked of the container, not of the account.
    fn is_inside(&self, touch: &Touch) -> bool {
        let Some(resource) = touch.resource() else {
            return false;
        };
        self.store.as_ref().is_some_and(|pattern| {
            pattern.strip_prefix(&resource).is_some_and(|rest| rest.starts_with('/'))
        })
    }
}

/// The rules of one run. A network client cannot be built without one.
#[derive(Debug, Clone)]
pub struct Scope {
    file: Option<File>,
    named: Vec<Pattern>,
}

impl Scope {
    /// The rules without a scope file: loopback, and what the user named.
    #[must_use]
    pub fn without_file() -> Self {
        Self { file: None, named: Vec::new() }
    }

    /// Reads a scope file.
    ///
    /// # Errors
    /// When it does not parse, names no owner or nobody who authorised it, is expired or not
    /// valid yet at `now`, or allows nothing.
    pub fn from_toml(text: &str, now: Timestamp) -> Result<Self, ScopeError> {
        let file: File =
            toml::from_str(text).map_err(|error| ScopeError::Syntax(error.to_string()))?;
        if file.authority.owner.trim().is_empty() {
            return Err(ScopeError::Unsigned("authority.owner"));
        }
        if file.authority.authorised_by.trim().is_empty() {
            return Err(ScopeError::Unsigned("authority.authorised_by"));
        }
        if file.authority.expires <= now {
            return Err(ScopeError::Expired(file.authority.expires));
        }
        if let Some(start) = file.authority.not_before.filter(|start| *start > now) {
            return Err(ScopeError::TooEarly(start));
        }
        if !file.allow.iter().any(|rule| rule.store.is_some() || rule.host.is_some()) {
            return Err(ScopeError::Empty);
        }
        Ok(Self { file: Some(file), named: Vec::new() })
    }

    /// Adds a store that the user named as a target: it may be touched unless the scope file
    /// denies it.
    pub fn name_store(&mut self, store: &str) {
        self.named.push(Pattern { store: Some(store.to_owned()), host: None });
    }

    /// Adds a host that the user named as a target.
    pub fn name_host(&mut self, host: &str) {
        self.named.push(Pattern { store: None, host: Some(host.to_owned()) });
    }

    /// Adds the host of an issuer that a built-in rule names, for a run that was asked to verify:
    /// with a scope file only if its `[verify]` table allows the host. What the file denies stays
    /// denied.
    ///
    /// # Errors
    /// [`Denied`] when the scope file does not allow asking this host.
    pub fn name_issuer(&mut self, host: &str) -> Result<(), Denied> {
        if let Some(file) = &self.file {
            if !file.verify.allow {
                let reason = "the scope file does not allow asking issuers: see [verify]";
                return Err(Denied { reason: reason.to_owned() });
            }
            let touch = Touch { host: host.to_owned(), store: None, path: String::new() };
            let listed = file
                .verify
                .hosts
                .iter()
                .any(|host| Pattern { store: None, host: Some(host.clone()) }.matches(&touch));
            if !listed && !file.verify.hosts.is_empty() {
                let reason = format!("{host} is not among the hosts of [verify] in the scope file");
                return Err(Denied { reason });
            }
        }
        self.name_host(host);
        Ok(())
    }

    /// The most requests a second, when the scope file bounds them.
    #[must_use]
    pub fn requests_per_second(&self) -> Option<u32> {
        self.file.as_ref().and_then(|file| file.limits.requests_per_second)
    }

    /// How to reach whoever runs this scan, for the `User-Agent`.
    #[must_use]
    pub fn contact(&self) -> Option<&str> {
        self.file.as_ref().and_then(|file| file.authority.contact.as_deref())
    }

    /// Who authorised it and under which reference, for the report.
    #[must_use]
    pub fn authority(&self) -> Option<String> {
        let authority = &self.file.as_ref()?.authority;
        Some(match &authority.reference {
            Some(reference) => {
                format!("{} for {} ({reference})", authority.authorised_by, authority.owner)
            }
            None => format!("{} for {}", authority.authorised_by, authority.owner),
        })
    }

    /// Decides whether a request may be sent at `now`.
    ///
    /// # Errors
    /// [`Denied`] with the reason when it may not.
    pub fn allows(&self, touch: &Touch, now: Timestamp) -> Result<(), Denied> {
        self.allowed_by(touch, now).map(drop)
    }

    /// The rule that lets a request be sent at `now`, in words.
    ///
    /// # Errors
    /// [`Denied`] with the reason when none does.
    pub fn allowed_by(&self, touch: &Touch, now: Timestamp) -> Result<String, Denied> {
        let what = || touch.resource().unwrap_or_else(|| touch.host.clone());
        let denied = |reason: String| Err(Denied { reason });
        if let Some(file) = &self.file {
            if file.deny.iter().any(|rule| rule.matches(touch)) {
                return denied(format!("{} is denied by the scope file", what()));
            }
            if file.authority.expires <= now {
                return denied(format!("the scope file expired on {}", file.authority.expires));
            }
        }
        if let Some(rule) = self.named.iter().find(|named| named.matches(touch)) {
            return Ok(format!("named by the user: {}", rule.words()));
        }
        match &self.file {
            Some(file) => match file.allow.iter().find(|rule| rule.matches(touch)) {
                Some(rule) => Ok(format!("scope file: {}", rule.words())),
                None if file.allow.iter().any(|rule| rule.is_inside(touch)) => denied(format!(
                    "the scope file allows only a part of {}, not all of it",
                    what()
                )),
                None => denied(format!("{} is not in the scope file", what())),
            },
            None if touch.is_loopback() => Ok("loopback".to_owned()),
            None => denied(format!(
                "{} was not named by you, and without --scope FILE only loopback is followed",
                what()
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        [authority]
        owner = "Contoso Lab"
        authorised_by = "Head of Security"
        expires = "2030-01-01T00:00:00Z"
        [limits]
        requests_per_second = 5
        [[allow]]
        store = "az://contosolab"
        [[allow]]
        store = "az://other/public"
        [[allow]]
        host = "*.files.example.com"
        [[deny]]
        store = "az://contosolab/hr"
    "#;

    fn now() -> Timestamp {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    fn touch(host: &str, store: Option<&str>, path: &str) -> Touch {
        Touch { host: host.into(), store: store.map(str::to_owned), path: path.into() }
    }

    #[test]
    fn only_what_the_file_allows_is_touched() {
        let scope = Scope::from_toml(FILE, now()).unwrap();
        let asks = |host, store, path| scope.allows(&touch(host, store, path), now()).is_ok();
        assert!(asks("h", Some("az://contosolab"), ""));
        assert!(asks("h", Some("az://contosolab"), "models/a.bin"));
        assert!(!asks("h", Some("az://contosolab2"), "models"));
        assert!(!asks("h", Some("az://contosolab"), "hr/people.csv"));
        assert!(asks("h", Some("az://other"), "public/x"));
        assert!(!asks("h", Some("az://other"), "publicity"));
        assert!(!asks("h", Some("az://other"), ""));
        assert!(asks("a.files.example.com", None, ""));
        assert!(!asks("files.example.com", None, ""));
        assert!(!asks("127.0.0.1", None, ""));
        let rule = |touch| scope.allowed_by(&touch, now()).unwrap();
        let of = rule(touch("h", Some("az://other"), "public/x"));
        assert_eq!(of, "scope file: az://other/public");
        let of = rule(touch("a.files.example.com", None, ""));
        assert_eq!(of, "scope file: *.files.example.com");
    }

    #[test]
    fn without_a_file_only_loopback_and_named_stores_are_touched() {
        let mut scope = Scope::without_file();
        scope.name_store("az://mine");
        let asks = |host, store| scope.allows(&touch(host, store, ""), now()).is_ok();
        assert!(asks("127.0.0.1", Some("az://any")));
        assert!(asks("[::1]", None));
        assert!(asks("acct.blob.localhost", Some("az://acct")));
        assert!(asks("mine.blob.core.windows.net", Some("az://mine")));
        assert!(!asks("mine2.blob.core.windows.net", Some("az://mine2")));
        assert!(!asks("127.0.0.1.example.com", None));
    }

    #[test]
    fn an_issuer_is_asked_only_where_the_file_says_so() {
        let host = |scope: &Scope, host: &str| scope.allows(&touch(host, None, ""), now()).is_ok();
        let mut free = Scope::without_file();
        assert!(!host(&free, "api.example.com"));
        free.name_issuer("api.example.com").unwrap();
        assert!(host(&free, "api.example.com") && !host(&free, "other.example.com"));

        let mut silent = Scope::from_toml(FILE, now()).unwrap();
        assert!(silent.name_issuer("api.example.com").is_err());
        assert!(!host(&silent, "api.example.com"));

        let every =
            format!("{FILE}\n[[deny]]\nhost = \"no.example.com\"\n[verify]\nallow = true\n");
        let mut every = Scope::from_toml(&every, now()).unwrap();
        every.name_issuer("api.example.com").unwrap();
        every.name_issuer("no.example.com").unwrap();
        assert!(host(&every, "api.example.com") && !host(&every, "no.example.com"));

        let some = format!("{FILE}\n[verify]\nallow = true\nhosts = [\"*.example.org\"]\n");
        let mut some = Scope::from_toml(&some, now()).unwrap();
        assert!(some.name_issuer("api.example.com").is_err());
        some.name_issuer("api.example.org").unwrap();
        assert!(host(&some, "api.example.org") && !host(&some, "api.example.com"));
        let typo = format!("{FILE}\n[verify]\nalow = true\n");
        assert!(matches!(Scope::from_toml(&typo, now()), Err(ScopeError::Syntax(_))));
    }

    #[test]
    fn a_file_nobody_stands_behind_is_refused() {
        let unsigned = FILE.replace("Head of Security", " ");
        assert!(matches!(Scope::from_toml(&unsigned, now()), Err(ScopeError::Unsigned(_))));
        let expired = FILE.replace("2030", "2020");
        assert!(matches!(Scope::from_toml(&expired, now()), Err(ScopeError::Expired(_))));
        let typo = FILE.replace("owner", "ownr");
        assert!(matches!(Scope::from_toml(&typo, now()), Err(ScopeError::Syntax(_))));
    }
}
