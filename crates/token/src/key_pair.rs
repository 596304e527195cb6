//! Access keys: an id and its secret, found near each other.

use crate::problems::problem;
use lidless_core::{
    Access, Auth, Grant, GrantScope, GrantStatus, Mechanism, Provider, Secret, Severity,
    SignatureCheck, stable_id,
};

/// An access id and its secret.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPair {
    pub(crate) access_id: String,
    pub(crate) secret: Secret,
    pub(crate) mechanism: Mechanism,
}

impl KeyPair {
    /// The id: what names the key, not the key itself.
    #[must_use]
    pub fn access_id(&self) -> &str {
        &self.access_id
    }

    /// The key.
    #[must_use]
    pub fn secret(&self) -> Secret {
        self.secret.clone()
    }

    pub(crate) fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    pub(crate) fn id(&self) -> String {
        stable_id(&["key_pair", &self.access_id, self.secret.expose()])
    }

    /// What a client needs to sign with it; none for a temporary key, which works only with its
    /// session token, and for a service account, whose key signs something else.
    pub(crate) fn access(&self) -> Option<Access> {
        let (provider, origin) = match self.mechanism {
            Mechanism::AwsAccessKey if self.access_id.starts_with("AKIA") => {
                (Provider::Aws, "https://s3.amazonaws.com")
            }
            Mechanism::GcsHmacKey => (Provider::Gcs, "https://storage.googleapis.com"),
            _ => return None,
        };
        Some(Access {
            provider,
            origin: origin.to_owned(),
            path_style: true,
            account: String::new(),
            container: None,
            key: None,
            auth: Auth::Key { id: self.access_id.clone(), key: self.secret.clone(), session: None },
        })
    }

    fn hint(&self) -> String {
        // An address of a service account is a name, not a secret.
        if self.access_id.contains('@') {
            return self.access_id.clone();
        }
        let start = self.access_id.get(..4).unwrap_or("");
        let end = self.access_id.len().checked_sub(4).and_then(|at| self.access_id.get(at..));
        format!("{start}…{}", end.unwrap_or(""))
    }

    pub(crate) fn redacted(&self) -> String {
        format!("{} with a secret of {} characters", self.hint(), self.secret.length())
    }

    pub(crate) fn grant(&self) -> Grant {
        let (provider, resource, close) = match self.mechanism {
            Mechanism::GcsHmacKey | Mechanism::GcsServiceAccount => {
                (Provider::Gcs, "gs://", "Deactivate and delete the key of the service account.")
            }
            _ => (Provider::Aws, "s3://", "Deactivate the access key, then delete it."),
        };
        let temporary = self.access_id.starts_with("ASIA");
        let problem = if temporary {
            problem(
                "key.temporary",
                Severity::Medium,
                "A temporary key: it ends by itself, within 36 hours of its making, and \
                          works only with its session token. Revoke the sessions of the role.",
            )
        } else {
            problem(
                "key.long_lived",
                Severity::High,
                "A long-lived key in content works until someone ends it. Use roles and \
                          short-lived credentials.",
            )
        };
        Grant {
            id: String::new(),
            provider,
            mechanism: self.mechanism,
            resource: resource.to_owned(),
            scope: GrantScope::Unknown,
            permissions: None,
            operations: vec!["whatever the identity behind it may do; not known offline".into()],
            starts: None,
            expires: None,
            protocols: vec!["https".into()],
            ip: None,
            identifier: None,
            key_hint: Some(self.hint()),
            services: Vec::new(),
            version: None,
            signature: SignatureCheck::default(),
            status: GrantStatus::Unknown,
            observed: None,
            revocation: close.to_owned(),
            problems: vec![problem],
            severity: Severity::High,
            why: vec!["a key of an identity whose rights are not known: high".into()],
        }
    }
}

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("KeyPair").field(&self.redacted()).finish()
    }
}
