//! Who else may do what with a bucket: its policy and its settings, where the caller may see them.
//!
//! Source: "Buckets: getIamPolicy" and the bucket resource of the JSON interface, and "IAM roles
//! for Cloud Storage". Both are GETs. All of it is hostile: the client bounds its size, and every
//! field may be missing or be of another kind.

use super::list::{document, items, text};
use crate::interview::{declared, unknown};
use lidless_core::{Party, Right};
use serde_json::Value;

/// What is told of others, in the words of [`super::probe`], with the letters of [`ROLES`].
const OF_OTHERS: [(char, &str); 5] = [
    ('l', "list objects of"),
    ('r', "read objects of"),
    ('c', "create objects in"),
    ('d', "overwrite and delete objects of"),
    ('p', "change who may do what with"),
];

/// What each role of Cloud Storage lets its members do: list, read, create, delete, change the
/// policy.
const ROLES: [(&str, &str); 12] = [
    ("roles/storage.objectViewer", "lr"),
    ("roles/storage.objectCreator", "c"),
    ("roles/storage.objectUser", "lrcd"),
    ("roles/storage.objectAdmin", "lrcd"),
    ("roles/storage.admin", "lrcdp"),
    ("roles/storage.legacyObjectReader", "r"),
    ("roles/storage.legacyObjectOwner", "r"),
    ("roles/storage.legacyBucketReader", "l"),
    ("roles/storage.legacyBucketWriter", "lcd"),
    ("roles/storage.legacyBucketOwner", "lcdp"),
    ("roles/storage.bucketViewer", ""),
    ("roles/storage.insightsCollectorService", ""),
];

/// Parties that a policy names by one word.
const PARTIES: [(Party, &str); 2] =
    [(Party::Strangers, "allUsers"), (Party::Members, "allAuthenticatedUsers")];

/// What the settings of a bucket say of access, as far as they were told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Public access prevention is enforced: nothing that a policy gives to everyone counts.
    prevented: Option<bool>,
    /// Uniform bucket-level access: no object has a list of its own.
    uniform: Option<bool>,
}

impl Settings {
    /// Reads the resource of a bucket.
    ///
    /// # Errors
    /// What is wrong with the document, in words.
    pub(crate) fn read(body: &[u8]) -> Result<Self, String> {
        let value = document(body, "storage#bucket")?;
        let configuration = value.get("iamConfiguration").unwrap_or(&Value::Null);
        let prevention = text(configuration, "publicAccessPrevention");
        // What is inherited may be enforced by the organisation, which is not seen here.
        let prevented = prevention.filter(|word| *word == "enforced").map(|_| true);
        let uniform = configuration.pointer("/uniformBucketLevelAccess/enabled");
        Ok(Self { prevented, uniform: uniform.and_then(Value::as_bool) })
    }
}

/// What a policy gives to one party.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Given {
    /// Letters of [`OF_OTHERS`] with the role that gives each.
    may: Vec<(char, String)>,
    /// A role that is not known here, or one that is bound to a condition.
    open: Option<String>,
}

/// Reads a policy: what it gives to each of [`PARTIES`].
///
/// # Errors
/// What is wrong with the document, in words.
fn given(body: &[u8]) -> Result<[Given; 2], String> {
    let value = document(body, "storage#policy")?;
    let mut found = [Given::default(), Given::default()];
    for binding in items(&value, "bindings") {
        let Some(role) = text(binding, "role").filter(|role| is_plain(role)) else { continue };
        let condition = binding.get("condition").is_some_and(|one| !one.is_null());
        for ((_, word), given) in PARTIES.iter().zip(&mut found) {
            if !items(binding, "members").iter().any(|member| member.as_str() == Some(word)) {
                continue;
            }
            match ROLES.iter().find(|(known, _)| *known == role) {
                Some((_, letters)) if !condition => {
                    given.may.extend(letters.chars().map(|letter| (letter, role.to_owned())));
                }
                Some(_) => {
                    given.open = Some(format!("{role}, under a condition that is not judged here"));
                }
                None => given.open = Some(format!("{role}, which is not known here")),
            }
        }
    }
    Ok(found)
}

fn is_plain(role: &str) -> bool {
    role.len() <= 200 && role.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b))
}

