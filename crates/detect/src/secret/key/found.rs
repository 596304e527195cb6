//! What a key file says of the key in it: never the key.

use super::public::Public;
use sha2::{Digest, Sha256};

/// Whether a key can be used by whoever has the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lock {
    /// Yes.
    Open,
    /// Not without a password; how it is encrypted, when that is said.
    Encrypted(Option<String>),
    /// It takes a password that everybody knows or none at all.
    Default(String),
    /// Some of it.
    Partly(String),
    /// The key is elsewhere: on a card, on a security key.
    Elsewhere(&'static str),
    /// The file does not say.
    Unknown,
}

/// One private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    /// `PKCS#8`, `OpenSSH`, `PGP`.
    pub(crate) format: &'static str,
    /// `RSA 2048`, `P-256`, or less when the file does not say.
    pub(crate) algorithm: Option<String>,
    pub(crate) lock: Lock,
    pub(super) public: Option<Public>,
    /// A digest of the key as it lies there, where there is no public half.
    pub(super) own: [u8; 32],
    /// What its owner calls it.
    pub(crate) name: Option<String>,
    /// The fingerprint that its own world uses, where that is not the one of SSH.
    pub(crate) known_as: Option<String>,
    /// How many keys go with it: subkeys.
    pub(crate) subkeys: usize,
}

impl Key {
    /// A key of which only its bytes are known; `bytes` should not depend on line breaks.
    pub(super) fn new(format: &'static str, lock: Lock, bytes: &[u8]) -> Self {
        let own = Sha256::digest([&b"private key: "[..], bytes].concat()).into();
        Self {
            format,
            algorithm: None,
            lock,
            public: None,
            own,
            name: None,
            known_as: None,
            subkeys: 0,
        }
    }

    pub(super) fn with_public(mut self, public: Option<Public>) -> Self {
        if let Some(public) = public {
            self.algorithm = Some(public.name());
            self.public = Some(public);
        }
        self
    }

    pub(super) fn named(mut self, name: &str) -> Self {
        let name: String = crate::names::shown(name).chars().take(100).collect();
        self.name = Some(name).filter(|name| !name.is_empty());
        self
    }

    /// Equal for the same key in any file; not a secret, and not one's hash where there is a
    /// public half.
    pub(crate) fn identity(&self) -> [u8; 32] {
        self.public.as_ref().map_or(self.own, Public::identity)
    }

    /// The fingerprint to compare with what accepts the key.
    pub(crate) fn public_fingerprint(&self) -> Option<String> {
        let public = self.public.as_ref();
        self.known_as
            .clone()
            .or_else(|| public.and_then(Public::ssh_fingerprint))
            .or_else(|| public.and_then(Public::spki_fingerprint))
    }

    /// As `ssh-keygen -l` prints it.
    pub(crate) fn ssh_fingerprint(&self) -> Option<String> {
        self.public.as_ref().and_then(Public::ssh_fingerprint)
    }

    /// SHA-256 of the public key as certificates hold it.
    pub(crate) fn spki_fingerprint(&self) -> Option<String> {
        self.public.as_ref().and_then(Public::spki_fingerprint)
    }

    /// Whether whoever has the file needs more to use it.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.lock, Lock::Encrypted(_) | Lock::Elsewhere(_))
    }
}
