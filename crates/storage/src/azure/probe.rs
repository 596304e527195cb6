//! Is it live, and what may it do? With as few reading requests as that takes.

use super::error::{code, detail, refused};
use super::store::Shared;
use crate::client::{Answer, Verb};
use crate::store::{Probe, StorageError};
use lidless_core::{Auth, GrantStatus, Observed, Timestamp};

/// What one answer says about a credential.
struct Verdict {
    status: GrantStatus,
    /// The operation itself was allowed.
    allowed: bool,
    meaning: &'static str,
}

/// Asks, in the order of what the credential names: one object, one container, the account.
pub(crate) fn probe(shared: &Shared) -> Result<Probe, StorageError> {
    let checked_at = Some(Timestamp::now());
    let mut observed = Observed { checked_at, ..Observed::default() };
    let mut best: Option<Verdict> = None;
    let account = shared.sas("srt").is_some() || matches!(shared.access.auth, Auth::Key { .. });
    let name = shared.access.store();
    let container = shared.access.container.clone();
    let key = shared.access.key.clone();
    let may = |letter: char| shared.sas("sp").is_none_or(|letters| letters.contains(letter));
    let mut questions: Vec<(Question, String, &str)> = Vec::new();
    if account || container.is_none() {
        questions.push((Question::Containers, String::new(), "comp=list&maxresults=1"));
    }
    if let Some(container) = &container {
        if let Some(key) = &key
            && may('r')
        {
            questions.push((Question::Object, format!("{container}/{key}"), ""));
        }
        if shared.sas("sr").as_deref() != Some("b") && may('l') {
            let list = "restype=container&comp=list&maxresults=1";
            questions.push((Question::Blobs, container.clone(), list));
        }
        if questions.is_empty() {
            questions.push((
                Question::Object,
                format!("{container}/{}", key.unwrap_or_default()),
                "",
            ));
        }
    } else {
        let info = "restype=account&comp=properties";
        questions.push((Question::Account, String::new(), info));
    }
    let mut last_error = None;
    for (question, resource, parameters) in questions {
        let what = format!("ask about {name}");
        let verb = if question == Question::Object { Verb::Head } else { Verb::Get };
        let answer = match shared.ask(verb, &resource, parameters, Vec::new(), &what, 1 << 20) {
            Ok(answer) => answer,
            Err(error) => {
                last_error = Some(error);
                continue;
            }
        };
        let verdict = verdict(shared, question, &answer);
        match question {
            Question::Containers => observed.can_list_containers = Some(verdict.allowed),
            Question::Blobs => observed.can_list = Some(verdict.allowed),
            Question::Object | Question::Account => {}
        }
        let decides = best.as_ref().is_none_or(|known| rank(known) < rank(&verdict));
        if decides {
            observed.http_status = Some(answer.status);
            observed.error_code = code(&answer);
            observed.meaning = Some(verdict.meaning.to_owned());
            best = Some(verdict);
        }
        let answered = best.as_ref().is_some_and(|known| known.status != GrantStatus::Unknown);
        // One certain answer is enough; a live one with a listing says all there is to say.
        if answered
            && best.as_ref().is_some_and(|known| known.allowed || known.status != GrantStatus::Live)
        {
            break;
        }
    }
    let Some(best) = best else {
        return Err(last_error.unwrap_or_else(|| {
            refused(
                "ask",
                &Answer { status: 0, headers: Vec::new(), body: Vec::new(), whole: true },
            )
        }));
    };
    if matches!(shared.access.auth, Auth::Anonymous) {
        observed.public = Some(best.status == GrantStatus::Live);
    }
    Ok(Probe { status: best.status, observed })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    Containers,
    Blobs,
    Object,
    Account,
}

fn rank(verdict: &Verdict) -> u8 {
    match (verdict.status, verdict.allowed) {
        (GrantStatus::Live, true) => 4,
        (GrantStatus::Live, false) => 3,
        (GrantStatus::Unknown, _) => 0,
        (GrantStatus::Denied, _) => 1,
        _ => 2,
    }
}

/// Reads an answer as the service means it.
fn verdict(shared: &Shared, question: Question, answer: &Answer) -> Verdict {
    let anonymous = matches!(shared.access.auth, Auth::Anonymous);
    let says = |status, allowed, meaning| Verdict { status, allowed, meaning };
    let live = |meaning| says(GrantStatus::Live, false, meaning);
    let denied = |meaning| says(GrantStatus::Denied, false, meaning);
    let code = code(answer).unwrap_or_default();
    match (answer.status, code.as_str()) {
        (200 | 206, _) => says(GrantStatus::Live, true, "the service answered: it works"),
        (_, _) if anonymous => match answer.status {
            401 | 403 | 404 | 409 => denied("strangers get no answer: private, or not there"),
            _ => says(GrantStatus::Unknown, false, "the answer decides nothing"),
        },
        (
            403,
            "AuthorizationPermissionMismatch"
            | "AuthorizationResourceTypeMismatch"
            | "AuthorizationServiceMismatch"
            | "InsufficientAccountPermissions",
        ) => live("the credential is valid, this operation is not granted"),
        // A question about the account itself: there is no such account behind this address.
        (404, _) if matches!(question, Question::Containers | Question::Account) => {
            says(GrantStatus::Unknown, false, "there is no such account at this address")
        }
        (404, "ContainerNotFound" | "BlobNotFound" | "ResourceNotFound") => {
            live("the credential is valid, what it names is not there")
        }
        (403, "AuthenticationFailed") => ended(shared, answer),
        (403, "AuthorizationFailure") if shared.is_local() => ended(shared, answer),
        (403, "AuthorizationSourceIPMismatch") => denied("bound to other addresses than this one"),
        (403, "AuthorizationProtocolMismatch") => {
            live("the signature was accepted, over https only")
        }
        (403, "KeyBasedAuthenticationNotPermitted") => {
            denied("shared key access is switched off for the account")
        }
        (403, "AuthorizationFailure") => denied("a firewall of the account refuses this address"),
        (403, "AccountIsDisabled") => denied("the account is disabled"),
        (409, "PublicAccessNotPermitted") => denied("the account forbids public access"),
        // A HEAD answer has no body and some servers give no code.
        (403, _) => ended(shared, answer),
        (404, _) => live("the credential is valid, what it names is not there"),
        _ => says(GrantStatus::Unknown, false, "the answer decides nothing"),
    }
}

/// A rejected signature: expired by its own words, or revoked.
fn ended(shared: &Shared, answer: &Answer) -> Verdict {
    let detail = detail(answer);
    let now = Timestamp::now();
    let over = ["se", "ske"].iter().filter_map(|key| shared.sas(key)).any(|text| {
        let whole = match text.len() {
            10 => format!("{text}T00:00:00Z"),
            17 => text.replace('Z', ":00Z"),
            _ => text,
        };
        whole.parse::<Timestamp>().is_ok_and(|end| end <= now)
    });
    if detail.contains("not valid in the specified time frame") || over {
        return Verdict {
            status: GrantStatus::Expired,
            allowed: false,
            meaning: "its time is over, says the service or the token itself",
        };
    }
    Verdict {
        status: GrantStatus::Revoked,
        allowed: false,
        meaning: "the service rejects its signature: the key was renewed, or the policy is gone",
    }
}
