//! What one answer says about a credential.
//!
//! Source: "Azure Storage error codes" and "Blob service error codes" of the service's
//! documentation; the emulator's answers were measured on Azurite 3.37.

use super::error::detail;
use super::list;
use super::meaning::{EXPLANATIONS, meaning, signed_text};
use super::probe::Question;
use super::shared::Shared;
use crate::client::Answer;
use crate::retry::http_time;
use lidless_core::{Auth, GrantStatus, Timestamp};

/// What an operation that was allowed says.
const WORKS: &str = "the service answered: it works";

/// What one answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) status: GrantStatus,
    /// The operation itself was allowed.
    pub(crate) allowed: bool,
    /// In words.
    pub(crate) meaning: String,
}

impl Verdict {
    fn new(status: GrantStatus, meaning: &str) -> Self {
        Self { status, allowed: false, meaning: meaning.to_owned() }
    }

    /// Which of two answers says more.
    pub(crate) fn rank(&self) -> u8 {
        match (self.status, self.allowed) {
            (GrantStatus::Unknown, _) => 0,
            (GrantStatus::Denied, _) => 1,
            (GrantStatus::Expired | GrantStatus::Revoked, _) => 2,
            (GrantStatus::Live, false) => 3,
            (GrantStatus::Live, true) => 4,
        }
    }
}

/// What a question of another service than blobs shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// That shares, queues or tables can be listed.
    Containers,
    /// That what is in one can be listed.
    Names,
    /// That content can be read.
    Content,
    /// That the service answers.
    Account,
}

/// Reads an answer of another service than blobs: its codes mean the same, and its good answers
/// are told by the headers that every service of storage sends.
pub(crate) fn verdict_of(shared: &Shared, subject: Subject, answer: &Answer) -> Verdict {
    let question = match subject {
        Subject::Containers | Subject::Account => Question::Account,
        Subject::Names | Subject::Content => Question::Blob,
    };
    let mut verdict = verdict(shared, question, answer);
    if verdict.allowed && subject == Subject::Containers {
        verdict.meaning = WORKS.to_owned();
    }
    verdict
}

/// Reads an answer as the service means it.
pub(crate) fn verdict(shared: &Shared, question: Question, answer: &Answer) -> Verdict {
    let code = answer.code().unwrap_or_default();
    if matches!(answer.status, 200 | 206) {
        return success(question, answer);
    }
    if matches!(shared.access.auth, Auth::Anonymous) {
        return to_strangers(question, answer.status, &code);
    }
    // A question about the account itself: the signature was never looked at.
    if answer.status == 404 && matches!(question, Question::Containers | Question::Account) {
        let meaning = "there is no such account at this address";
        return Verdict::new(GrantStatus::Unknown, meaning);
    }
    let known = meaning(answer).filter(|_| matches!(answer.status, 400..=499));
    match known.map(|one| (one.status, one)) {
        Some((Some(GrantStatus::Unknown), _)) => undecided(answer.status, &code),
        Some((Some(status), one)) => {
            Verdict { allowed: one.code == "InvalidRange", ..Verdict::new(status, one.words) }
        }
        Some((None, one)) if one.code == "AuthenticationFailed" => ended(shared, answer),
        // The emulator has one code for a wrong signature and for a time that is over.
        Some((None, _)) if shared.is_local() || is_emulator(answer) => ended(shared, answer),
        Some((None, one)) => Verdict::new(GrantStatus::Denied, one.words),
        None if matches!(answer.status, 401 | 403) && is_past(shared) => {
            Verdict::new(GrantStatus::Expired, "its time is over, says the token itself")
        }
        None if matches!(answer.status, 401 | 403) => {
            let meaning = "refused, for a reason that is not the credential's own";
            Verdict::new(GrantStatus::Denied, meaning)
        }
        None => undecided(answer.status, &code),
    }
}

fn undecided(status: u16, code: &str) -> Verdict {
    let code = if code.is_empty() { String::new() } else { format!(" {code}") };
    let meaning = format!("the answer {status}{code} decides nothing");
    Verdict::new(GrantStatus::Unknown, &meaning)
}

