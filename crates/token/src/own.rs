//! A way into a store that the user named: with credentials of their own, or none where a web
//! server wants none. Nothing leaked; it is a door, and judged as one.

use lidless_core::{
    Access, Auth, Grant, GrantScope, GrantStatus, Mechanism, Permission, Provider, Severity,
    SignatureCheck, stable_id,
};

/// A store that the user named, and what they open it with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    access: Access,
    /// Which credential it is, without anything secret; empty when there is none.
    hint: String,
    /// Where it came from, in words.
    source: String,
}

impl Own {
    /// A store that is opened with credentials of the user's own: `hint` says which, `source`
    /// where they stood.
    #[must_use]
    pub fn keys(access: Access, hint: impl Into<String>, source: impl Into<String>) -> Self {
        Self { access, hint: hint.into(), source: source.into() }
    }

    /// A web server, which shows what it shows to everyone.
    #[must_use]
    pub fn web(access: Access) -> Self {
        Self { access, hint: String::new(), source: String::new() }
    }

    pub(crate) fn access(&self) -> Access {
        self.access.clone()
    }

    pub(crate) fn mechanism(&self) -> Mechanism {
        match (self.access.provider, &self.access.auth) {
            (Provider::Http, _) => Mechanism::Http,
            (Provider::Gcs, Auth::Key { .. }) => Mechanism::GcsHmacKey,
            (Provider::Gcs, Auth::Token(_)) => Mechanism::GcsAccessToken,
            (Provider::Gcs, _) => Mechanism::GcsServiceAccount,
            (Provider::Azure, _) => Mechanism::AzureAccountKey,
            _ => Mechanism::AwsAccessKey,
        }
    }

    pub(crate) fn id(&self) -> String {
        stable_id(&["own", &self.resource(), &self.hint])
    }

    fn resource(&self) -> String {
        let mut place = self.access.store();
        if self.access.container.is_none() && place.ends_with(":/") {
            place.push('/');
        }
        for part in [&self.access.container, &self.access.key].into_iter().flatten() {
            place.push('/');
            place.push_str(part);
        }
        place
    }

    pub(crate) fn shown(&self) -> String {
        if self.hint.is_empty() {
            return self.resource();
        }
        format!("{} with {} ({})", self.resource(), self.hint, self.source)
    }

    pub(crate) fn grant(&self) -> Grant {
        let is_web = self.access.provider == Provider::Http;
        let scope = match (&self.access.container, &self.access.key) {
            (None, _) => GrantScope::Account,
            (Some(_), None) => GrantScope::Container,
            // Or one object: only the store knows.
            (Some(_), Some(_)) => GrantScope::Directory,
        };
        let (operations, revocation, why) = if is_web {
            (
                "read what the server shows to everyone",
                "It holds no credential: switch the directory index off, or ask for a password, \
                 if nothing there is meant for strangers.",
                "a web server without a credential: info".to_owned(),
            )
        } else {
            (
                "whatever the identity behind it may do; not known offline",
                "It is your own: nothing leaked.",
                format!("your own credentials ({}), not a leak: info", self.source),
            )
        };
        Grant {
            id: String::new(),
            provider: self.access.provider,
            mechanism: self.mechanism(),
            resource: self.resource(),
            scope,
            permissions: is_web.then(|| vec![Permission::Read, Permission::List]),
            operations: vec![operations.into()],
            starts: None,
            expires: None,
            protocols: Vec::new(),
            ip: None,
            identifier: None,
            key_hint: Some(self.hint.clone()).filter(|hint| !hint.is_empty()),
            services: Vec::new(),
            version: None,
            signature: SignatureCheck::default(),
            status: GrantStatus::Unknown,
            observed: None,
            revocation: revocation.into(),
            problems: Vec::new(),
            severity: Severity::Info,
            why: vec![why],
        }
    }
}
