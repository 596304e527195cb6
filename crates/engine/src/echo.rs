//! Why a signature was rejected: the text that the service signed beside the one the token says.

use lidless_core::GrantStatus;
use lidless_storage::{Probe, Store};
use lidless_token::{Credential, disagreements};

/// Characters of a field that are shown.
const SHOWN: usize = 60;
/// Fields that are named.
const FIELDS: usize = 4;

/// Adds to what a probe learned which field the service read differently, or that it read none
/// differently.
pub(crate) fn explain(store: &dyn Store, credential: &Credential, probe: &mut Probe) {
    let (GrantStatus::Revoked, Some(text), Credential::AzureSas(sas)) =
        (probe.status, store.signed_text(), credential)
    else {
        return;
    };
    let Some(account) = sas.account() else { return };
    let access = credential.access();
    let place = access.map(|access| {
        [access.container, access.key].into_iter().flatten().collect::<Vec<_>>().join("/")
    });
    let why = match disagreements(sas, account, &place.unwrap_or_default(), &text) {
        Some(fields) if fields.is_empty() => {
            "it signed the same text as the token says: the key was renewed, or the token was \
             changed after it was signed"
                .to_owned()
        }
        Some(fields) => {
            let named = fields.iter().take(FIELDS).map(|one| {
                format!(
                    "{} is {} there and {} here",
                    one.field,
                    said(&one.service),
                    said(&one.here)
                )
            });
            let named: Vec<String> = named.collect();
            format!("it signed another text than the token says: {}", named.join("; "))
        }
        None => "it signed another kind of text than the token says".to_owned(),
    };
    let meaning = probe.observed.meaning.get_or_insert_default();
    meaning.push_str(&format!(" ({why})"));
}

/// A field as it may be shown.
fn said(text: &str) -> String {
    if text.is_empty() {
        return "empty".to_owned();
    }
    let clean = text.chars().map(|one| if one.is_control() { '\u{fffd}' } else { one });
    let mut shown: String = clean.take(SHOWN).collect();
    if text.chars().count() > SHOWN {
        shown.push('…');
    }
    format!("\"{shown}\"")
}
