//! One credential or storage link, whatever its kind.

use crate::azure::{AzureKey, AzureSas, EMULATOR_ACCOUNT, EMULATOR_KEY};
use crate::grant;
use crate::key_pair::KeyPair;
use crate::keyring::KeyRing;
use crate::link::Link;
use crate::notes;
use crate::operations::{declared, of_a_key, rows};
use crate::own::Own;
use crate::presigned::Presigned;
use crate::problems::problem;
use crate::signing::is_conclusive;
use lidless_core::{
    Access, Auth, AzureService, Explained, Grant, GrantStatus, Mechanism, Operation, Problem,
    Provider, Secret, Severity, SignatureCheck, Timestamp,
};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;

/// A credential or a storage link found in text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Where, in bytes of the text.
    pub span: Range<usize>,
    /// The form it stood in: `sas_url`, `sas_token`, `connection_string`, `account_key`,
    /// `presigned_url`, `access_key`, `storage_url`.
    pub form: &'static str,
    /// What it is.
    pub credential: Credential,
}

/// One credential or storage link. Debug output is redacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// An Azure shared access signature.
    AzureSas(AzureSas),
    /// An Azure account key.
    AzureKey(AzureKey),
    /// A presigned URL of S3, GCS or OSS.
    Presigned(Presigned),
    /// A pair of an access id and its secret.
    KeyPair(KeyPair),
    /// A storage URL without a credential.
    Link(Link),
    /// A store that the user named, with credentials of their own or a web server's with none.
    Own(Own),
}

