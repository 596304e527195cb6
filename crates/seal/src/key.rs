//! Keys of the two curves that are supported.

use crate::digest::hex;
use crate::error::SealError;
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _, EncodePublicKey as _, LineEnding};
use sha2::{Digest as _, Sha256};

/// A private key. Debug output shows nothing of it.
pub enum SigningKey {
    /// ECDSA on P-256 with SHA-256.
    P256(Box<p256::ecdsa::SigningKey>),
    /// ECDSA on P-384 with SHA-384.
    P384(Box<p384::ecdsa::SigningKey>),
}

/// A public key.
#[derive(Debug, Clone)]
pub enum VerifyingKey {
    /// ECDSA on P-256 with SHA-256.
    P256(p256::ecdsa::VerifyingKey),
    /// ECDSA on P-384 with SHA-384.
    P384(p384::ecdsa::VerifyingKey),
}

impl SigningKey {
    /// Reads a private key in PEM, PKCS #8 or SEC 1.
    ///
    /// # Errors
    /// When it is none of a known curve, or encrypted.
    pub fn parse(pem: &str) -> Result<Self, SealError> {
        if let Ok(key) = p256::ecdsa::SigningKey::from_pkcs8_pem(pem) {
            return Ok(Self::P256(Box::new(key)));
        }
        if let Ok(key) = p384::ecdsa::SigningKey::from_pkcs8_pem(pem) {
            return Ok(Self::P384(Box::new(key)));
        }
        if let Ok(key) = p256::SecretKey::from_sec1_pem(pem) {
            return Ok(Self::P256(Box::new(key.into())));
        }
        if let Ok(key) = p384::SecretKey::from_sec1_pem(pem) {
            return Ok(Self::P384(Box::new(key.into())));
        }
        Err(SealError::Key)
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> VerifyingKey {
        match self {
            Self::P256(key) => VerifyingKey::P256(*key.verifying_key()),
            Self::P384(key) => VerifyingKey::P384(*key.verifying_key()),
        }
    }

    /// An ASN.1 signature, the same each time (RFC 6979).
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::P256(key) => {
                let made: p256::ecdsa::DerSignature = key.sign(message);
                made.as_bytes().to_vec()
            }
            Self::P384(key) => {
                let made: p384::ecdsa::DerSignature = key.sign(message);
                made.as_bytes().to_vec()
            }
        }
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey")
    }
}

impl VerifyingKey {
    /// Reads a public key in PEM; of a private key takes the public half.
    ///
    /// # Errors
    /// When it is none of a known curve.
    pub fn parse(pem: &str) -> Result<Self, SealError> {
        if let Ok(key) = p256::ecdsa::VerifyingKey::from_public_key_pem(pem) {
            return Ok(Self::P256(key));
        }
        if let Ok(key) = p384::ecdsa::VerifyingKey::from_public_key_pem(pem) {
            return Ok(Self::P384(key));
        }
        SigningKey::parse(pem).map(|key| key.public())
    }

    pub(crate) fn fits(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::P256(key) => p256::ecdsa::DerSignature::try_from(signature)
                .is_ok_and(|made| key.verify(message, &made).is_ok()),
            Self::P384(key) => p384::ecdsa::DerSignature::try_from(signature)
                .is_ok_and(|made| key.verify(message, &made).is_ok()),
        }
    }

    /// How bundles name the key: SHA-256 of its PEM text.
    #[must_use]
    pub fn hint(&self) -> String {
        let pem = match self {
            Self::P256(key) => key.to_public_key_pem(LineEnding::LF),
            Self::P384(key) => key.to_public_key_pem(LineEnding::LF),
        };
        pem.map_or_else(|_| String::new(), |pem| hex(&Sha256::digest(pem.as_bytes())))
    }
}
