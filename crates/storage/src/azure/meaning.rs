//! What the service's codes mean for whoever holds a credential: one table.
//!
//! Source: "Common REST API error codes" and the error codes of the blob, file, queue and table
//! services of the service's documentation. A code that says something of the object alone says
//! that the credential was accepted before it: signatures are checked first.

use crate::client::Answer;
use lidless_core::GrantStatus;

/// What one code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meaning {
    /// The service's word.
    pub(crate) code: &'static str,
    /// What it makes of the credential; null when that takes a look at the rest of the answer.
    pub(crate) status: Option<GrantStatus>,
    /// In words.
    pub(crate) words: &'static str,
}

const fn live(code: &'static str, words: &'static str) -> Meaning {
    Meaning { code, status: Some(GrantStatus::Live), words }
}

const fn denied(code: &'static str, words: &'static str) -> Meaning {
    Meaning { code, status: Some(GrantStatus::Denied), words }
}

const fn revoked(code: &'static str, words: &'static str) -> Meaning {
    Meaning { code, status: Some(GrantStatus::Revoked), words }
}

const fn unknown(code: &'static str, words: &'static str) -> Meaning {
    Meaning { code, status: Some(GrantStatus::Unknown), words }
}

const GONE: &str = "the credential is valid, what it names is not there";
const LEAVING: &str = "the credential is valid, what it names is being deleted";

/// Every code that says something of a credential.
pub(crate) const MEANINGS: [Meaning; 49] = [
    // Valid, and not for this.
    live(
        "AuthorizationPermissionMismatch",
        "the credential is valid, this operation is not granted (sp)",
    ),
    live(
        "AuthorizationResourceTypeMismatch",
        "the credential is valid, not for this type of resource (srt, sr)",
    ),
    live("AuthorizationServiceMismatch", "the credential is valid, not for this service (ss)"),
    live(
        "InsufficientAccountPermissions",
        "the credential is valid, the account does not allow this operation",
    ),
    live("AuthorizationProtocolMismatch", "the signature was accepted, over https only (spr)"),
    // Valid, and the rest is about what it names.
    live("ContainerNotFound", GONE),
    live("BlobNotFound", GONE),
    live("ResourceNotFound", GONE),
    live("ShareNotFound", GONE),
    live("ShareSnapshotNotFound", GONE),
    live("ParentNotFound", GONE),
    live("QueueNotFound", GONE),
    live("MessageNotFound", GONE),
    live("TableNotFound", GONE),
    live("EntityNotFound", GONE),
    live("FilesystemNotFound", GONE),
    live("PathNotFound", GONE),
    live("ContainerBeingDeleted", LEAVING),
    live("ContainerDisabled", "the credential is valid, the container is disabled"),
    live("ShareBeingDeleted", LEAVING),
    live("ShareDisabled", "the credential is valid, the share is disabled"),
    live("QueueBeingDeleted", LEAVING),
    live("QueueDisabled", "the credential is valid, the queue is disabled"),
    live("TableBeingDeleted", LEAVING),
    live("FilesystemBeingDeleted", LEAVING),
    live("BlobArchived", "the credential is valid, the object is in the archive tier"),
    live(
        "BlobBeingRehydrated",
        "the credential is valid, the object is on its way out of the archive tier",
    ),
    live(
        "BlobUsesCustomerSpecifiedEncryption",
        "the credential is valid, the object is encrypted with a key of its owner",
    ),
    live(
        "BlobDoesNotUseCustomerSpecifiedEncryption",
        "the credential is valid, the object is not encrypted with a key of its owner",
    ),
    live("ConditionNotMet", "the credential is valid, the object changed"),
    live("InvalidRange", "the service answered: it works, and the object is empty"),
    live("InvalidBlobType", "the credential is valid, not for this kind of blob"),
    live(
        "BlobAccessTierNotSupportedForAccountType",
        "the credential is valid, this account has no such tier",
    ),
    live("SharingViolation", "the credential is valid, the file is open on another machine"),
    // Shut out, whatever the credential.
    denied("AuthorizationSourceIPMismatch", "bound to other addresses than this one (sip)"),
    denied(
        "KeyBasedAuthenticationNotPermitted",
        "shared key access is switched off for the account: no key and no token of a key works",
    ),
    denied("PublicAccessNotPermitted", "the account forbids public access"),
    denied("AccountIsDisabled", "the account is disabled"),
    denied("AccountBeingCreated", "the account is not there yet"),
    denied("NoAuthenticationInformation", "strangers get no answer: a credential is asked for"),
    // The service cannot make sense of the credential.
    revoked(
        "InvalidAuthenticationInfo",
        "the service cannot read the credential: a part is missing or changed",
    ),
    revoked("MissingRequiredQueryParameter", "a part of the credential is missing"),
    // What stands in the explanation decides.
    Meaning {
        code: "AuthenticationFailed",
        status: None,
        words: "the service rejects its signature or its time",
    },
    Meaning {
        code: "AuthorizationFailure",
        status: None,
        words: "a firewall of the account refuses this address",
    },
    // Nothing of the credential.
    unknown("ServerBusy", "the service is busy"),
    unknown("OperationTimedOut", "the service took too long"),
    unknown("InternalError", "the service failed"),
    unknown("OutOfRangeInput", "the service does not take the question"),
    unknown("InvalidQueryParameterValue", "the service does not take the question"),
];

