//! A manifest in its envelope: DSSE inside a Sigstore bundle v0.3, key mode.

use crate::error::SealError;
use crate::key::{SigningKey, VerifyingKey};
use crate::manifest::Manifest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// Signs a manifest; gives the text of the bundle.
///
/// # Errors
/// When the manifest cannot be written.
pub fn sign(manifest: &Manifest, key: &SigningKey) -> Result<String, SealError> {
    let payload = manifest.to_payload()?;
    let signature = key.sign(&encoding(&payload));
    let bundle = json!({
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": {
            "publicKey": {"hint": key.public().hint()},
            "tlogEntries": [],
        },
        "dsseEnvelope": {
            "payload": STANDARD.encode(&payload),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"sig": STANDARD.encode(signature), "keyid": ""}],
        },
    });
    serde_json::to_string(&bundle).map_err(|_| SealError::Format("it cannot be written"))
}

/// Reads a bundle and checks its signature before anything that it says is believed.
///
/// # Errors
/// When it is no bundle, when `key` did not sign it, or when it contradicts itself.
pub fn open(text: &str, key: &VerifyingKey) -> Result<Manifest, SealError> {
    let value: Value = serde_json::from_str(text).map_err(|_| SealError::Format("no JSON"))?;
    let field = |value: &Value, key: &str| -> Option<String> {
        value.get(key).and_then(Value::as_str).map(str::to_owned)
    };
    if field(&value, "mediaType").as_deref() != Some(MEDIA_TYPE) {
        return Err(SealError::Format("no Sigstore bundle v0.3"));
    }
    let envelope = value.get("dsseEnvelope").ok_or(SealError::Format("it has no envelope"))?;
    if field(envelope, "payloadType").as_deref() != Some(PAYLOAD_TYPE) {
        return Err(SealError::Format("its envelope holds something else"));
    }
    let payload = field(envelope, "payload").and_then(|text| STANDARD.decode(text).ok());
    let payload = payload.ok_or(SealError::Format("its envelope holds no base64"))?;
    let signatures = envelope.get("signatures").and_then(Value::as_array);
    let [signature] = signatures.map_or(&[][..], Vec::as_slice) else {
        return Err(SealError::Format("it has to have one signature"));
    };
    let signature = field(signature, "sig").and_then(|text| STANDARD.decode(text).ok());
    let signature = signature.ok_or(SealError::Format("its signature is no base64"))?;
    if !key.fits(&encoding(&payload), &signature) {
        return Err(SealError::Signature);
    }
    Manifest::from_payload(&payload)
}

/// What is signed: DSSE v1.0, pre-authentication encoding.
fn encoding(payload: &[u8]) -> Vec<u8> {
    let mut text =
        format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len()).into_bytes();
    text.extend_from_slice(payload);
    text
}