/// A good answer, when it is the one that was asked for: a login page is answered with 200, too.
fn success(question: Question, answer: &Answer) -> Verdict {
    let from_storage = answer.headers.iter().any(|(name, _)| name.starts_with("x-ms-"));
    let fits = match question {
        Question::Containers => list::containers(&answer.body, None).is_ok(),
        Question::Blobs => list::blobs(&answer.body).is_ok(),
        Question::Blob => from_storage || answer.status == 206,
        Question::Account => from_storage,
    };
    if fits {
        let meaning = match question {
            // That anything at all was answered says no more.
            Question::Account => "the service accepts the credential",
            _ => WORKS,
        };
        return Verdict { allowed: true, ..Verdict::new(GrantStatus::Live, meaning) };
    }
    Verdict::new(GrantStatus::Unknown, "the answer is not that of a storage service")
}

/// A refusal of a request without a credential.
fn to_strangers(question: Question, status: u16, code: &str) -> Verdict {
    match (status, code) {
        (416, "InvalidRange") => Verdict {
            allowed: true,
            ..Verdict::new(GrantStatus::Live, "open to strangers, and the object is empty")
        },
        // Only where strangers may read does the service say what is missing.
        (409, "BlobArchived") => Verdict::new(
            GrantStatus::Live,
            "open to strangers, and the object is in the archive tier",
        ),
        (404, "BlobNotFound") if question == Question::Blob => Verdict::new(
            GrantStatus::Denied,
            "the container answers strangers, but this object is not there",
        ),
        (409, "PublicAccessNotPermitted") => {
            Verdict::new(GrantStatus::Denied, "the account forbids public access")
        }
        (401 | 403 | 404 | 409, _) => {
            Verdict::new(GrantStatus::Denied, "strangers get no answer: private, or not there")
        }
        _ => undecided(status, code),
    }
}

fn is_emulator(answer: &Answer) -> bool {
    answer.header("server").is_some_and(|server| server.contains("Azurite"))
}

/// A rejected signature: expired, too early, or revoked.
fn ended(shared: &Shared, answer: &Answer) -> Verdict {
    let detail = detail(answer);
    let now = Timestamp::now();
    if is_past(shared) {
        return Verdict::new(GrantStatus::Expired, "its time is over, says the token itself");
    }
    if shared.sas("st").and_then(|text| sas_time(&text)).is_some_and(|start| start > now) {
        return Verdict::new(GrantStatus::Denied, "its time has not come yet");
    }
    if too_early(&detail) {
        return Verdict::new(GrantStatus::Denied, "its time has not come yet, says the service");
    }
    if detail.contains("not valid in the specified time frame") || detail.contains("expired") {
        return Verdict::new(GrantStatus::Expired, "its time is over, says the service");
    }
    if let Some((_, status, words)) = EXPLANATIONS.iter().find(|(words, ..)| detail.contains(words))
    {
        return Verdict::new(*status, words);
    }
    if let Some(text) = signed_text(answer) {
        shared.heard(text);
    }
    let meaning = if shared.sas("si").is_some() {
        "the service rejects it: the stored policy is gone or over, or the key was renewed"
    } else if shared.sas("skoid").is_some() {
        "the service rejects it: the delegation key was revoked or is over"
    } else if matches!(shared.access.auth, Auth::Key { .. }) {
        "the service rejects it: the key was renewed"
    } else {
        "the service rejects its signature: the key was renewed, or the token was changed"
    };
    Verdict::new(GrantStatus::Revoked, meaning)
}

/// Whether the service says that it is before the token's time: `Start [...] - Expiry [...] -
/// Current [...]`.
fn too_early(detail: &str) -> bool {
    let time = |name: &str| {
        let (_, rest) = detail.split_once(&format!("{name} ["))?;
        http_time(rest.split(']').next()?.trim())
    };
    matches!((time("Start"), time("Current")), (Some(start), Some(current)) if current < start)
}

/// Whether the token's own end, or that of its delegation key, has passed.
fn is_past(shared: &Shared) -> bool {
    let now = Timestamp::now();
    let ends = ["se", "ske"].into_iter().filter_map(|name| shared.sas(name));
    ends.filter_map(|text| sas_time(&text)).any(|end| end <= now)
}

/// A time as tokens write it: a date, with minutes, or with seconds and fractions.
fn sas_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let whole = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        17 => text.replace('Z', ":00Z"),
        _ => text.to_owned(),
    };
    whole.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_time_is_read() {
        for text in [
            "2021-10-05",
            "2021-10-05T00:00Z",
            "2021-10-05T00:00:00Z",
            "2021-10-05T00:00:00.0000000Z",
        ] {
            assert_eq!(sas_time(text).unwrap().as_second(), 1_633_392_000, "{text}");
        }
        assert!(sas_time("soon").is_none());
    }
}
