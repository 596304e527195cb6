//! May the user read the folder? There is no credential to ask about.

use super::refusal::words;
use super::tree::{Tree, names};
use crate::store::{Probe, StorageError};
use lidless_core::{GrantStatus, Observed, Timestamp};
use rustix::io::Errno;

/// Opens the folder and looks at its first name.
///
/// # Errors
/// When it is not there, or cannot be reached for another reason than that it is refused.
pub(crate) fn probe(tree: &Tree) -> Result<Probe, StorageError> {
    let what = format!("list {}", tree.place(""));
    let looked = tree.folder("").and_then(|root| match names(&root)?.next() {
        Some(Err(error)) => Err(error),
        _ => Ok(()),
    });
    let (status, listed, meaning) = match looked {
        Ok(()) => (GrantStatus::Live, true, "the folder can be read".to_owned()),
        Err(error @ (Errno::ACCESS | Errno::PERM)) => (GrantStatus::Denied, false, words(error)),
        Err(error) => return Err(super::refusal::refused(&what, error)),
    };
    let observed = Observed {
        checked_at: Some(Timestamp::now()),
        can_list_containers: Some(true),
        can_list: Some(listed),
        meaning: Some(meaning),
        ..Observed::default()
    };
    Ok(Probe { status, observed })
}