impl Credential {
    /// The same for the same credential in any spelling; depends on nothing else.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::AzureSas(sas) => sas.id(),
            Self::AzureKey(key) => key.id(),
            Self::Presigned(url) => url.id(),
            Self::KeyPair(pair) => pair.id(),
            Self::Link(link) => link.id(),
            Self::Own(own) => own.id(),
        }
    }

    /// The secret part, for keyed fingerprints; none for a link.
    #[must_use]
    pub fn secret(&self) -> Option<Secret> {
        match self {
            Self::AzureSas(sas) => Some(Secret::new(sas.signature())),
            Self::AzureKey(key) => Some(key.secret()),
            Self::Presigned(url) => Some(url.secret()),
            Self::KeyPair(pair) => Some(pair.secret()),
            Self::Link(_) | Self::Own(_) => None,
        }
    }

    /// How access is given.
    #[must_use]
    pub fn mechanism(&self) -> Mechanism {
        match self {
            Self::AzureSas(sas) => sas.mechanism(),
            Self::AzureKey(_) => Mechanism::AzureAccountKey,
            Self::Presigned(url) => url.mechanism(),
            Self::KeyPair(pair) => pair.mechanism(),
            Self::Link(link) => link.mechanism(),
            Self::Own(own) => own.mechanism(),
        }
    }

    /// As found, with signatures and keys redacted.
    #[must_use]
    pub fn redacted_url(&self) -> String {
        match self {
            Self::AzureSas(sas) => sas.redacted_url(),
            Self::AzureKey(key) => key.redacted_url(),
            Self::Presigned(url) => url.redacted_url(),
            Self::KeyPair(pair) => pair.redacted(),
            Self::Link(link) => link.url(),
            Self::Own(own) => own.shown(),
        }
    }

    /// What a client needs to use it; none when no account is known, or when there is no client
    /// for its service.
    #[must_use]
    pub fn access(&self) -> Option<Access> {
        match self {
            Self::AzureSas(sas) => sas.access(),
            Self::AzureKey(key) => key.access(),
            Self::Presigned(url) => url.access(),
            Self::KeyPair(pair) => pair.access(),
            Self::Link(link) => link.access(),
            Self::Own(own) => Some(own.access()),
        }
    }

    /// True for the key that every Azure emulator ships with: it protects nothing.
    #[must_use]
    pub fn is_public_test_value(&self) -> bool {
        matches!(self, Self::AzureKey(key) if key.is_emulator())
    }

    /// Everything it declares, judged at `now`; `keys` tell whether and by which key it was
    /// signed.
    #[must_use]
    pub fn grant(&self, now: Timestamp, keys: &KeyRing) -> Grant {
        let mut grant = match self {
            Self::AzureSas(sas) => grant::sas(sas, now),
            Self::AzureKey(key) => grant::account_key(key),
            Self::Presigned(url) => url.grant(now, keys),
            Self::KeyPair(pair) => pair.grant(),
            Self::Link(link) => link.grant(),
            Self::Own(own) => own.grant(),
        };
        grant.id = self.id();
        grant.signature = self.check(keys);
        if let (Some(key), Self::AzureSas(sas)) = (&grant.signature.key, self) {
            grant.key_hint = Some(format!("{key} of {}", sas.account().unwrap_or("the account")));
        }
        if grant.signature.verified == Some(false) {
            grant.problems.push(problem(
                "signature.of_no_given_key",
                Severity::Info,
                "None of the keys given signed it. It was changed or cut, or the key that signed \
                 it was renewed since; in both cases the service refuses it.",
            ));
        }
        if self.is_public_test_value() {
            grant.severity = Severity::Info;
            grant.why =
                vec!["the published key of the emulator, which protects nothing: info".into()];
            grant.problems = vec![published()];
        }
        if grant.status == GrantStatus::Expired && grant.severity > Severity::Low {
            grant.severity = Severity::Low;
            grant.why.push("expired, so at most low".into());
        }
        // Its severity stays: the key is public, but what it opens may not be meant to be.
        if let Self::AzureSas(sas) = self
            && sas.account() == Some(EMULATOR_ACCOUNT)
            && sas.is_signed_by(EMULATOR_ACCOUNT, EMULATOR_KEY)
        {
            grant.problems.push(published());
        }
        grant
            .problems
            .sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.rule.cmp(&b.rule)));
        grant
    }

    /// What it declares of an Azure account, by service; none where only a stored policy or the
    /// service knows.
    #[must_use]
    pub fn declares(&self) -> Option<BTreeSet<(AzureService, Operation)>> {
        match self {
            Self::AzureSas(sas) => sas.get("sp").is_some().then(|| declared(sas)),
            Self::AzureKey(_) => Some(of_a_key()),
            Self::Own(own) => {
                let access = own.access();
                let is_key = matches!(access.auth, Auth::Key { .. });
                (is_key && access.provider == Provider::Azure).then(of_a_key)
            }
            Self::Presigned(_) | Self::KeyPair(_) | Self::Link(_) => None,
        }
    }

    /// Taken apart for a reader: the grant, what each parameter means, and each operation with
    /// the letters that allow it.
    #[must_use]
    pub fn explain(&self, now: Timestamp, keys: &KeyRing) -> Explained {
        let grant = self.grant(now, keys);
        let (notes, operations) = match self {
            Self::AzureSas(sas) => (notes::sas(sas, &grant, now), rows(sas)),
            Self::Presigned(url) => (notes::presigned(url, &grant, now), Vec::new()),
            _ => (Vec::new(), Vec::new()),
        };
        Explained { token: self.redacted_url(), grant, notes, operations }
    }

    fn check(&self, keys: &KeyRing) -> SignatureCheck {
        let sas = match self {
            Self::AzureSas(sas) => sas,
            Self::Presigned(url) => return url.check(keys),
            _ => return SignatureCheck::default(),
        };
        let log_hash = Sha256::digest(sas.signature().as_bytes()).iter().fold(
            String::new(),
            |mut text, byte| {
                let _ = write!(text, "{byte:02X}");
                text
            },
        );
        let mut check = SignatureCheck { verified: None, key: None, log_hash: Some(log_hash) };
        let Some(account) = sas.account() else { return check };
        let Some(given) = keys.of(account) else { return check };
        let found = given.iter().position(|key| sas.is_signed_by(account, key.expose()));
        if found.is_some() || is_conclusive(sas) {
            check.verified = Some(found.is_some());
        }
        check.key = found.map(|index| if index == 0 { "key1".into() } else { "key2".into() });
        check
    }
}

fn published() -> Problem {
    problem(
        "key.published_emulator_key",
        Severity::Info,
        "The key is the one that every emulator ships with, published in its documentation. \
         Nothing that matters may lie behind it.",
    )
}
