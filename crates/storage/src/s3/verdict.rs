//! What one answer says of a credential.
//!
//! Sources: "Error Responses" of the S3 documentation, the same of Cloud Storage's XML interface;
//! Ceph answers with codes and no messages.

use super::list;
use super::refusal::message;
use super::store::Shared;
use crate::client::Answer;
use crate::interview::Verdict;
use lidless_core::{Auth, GrantStatus, Secret, Timestamp};

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// List the buckets.
    Buckets,
    /// List one name of a bucket.
    Objects,
    /// Read the first byte of an object.
    Object,
}

/// Reads an answer.
pub(crate) fn verdict(shared: &Shared, asked: Asked, answer: &Answer) -> Verdict {
    let code = answer.code().unwrap_or_default();
    let live = |meaning| Verdict::new(GrantStatus::Live, meaning);
    let denied = |meaning| Verdict::new(GrantStatus::Denied, meaning);
    let revoked = |meaning| Verdict::new(GrantStatus::Revoked, meaning);
    let expired = |meaning| Verdict::new(GrantStatus::Expired, meaning);
    let unknown = |meaning: &str| Verdict::new(GrantStatus::Unknown, meaning);
    let strange = matches!(shared.access.auth, Auth::Anonymous);
    let says = message(answer).to_ascii_lowercase();
    match (answer.status, code.as_str()) {
        // Some services answer strangers with an account without buckets.
        (200, _) if strange && asked == Asked::Buckets => match list::buckets(&answer.body) {
            Ok((buckets, _)) if !buckets.is_empty() => success(asked, answer),
            _ => denied("strangers see no buckets"),
        },
        (200 | 206, _) => success(asked, answer),
        (416, _) => Verdict::allowed("the service answered: it works, and the object is empty"),
        (403, "InvalidObjectState") => live("it works, and the object is in an archive tier"),
        (_, "NoSuchBucket") => unknown("there is no such bucket"),
        (404, "NoSuchKey") if strange => live("strangers may list, and this object is not there"),
        (404, "NoSuchKey") => live("the credential is valid, what it names is not there"),
        (_, "InvalidAccessKeyId") => revoked("the service does not know the key: ended or deleted"),
        (_, "InvalidToken" | "TokenRefreshRequired") => {
            revoked("the service does not accept the session token")
        }
        (_, "ExpiredToken") => expired("its session is over"),
        (_, "RequestTimeTooSkewed") => unknown("the clock of this machine is off"),
        (_, "SignatureDoesNotMatch") => match &shared.access.auth {
            Auth::Query(_) => {
                unknown("the signature does not fit a read: signed for another method, or changed")
            }
            _ => revoked("the key is not the one that belongs to its id"),
        },
        (_, "AllAccessDisabled" | "AccountProblem") => denied("the account or bucket is disabled"),
        (_, "UserProjectMissing") => {
            denied("whoever asks would have to pay, and that is never offered here")
        }
        (403, _) if says.contains("requester pays") => {
            denied("whoever asks pays for this bucket; --requester-pays says that you will")
        }
        (401 | 403, _) if strange => denied("strangers get no answer: private, or not there"),
        (400 | 403, _) if says.contains("expired") => expired("its time is over"),
        (401 | 403, _) if is_past(&shared.access.auth) => {
            expired("its time is over, says the URL itself")
        }
        // The signature is looked at first: what is refused for rights is known.
        (403, "AccessDenied") => match &shared.access.auth {
            Auth::Query(_) => denied("the signer may not read it, or the bucket's policy forbids"),
            _ if asked != Asked::Buckets && !shared.pays() => live(
                "the key is valid, this operation is not allowed to it; a bucket for which whoever \
                 asks pays answers alike, see --requester-pays",
            ),
            _ => live("the key is valid, this operation is not allowed to it"),
        },
        (401 | 403, _) => denied("refused, for a reason that is not the credential's own"),
        (status, code) => {
            let code = if code.is_empty() { String::new() } else { format!(" {code}") };
            unknown(&format!("the answer {status}{code} decides nothing"))
        }
    }
}

/// A good answer, when it is the one that was asked for: a login page is answered with 200, too.
fn success(asked: Asked, answer: &Answer) -> Verdict {
    let from_storage = ["x-amz-request-id", "x-goog-hash", "x-guploader-uploadid", "x-amz-id-2"]
        .iter()
        .any(|name| answer.header(name).is_some());
    let fits = match asked {
        Asked::Buckets => list::buckets(&answer.body).is_ok(),
        Asked::Objects => list::objects(&answer.body).is_ok(),
        Asked::Object => from_storage || answer.status == 206,
    };
    if fits {
        return Verdict::allowed("the service answered: it works");
    }
    Verdict::new(GrantStatus::Unknown, "the answer is not that of a storage service")
}

/// Whether a signed URL says itself that its time is over.
fn is_past(auth: &Auth) -> bool {
    let Auth::Query(signed) = auth else { return false };
    ends(signed).is_some_and(|end| end <= Timestamp::now().as_second())
}

/// When a signed URL ends, in seconds of the epoch.
fn ends(signed: &Secret) -> Option<i64> {
    let get = |wanted: &str| {
        signed.expose().split('&').find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim_start_matches('?').eq_ignore_ascii_case(wanted).then(|| value.to_owned())
        })
    };
    for (date, lifetime) in [("x-amz-date", "x-amz-expires"), ("x-goog-date", "x-goog-expires")] {
        if let (Some(date), Some(lifetime)) = (get(date), get(lifetime)) {
            let start = Timestamp::strptime("%Y%m%dT%H%M%S%#z", date.replace('Z', "+0000")).ok()?;
            return start.as_second().checked_add(lifetime.parse().ok()?);
        }
    }
    get("expires")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_url_says_when_it_ends() {
        let of = |text: &str| ends(&Secret::new(text));
        let v4 = "X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-Signature=x";
        assert_eq!(of(v4), Some(1_369_440_000));
        assert_eq!(of("AWSAccessKeyId=a&Expires=1141889120&Signature=x"), Some(1_141_889_120));
        assert_eq!(of("X-Amz-Date=never&X-Amz-Expires=1"), None);
        assert_eq!(of("a=b"), None);
    }
}
