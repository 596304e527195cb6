//! Whose key an object is encrypted with, in the words of each service.

use crate::client::Answer;
use lidless_core::Encryption;
use serde_json::Value;

/// What one property of a blob says beside what is known: an element of a listing, or a header.
///
/// Source: "List Blobs" and "Get Blob Properties" of the Azure documentation.
pub(crate) fn azure(known: Option<Encryption>, name: &str, text: &str) -> Option<Encryption> {
    let said = match name {
        _ if text.is_empty() => None,
        "ServerEncrypted" | "x-ms-server-encrypted" => {
            Some(if text == "false" { Encryption::None } else { Encryption::Service })
        }
        "EncryptionScope" | "x-ms-encryption-scope" => Some(Encryption::Scope),
        "CustomerProvidedKeySha256" | "x-ms-encryption-key-sha256" => Some(Encryption::CustomerKey),
        _ => None,
    };
    // The narrower says more.
    known.max(said)
}

/// What the headers of a blob say.
pub(crate) fn azure_headers(answer: &Answer) -> Option<Encryption> {
    let names = ["x-ms-server-encrypted", "x-ms-encryption-scope", "x-ms-encryption-key-sha256"];
    let named = names.into_iter().filter_map(|name| Some((name, answer.header(name)?)));
    named.fold(None, |known, (name, text)| azure(known, name, text))
}

/// What the headers of an object of S3 say.
///
/// Source: "HeadObject" of the S3 reference.
pub(crate) fn s3_headers(answer: &Answer) -> Option<Encryption> {
    if answer.header("x-amz-server-side-encryption-customer-algorithm").is_some() {
        return Some(Encryption::CustomerKey);
    }
    match answer.header("x-amz-server-side-encryption")? {
        "AES256" => Some(Encryption::Service),
        word if word.starts_with("aws:kms") => Some(Encryption::Managed),
        _ => None,
    }
}

/// What the resource of an object of Cloud Storage says.
pub(crate) fn gcs(item: &Value) -> Option<Encryption> {
    let is_there = |name: &str| item.get(name).is_some_and(|value| !value.is_null());
    if is_there("customerEncryption") {
        Some(Encryption::CustomerKey)
    } else {
        is_there("kmsKeyName").then_some(Encryption::Managed)
    }
}

/// Whether a service refuses a read because the key has to come with it.
pub(crate) fn is_locked(answer: &Answer) -> bool {
    let says = || String::from_utf8_lossy(&answer.body).to_ascii_lowercase();
    match (answer.status, answer.code().as_deref()) {
        (409, Some("BlobUsesCustomerSpecifiedEncryption")) => true,
        (400, Some("InvalidRequest")) => says().contains("server side encryption"),
        (400, _) => says().contains("resourceisencryptedwithcustomerencryptionkey"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
        let headers = headers.iter().map(|(name, text)| ((*name).into(), (*text).into()));
        Answer { status, headers: headers.collect(), body: body.into(), whole: true }
    }

    #[test]
    fn the_narrowest_of_what_is_said_counts() {
        let of = |headers: &[(&str, &str)]| azure_headers(&answer(200, headers, ""));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[("x-ms-server-encrypted", "true")]), Some(Encryption::Service));
        assert_eq!(of(&[("x-ms-server-encrypted", "false")]), Some(Encryption::None));
        let key = ("x-ms-encryption-key-sha256", "q==");
        assert_eq!(of(&[key, ("x-ms-server-encrypted", "true")]), Some(Encryption::CustomerKey));
        let of = |headers: &[(&str, &str)]| s3_headers(&answer(200, headers, ""));
        assert_eq!(of(&[("x-amz-server-side-encryption", "AES256")]), Some(Encryption::Service));
        let kms = ("x-amz-server-side-encryption", "aws:kms:dsse");
        assert_eq!(of(&[kms]), Some(Encryption::Managed));
        let customer = ("x-amz-server-side-encryption-customer-algorithm", "AES256");
        assert_eq!(of(&[customer]), Some(Encryption::CustomerKey));
    }

    #[test]
    fn a_refusal_for_want_of_the_key_is_told_from_others() {
        let s3 = "<Error><Code>InvalidRequest</Code><Message>The object was stored using a form \
                  of Server Side Encryption. The correct parameters must be provided to retrieve \
                  the object.</Message></Error>";
        assert!(is_locked(&answer(400, &[], s3)));
        assert!(!is_locked(&answer(400, &[], "<Error><Code>InvalidRequest</Code></Error>")));
        let azure = [("x-ms-error-code", "BlobUsesCustomerSpecifiedEncryption")];
        assert!(is_locked(&answer(409, &azure, "")));
        assert!(!is_locked(&answer(409, &[("x-ms-error-code", "BlobArchived")], "")));
        let gcs = r#"{"error":{"code":400,"errors":[{"reason":
            "resourceIsEncryptedWithCustomerEncryptionKey"}]}}"#;
        assert!(is_locked(&answer(400, &[], gcs)));
    }
}
