//! Does the server show what lies in a folder, or give a file?

use super::store::Shared;
use crate::client::Answer;
use crate::interview::{Interview, Verdict, tested};
use crate::store::{Probe, StorageError, StorageErrorKind};
use lidless_core::{GrantStatus, Operation, Party, Right};

/// Asks for the file, when one is named, and for the index of the folder.
///
/// # Errors
/// When neither question got an answer.
pub(crate) fn probe(
    shared: &Shared,
    index: impl Fn(&str) -> Result<(), StorageError>,
) -> Result<Probe, StorageError> {
    let mut interview = Interview::begin();
    let key = shared.access.key.as_deref().unwrap_or("");
    let what = format!("ask about {}", shared.place_of(key));
    let mut folder = key.to_owned();
    if !key.is_empty() && !key.ends_with('/') {
        folder.push('/');
        match shared.once(key, &what) {
            Ok(answer) if shared.leads_to_folder(key, &answer) => {}
            Ok(answer) => {
                folder.clear();
                let verdict = of_file(&answer);
                interview.observed.can_read = verdict.tested();
                interview.heard(&answer, verdict);
            }
            Err(error) => interview.failed(error),
        }
    }
    let is_file = interview.observed.can_read.is_some();
    if !is_file {
        match of_index(index(&folder)) {
            Ok((answer, verdict)) => {
                interview.observed.can_list = verdict.tested();
                interview.heard(&answer, verdict);
            }
            Err(error) => interview.failed(error),
        }
    }
    let place = shared.place_of(key);
    let observed = &interview.observed;
    let (operation, seen, how) = if is_file {
        (Operation::ReadContent, observed.can_read, "a read of a byte")
    } else {
        (Operation::ListObjects, observed.can_list, "a look at the index of the folder")
    };
    let mut right = tested(Party::Strangers, operation, None, seen, how);
    if let (Some(false), Some(meaning)) = (seen, &observed.meaning) {
        right = Right { why: String::new(), ..right }.because(&format!("{how}: {meaning}"));
    }
    let mut rights = vec![right];
    rights.extend(Operation::WRITING.map(|operation| {
        let why = "whether the server takes PUT, DELETE or WebDAV is not asked";
        Right::of(Party::Strangers, operation).because(why)
    }));
    interview.observed.rights = rights;
    interview.end(true, &place)
}

fn of_file(answer: &Answer) -> Verdict {
    match answer.status {
        200 | 206 => Verdict::allowed("the server gives it to everyone"),
        416 => Verdict::allowed("the server gives it to everyone, and it is empty"),
        status => of_refusal(status),
    }
}

/// What the outcome of asking for an index means.
///
/// # Errors
/// The error itself, when the server gave no answer.
fn of_index(outcome: Result<(), StorageError>) -> Result<(Answer, Verdict), StorageError> {
    let answer = |status| Answer { status, headers: Vec::new(), body: Vec::new(), whole: true };
    let Err(error) = outcome else {
        return Ok((answer(200), Verdict::allowed("the server shows everyone what lies there")));
    };
    match (error.status, error.kind) {
        (Some(status), _) => Ok((answer(status), of_refusal(status))),
        (None, StorageErrorKind::Unsupported | StorageErrorKind::Malformed) => {
            let why = error.message.rsplit_once(": ").map_or("", |(_, why)| why);
            let meaning = format!("the server answers, and {why}");
            Ok((answer(200), Verdict::new(GrantStatus::Live, &meaning)))
        }
        (None, _) => Err(error),
    }
}

fn of_refusal(status: u16) -> Verdict {
    match status {
        401 => Verdict::new(GrantStatus::Denied, "the server asks for a password"),
        403 => Verdict::new(GrantStatus::Denied, "the server does not show it to strangers"),
        404 | 410 => Verdict::new(GrantStatus::Denied, "nothing is there for strangers"),
        _ => Verdict::new(GrantStatus::Unknown, &format!("the answer {status} decides nothing")),
    }
}
