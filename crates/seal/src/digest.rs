//! Digests of content, in one pass.

use crate::error::SealError;
use lidless_io::ReadAt;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// How much is read at a time.
const PART: usize = 1 << 20;

/// A way to hash a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// SHA-256.
    Sha256,
    /// BLAKE3.
    Blake3,
    /// SHA-256 of what the store said of an object that was not read.
    Observed,
}

impl Algorithm {
    /// The name that manifests use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Blake3 => "blake3",
            Self::Observed => "lidless-observed-sha256",
        }
    }

    /// Reads the name that manifests use.
    ///
    /// # Errors
    /// When it is a name of an algorithm that is not computed here.
    pub fn parse(name: &str) -> Result<Self, SealError> {
        match name {
            "sha256" => Ok(Self::Sha256),
            "blake3" => Ok(Self::Blake3),
            "lidless-observed-sha256" => Ok(Self::Observed),
            other => Err(SealError::Method(other.chars().take(40).collect())),
        }
    }
}

/// Digests of one content, in lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    /// SHA-256.
    pub sha256: String,
    /// BLAKE3.
    pub blake3: String,
    /// How many bytes.
    pub size_bytes: u64,
}

impl Digests {
    /// The digest of one algorithm.
    #[must_use]
    pub fn of(&self, algorithm: Algorithm) -> &str {
        match algorithm {
            Algorithm::Sha256 | Algorithm::Observed => &self.sha256,
            Algorithm::Blake3 => &self.blake3,
        }
    }
}

/// Hashes everything, a part at a time.
///
/// # Errors
/// What reading says.
pub fn digest(content: &dyn ReadAt) -> Result<Digests, String> {
    let (mut sha256, mut blake3) = (Sha256::new(), blake3::Hasher::new());
    let mut part = vec![0u8; PART];
    let (mut at, length) = (0u64, content.len());
    while at < length {
        let left = usize::try_from(length.saturating_sub(at)).unwrap_or(PART).min(PART);
        let slice = part.get_mut(..left).unwrap_or(&mut []);
        let read = content.read_at(at, slice).map_err(|error| error.to_string())?;
        if read < left {
            return Err("it became shorter while it was read".into());
        }
        sha256.update(&*slice);
        blake3.update(slice);
        at = at.saturating_add(left as u64);
    }
    Ok(Digests {
        sha256: hex(&sha256.finalize()),
        blake3: hex(blake3.finalize().as_bytes()),
        size_bytes: length,
    })
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes of a text in hex.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| {
            let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
            u8::from_str_radix(pair, 16).ok()
        })
        .collect()
}