/// What an answer's code means; none for a code that is not known.
pub(crate) fn meaning(answer: &Answer) -> Option<&'static Meaning> {
    let code = answer.code()?;
    MEANINGS.iter().find(|meaning| meaning.code == code)
}

/// What the explanation of a rejected signature means, by words that stand in it.
///
/// The words are those of answers that were seen in public reports and of the documentation; of a
/// text that is none of them nothing is concluded.
pub(crate) const EXPLANATIONS: [(&str, GrantStatus, &str); 8] = [
    (
        "Signature fields not well formed",
        GrantStatus::Revoked,
        "the service cannot read the token: a field is not well formed",
    ),
    (
        "is mandatory. Cannot be empty",
        GrantStatus::Revoked,
        "the service cannot read the token: a field that it needs is missing",
    ),
    (
        "signed identifier cannot have time window more than 1 hour",
        GrantStatus::Revoked,
        "the service takes tokens of this old version for an hour at most",
    ),
    (
        "SAS identifier cannot be found",
        GrantStatus::Revoked,
        "the stored policy that it hangs on is gone",
    ),
    (
        "can be associated with signature or SAS identifier but not both",
        GrantStatus::Revoked,
        "the stored policy that it hangs on is gone, or says the same field twice",
    ),
    (
        "Signed expiry time",
        GrantStatus::Revoked,
        "the service cannot read the token: its times make no sense",
    ),
    (
        "user delegation key",
        GrantStatus::Revoked,
        "the service rejects it: the delegation key was revoked or is over",
    ),
    ("Issuer validation failed", GrantStatus::Revoked, "the service rejects who issued it"),
];

/// How a service begins to say which text it signed, for tokens and for keys.
const SIGNED: [&str; 2] = ["String to sign used was ", "used following string to sign: '"];

/// The text that the service says it signed. It holds no signature; the words before it may.
pub(crate) fn signed_text(answer: &Answer) -> Option<String> {
    let body = String::from_utf8_lossy(&answer.body);
    let (_, detail) = body.split_once("<AuthenticationErrorDetail>")?;
    let (detail, _) = detail.split_once("</AuthenticationErrorDetail>")?;
    let text = SIGNED.iter().find_map(|begin| detail.split_once(begin))?.1;
    let text = text.trim_end_matches("'.");
    let plain = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    let text = plain.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    // One that echoes the signature is not repeated.
    (!text.contains("sig=")).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_stands_in_the_table_once() {
        let codes: BTreeSet<_> = MEANINGS.iter().map(|one| one.code).collect();
        assert_eq!(codes.len(), MEANINGS.len());
        assert!(MEANINGS.iter().all(|one| !one.words.is_empty() && !one.words.ends_with('.')));
    }

    #[test]
    fn the_text_that_was_signed_is_read_and_the_signature_is_not() {
        let answer = |detail: &str| Answer {
            status: 403,
            headers: Vec::new(),
            body: format!(
                "<Error><AuthenticationErrorDetail>{detail}</AuthenticationErrorDetail></Error>"
            )
            .into_bytes(),
            whole: true,
        };
        let token = "Signature did not match. String to sign used was rl\n\na&amp;b\n";
        assert_eq!(signed_text(&answer(token)).as_deref(), Some("rl\n\na&b\n"));
        let key = "The MAC signature found in the HTTP request 'AAAA=' is not the same as any \
                   computed signature. Server used following string to sign: 'GET\n\n/a'.";
        assert_eq!(signed_text(&answer(key)).as_deref(), Some("GET\n\n/a"));
        assert_eq!(signed_text(&answer("String to sign used was x?sig=abc")), None);
        assert_eq!(signed_text(&answer("something else")), None);
        lidless_kit::cut_and_flip(&answer(token).body, |body| {
            let _ = signed_text(&Answer { body: body.to_vec(), ..answer("") });
        });
    }
}
