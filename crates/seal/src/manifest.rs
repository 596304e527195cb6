//! What was there: names and digests, and what the store said beside them.
//!
//! Source: OpenSSF Model Signing v1.0, the predicate `https://model_signing/signature/v1.0`.

use crate::digest::{Algorithm, hex, unhex};
use crate::error::SealError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const STATEMENT: &str = "https://in-toto.io/Statement/v1";
const PREDICATE: &str = "https://model_signing/signature/v1.0";
/// Where lidless keeps what the format has no place for; other verifiers pass over it.
const OBSERVED: &str = "https://lidless.example/observed/v1";

/// One file and its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The path below the model's folder, with `/`.
    pub name: String,
    /// How it was hashed.
    pub algorithm: Algorithm,
    /// Lower-case hex.
    pub digest: String,
}

/// What was seen of a file without reading it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// The path below the model's folder.
    pub name: String,
    /// How many bytes.
    pub size_bytes: u64,
    /// When it was last changed, nanoseconds since 1970, as the file system says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_nanoseconds: Option<i64>,
    /// The version as the store names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// MD5 in base64, as the store says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_md5: Option<String>,
    /// BLAKE3 in hex, where it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blake3: Option<String>,
}

/// Everything a seal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// What the model is called.
    pub name: String,
    /// The files, sorted by name.
    pub resources: Vec<Resource>,
    /// Paths that were left out, as the maker named them.
    pub ignored: Vec<String>,
    /// What lidless saw beside; empty in seals of other tools.
    pub observed: Vec<Observed>,
}

impl Observed {
    /// The entry of a manifest for a file that was not read: a digest of what was seen of it.
    /// Tools that know nothing of this algorithm refuse the seal, and have to.
    #[must_use]
    pub fn as_resource(&self) -> Resource {
        let seen = serde_json::to_vec(self).unwrap_or_default();
        Resource {
            name: self.name.clone(),
            algorithm: Algorithm::Observed,
            digest: hex(&Sha256::digest(&seen)),
        }
    }
}

impl Manifest {
    /// The statement that is signed.
    ///
    /// # Errors
    /// When a digest is no hex.
    pub fn to_payload(&self) -> Result<Vec<u8>, SealError> {
        let resources: Vec<Value> = self
            .resources
            .iter()
            .map(|one| json!({"name": one.name, "algorithm": one.algorithm.as_str(), "digest": one.digest}))
            .collect();
        let statement = json!({
            "_type": STATEMENT,
            "subject": [{"name": self.name, "digest": {"sha256": self.root()?}}],
            "predicateType": PREDICATE,
            "predicate": {
                "serialization": {
                    "method": "files",
                    "hash_type": self.resources.first().map_or("sha256", |one| one.algorithm.as_str()),
                    "allow_symlinks": false,
                    "ignore_paths": self.ignored,
                },
                "resources": resources,
                OBSERVED: self.observed,
            },
        });
        serde_json::to_vec(&statement).map_err(|_| SealError::Format("it cannot be written"))
    }

    /// Reads a statement and checks that its files add up to the digest that it names.
    ///
    /// # Errors
    /// When it is of another format or method, or contradicts itself.
    pub fn from_payload(payload: &[u8]) -> Result<Self, SealError> {
        let value: Value =
            serde_json::from_slice(payload).map_err(|_| SealError::Format("no JSON inside"))?;
        if value.get("predicateType").and_then(Value::as_str) != Some(PREDICATE) {
            return Err(SealError::Format("of another version than v1.0"));
        }
        let subjects = value.get("subject").and_then(Value::as_array);
        let [subject] = subjects.map_or(&[][..], Vec::as_slice) else {
            return Err(SealError::Format("it has to name one model"));
        };
        let text =
            |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let root = subject.get("digest").and_then(|digest| text(digest, "sha256"));
        let root = root.ok_or(SealError::Format("it names no digest"))?;
        let predicate = value.get("predicate").ok_or(SealError::Format("it has no predicate"))?;
        let serialization =
            predicate.get("serialization").ok_or(SealError::Format("it names no method"))?;
        match text(serialization, "method").as_deref() {
            Some("files") => {}
            other => {
                let other = other.unwrap_or("no method").chars().take(40).collect();
                return Err(SealError::Method(other));
            }
        }
        let list = predicate.get("resources").and_then(Value::as_array);
        let list = list.ok_or(SealError::Format("it names no files"))?;
        let mut resources = Vec::new();
        for one in list {
            let (Some(name), Some(algorithm), Some(digest)) =
                (text(one, "name"), text(one, "algorithm"), text(one, "digest"))
            else {
                return Err(SealError::Format("a file without name or digest"));
            };
            let algorithm = Algorithm::parse(&algorithm)?;
            resources.push(Resource { name, algorithm, digest: digest.to_ascii_lowercase() });
        }
        let ignored = serialization.get("ignore_paths").and_then(Value::as_array);
        let ignored = ignored.map_or_else(Vec::new, |list| {
            list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        });
        let observed = predicate
            .get(OBSERVED)
            .cloned()
            .and_then(|value| serde_json::from_value(value).ok())
            .unwrap_or_default();
        let name = text(subject, "name").unwrap_or_default();
        // The order is part of what was signed.
        let made = Self { name, resources, ignored, observed };
        if made.root()? != root.to_ascii_lowercase() {
            return Err(SealError::Inconsistent);
        }
        Ok(made)
    }

    /// SHA-256 over the digests, in their order.
    fn root(&self) -> Result<String, SealError> {
        let mut hasher = Sha256::new();
        for one in &self.resources {
            hasher.update(unhex(&one.digest).ok_or(SealError::Format("a digest that is no hex"))?);
        }
        Ok(hex(&hasher.finalize()))
    }
}
