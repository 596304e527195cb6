//! Naming things by what they are, without saying what they are.

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// A keyed digest of a secret: 16 bytes of HMAC-SHA256, as 32 hex digits.
///
/// Keyed per case, because a plain hash of a short password can be searched back.
///
/// Beside it goes an identity, a digest under another key, by which a baseline tells the same
/// secret in another run. It is in no output: whoever had the key of a baseline and the identity
/// could search a short password back.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint {
    shown: String,
    #[serde(skip)]
    identity: Option<Identity>,
}

/// A digest of a secret under the key of a baseline; for the case and for slow hashes only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity([u8; 32]);

impl Identity {
    /// An identity read back from a case.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to store in the case or to hash slowly.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity")
    }
}

impl Fingerprint {
    /// The hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// The digest that other runs can compare, where it is known.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Adds what a case kept beside the fingerprint.
    #[must_use]
    pub fn with_identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }
}

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Fingerprint({:?})", self.shown)
    }
}

impl PartialEq for Fingerprint {
    fn eq(&self, other: &Self) -> bool {
        self.shown == other.shown
    }
}

impl Eq for Fingerprint {}

impl PartialOrd for Fingerprint {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Fingerprint {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.shown.cmp(&other.shown)
    }
}

impl std::hash::Hash for Fingerprint {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.shown.hash(state);
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.shown)
    }
}

/// The key of a case's fingerprints. Not a credential, but kept out of every report.
#[derive(Clone)]
pub struct FingerprintKey {
    key: [u8; 32],
    identity_key: [u8; 32],
}

impl FingerprintKey {
    /// A fresh random key.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self::from_bytes(key))
    }

    /// A key read back from a case.
    #[must_use]
    pub fn from_bytes(key: [u8; 32]) -> Self {
        // One way, so that a baseline, which holds the key of identities, says nothing of this one.
        Self { key, identity_key: mac(&key, b"lidless identities 1") }
    }

    /// The same key with the key of identities that a baseline asks for.
    #[must_use]
    pub fn with_identity_key(mut self, identity_key: [u8; 32]) -> Self {
        self.identity_key = identity_key;
        self
    }

    /// The bytes to store in the case.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.key
    }

    /// The key of identities, to store in a baseline.
    #[must_use]
    pub fn identity_key(&self) -> &[u8; 32] {
        &self.identity_key
    }

    /// The fingerprint of a value under this key.
    #[must_use]
    pub fn of(&self, value: &[u8]) -> Fingerprint {
        let digest = mac(&self.key, value);
        Fingerprint {
            shown: hex(digest.get(..16).unwrap_or(&[])),
            identity: Some(self.identity(value)),
        }
    }

    /// The identity of a value under this key.
    #[must_use]
    pub fn identity(&self, value: &[u8]) -> Identity {
        Identity(mac(&self.identity_key, value))
    }
}

fn mac(key: &[u8; 32], value: &[u8]) -> [u8; 32] {
    // HMAC accepts keys of every length, so the error cannot occur; zeros would still be no secret.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.update(value);
    mac.finalize().into_bytes().into()
}

impl std::fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FingerprintKey")
    }
}

/// An id that depends on the parts and their order only: 16 hex digits of SHA-256.
///
/// Never fed a low-entropy secret; parts are length-prefixed so that they cannot run together.
#[must_use]
pub fn stable_id(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        digest.update(part.as_bytes());
    }
    hex(digest.finalize().get(..8).unwrap_or(&[]))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_keyed_and_ids_are_not() {
        let (one, two) = (FingerprintKey::from_bytes([1; 32]), FingerprintKey::from_bytes([2; 32]));
        assert_eq!(one.of(b"a"), one.of(b"a"));
        assert_ne!(one.of(b"a"), two.of(b"a"));
        assert_ne!(stable_id(&["ab", "c"]), stable_id(&["a", "bc"]));
        assert_eq!(stable_id(&["a"]).len(), 16);
    }

    #[test]
    fn an_identity_is_the_same_under_the_key_of_a_baseline_and_in_no_output() {
        let one = FingerprintKey::from_bytes([1; 32]);
        let two = FingerprintKey::from_bytes([2; 32]);
        assert_ne!(one.identity(b"a"), two.identity(b"a"));
        let two = two.with_identity_key(*one.identity_key());
        assert_eq!(one.identity(b"a"), two.identity(b"a"));
        assert_ne!(one.of(b"a"), two.of(b"a"));
        let print = one.of(b"a");
        let digits = hex(print.identity().unwrap().as_bytes());
        for text in [format!("{print:?}{print}"), serde_json::to_string(&print).unwrap()] {
            assert!(!text.contains(&digits[..8]), "{text}");
        }
        let read: Fingerprint = serde_json::from_value("ab".into()).unwrap();
        assert_eq!((read.as_str(), read.identity()), ("ab", None));
    }
}