/// What strangers and everyone with an account may do with a bucket, by its policy.
pub(crate) fn rights(
    place: &str,
    policy: &Result<Vec<u8>, String>,
    settings: Settings,
) -> Vec<Right> {
    let given = policy.as_ref().map_err(Clone::clone).and_then(|body| given(body));
    let mut rights = Vec::new();
    for (index, (party, word)) in PARTIES.into_iter().enumerate() {
        for (letter, words) in OF_OTHERS {
            let what = format!("{words} {place}");
            if settings.prevented == Some(true) {
                let why = "publicAccessPrevention of the bucket is enforced";
                rights.push(declared(party, what, false, why.into()));
                continue;
            }
            let given = match &given {
                Ok(given) => given.get(index).cloned().unwrap_or_default(),
                Err(why) => {
                    rights.push(unknown(party, what, why.clone()));
                    continue;
                }
            };
            // Strangers are among everyone with an account, not the other way round.
            let role = given.may.iter().find(|(may, _)| *may == letter).map(|(_, role)| role);
            rights.push(match (role, given.open) {
                (Some(role), _) => {
                    declared(party, what, true, format!("the policy gives {word} {role}"))
                }
                (None, Some(open)) => {
                    unknown(party, what, format!("the policy gives {word} {open}"))
                }
                (None, None) if letter == 'r' && settings.uniform != Some(true) => {
                    let why = "not by the policy; single objects may have lists of their own \
                               (uniform bucket-level access is off, or was not told)";
                    unknown(party, what, why.into())
                }
                (None, None) => {
                    declared(party, what, false, format!("the policy names no such role of {word}"))
                }
            });
        }
    }
    rights
}

/// What a policy of a bucket, as the service sends it, gives to strangers and to everyone with an
/// account: five rights of each.
#[must_use]
pub fn rights_of_gcs_policy(body: &[u8]) -> Vec<Right> {
    let settings = Settings::read(body).unwrap_or_default();
    rights("gs://bucket", &Ok(body.to_vec()), settings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_core::Basis;

    const POLICY: &str = r#"{"kind":"storage#policy","version":3,"bindings":[
        {"role":"roles/storage.legacyBucketReader","members":["allUsers"]},
        {"role":"roles/storage.objectAdmin","members":["allAuthenticatedUsers","user:a@example.com"]},
        {"role":"projects/p/roles/own","members":["allUsers"]}]}"#;
    const BUCKET: &str = r#"{"kind":"storage#bucket","iamConfiguration":{
        "publicAccessPrevention":"inherited","uniformBucketLevelAccess":{"enabled":true}}}"#;

    fn of(rights: &[Right], party: Party, words: &str) -> (Option<bool>, Basis) {
        let found = rights.iter().find(|right| right.party == party && right.what.contains(words));
        found.map(|right| (right.allowed, right.basis)).unwrap()
    }

    #[test]
    fn a_policy_says_what_strangers_and_members_may() {
        let settings = Settings::read(BUCKET.as_bytes()).unwrap();
        let policy = Ok(POLICY.as_bytes().to_vec());
        let told = rights("gs://b", &policy, settings);
        assert_eq!(of(&told, Party::Strangers, "list"), (Some(true), Basis::Declared));
        // A role of the project's own may give anything.
        assert_eq!(of(&told, Party::Strangers, "delete"), (None, Basis::Unknown));
        assert_eq!(of(&told, Party::Members, "delete"), (Some(true), Basis::Declared));
        assert_eq!(of(&told, Party::Members, "who may do"), (Some(false), Basis::Declared));
        let conditional =
            POLICY.replace("\"members\"", "\"condition\":{\"title\":\"t\"},\"members\"");
        let told = rights("gs://b", &Ok(conditional.into_bytes()), settings);
        assert_eq!(of(&told, Party::Members, "delete"), (None, Basis::Unknown));
    }

    #[test]
    fn prevention_ends_what_a_policy_gives_and_lists_of_objects_leave_reading_open() {
        let enforced = BUCKET.replace("inherited", "enforced");
        let settings = Settings::read(enforced.as_bytes()).unwrap();
        let policy = Ok(POLICY.as_bytes().to_vec());
        let told = rights("gs://b", &policy, settings);
        assert!(told.iter().all(|right| right.allowed == Some(false)));
        let empty = Ok(br#"{"kind":"storage#policy"}"#.to_vec());
        let told = rights("gs://b", &empty, Settings::default());
        assert_eq!(of(&told, Party::Strangers, "read"), (None, Basis::Unknown));
        assert_eq!(of(&told, Party::Strangers, "list"), (Some(false), Basis::Declared));
        let uniform = Settings { uniform: Some(true), ..Settings::default() };
        let told = rights("gs://b", &empty, uniform);
        assert_eq!(of(&told, Party::Strangers, "read"), (Some(false), Basis::Declared));
        let refused = Err("the service answers 403".to_owned());
        let told = rights("gs://b", &refused, Settings::default());
        assert!(told.iter().all(|right| right.basis == Basis::Unknown));
    }

    #[test]
    fn hostile_documents_are_errors_or_say_nothing() {
        for text in [POLICY, BUCKET] {
            lidless_kit::cut_and_flip(text.as_bytes(), |bytes| {
                let settings = Settings::read(bytes).unwrap_or_default();
                let told = rights("gs://b", &Ok(bytes.to_vec()), settings);
                assert_eq!(told.len(), 10);
            });
        }
    }
}
