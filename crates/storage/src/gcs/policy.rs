//! Who else may do what with a bucket: its policy and its settings, where the caller may see them.
//!
//! Source: "Buckets: getIamPolicy" and the bucket resource of the JSON interface, and "IAM roles
//! for Cloud Storage". Both are GETs. All of it is hostile: the client bounds its size, and every
//! field may be missing or be of another kind.

use super::list::{document, items, text};
use crate::interview::told;
use lidless_core::{Operation, Party, Right};
use serde_json::Value;

/// What is told of others, with the letters of [`ROLES`].
const OF_OTHERS: [(char, Operation); 6] = [
    ('l', Operation::ListObjects),
    ('r', Operation::ReadContent),
    ('c', Operation::CreateObjects),
    // Every role that deletes creates as well, and so writes over what is there.
    ('d', Operation::OverwriteObjects),
    ('d', Operation::DeleteObjects),
    ('p', Operation::ChangeContainerAccess),
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
#[derive(Debug, Default, PartialEq, Eq)]
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
    place: &Option<String>,
    policy: &Result<Vec<u8>, String>,
    settings: Settings,
) -> Vec<Right> {
    let given = policy.as_ref().map_err(Clone::clone).and_then(|body| given(body));
    let mut rights = Vec::new();
    for (index, (party, word)) in PARTIES.into_iter().enumerate() {
        for (letter, operation) in OF_OTHERS {
            let (may, why) = match &given {
                _ if settings.prevented == Some(true) => {
                    (Some(false), "publicAccessPrevention of the bucket is enforced".to_owned())
                }
                Err(why) => (None, why.clone()),
                Ok(all) => {
                    // What everyone has, everyone with an account has as well; not the other way
                    // round.
                    let names = all.iter().zip(PARTIES).take(index.saturating_add(1)).rev();
                    let role = names.clone().find_map(|(given, (_, word))| {
                        let (_, role) = given.may.iter().find(|(may, _)| *may == letter)?;
                        Some((word, role))
                    });
                    let mut open = names.filter_map(|(given, (_, word))| {
                        given.open.as_ref().map(|open| (word, open))
                    });
                    match (role, open.next()) {
                        (Some((word, role)), _) => {
                            (Some(true), format!("the policy gives {word} {role}"))
                        }
                        (None, Some((word, open))) => {
                            (None, format!("the policy gives {word} {open}"))
                        }
                        (None, None) if letter == 'r' && settings.uniform != Some(true) => {
                            let why = "not by the policy; single objects may have lists of their \
                                       own (uniform bucket-level access is off, or was not told)";
                            (None, why.to_owned())
                        }
                        (None, None) => {
                            (Some(false), format!("the policy names no such role of {word}"))
                        }
                    }
                }
            };
            rights.push(told(party, operation, place.clone(), may, &why));
        }
    }
    rights
}

/// What a policy of a bucket, as the service sends it, gives to strangers and to everyone with an
/// account: six rights of each.
#[must_use]
pub fn rights_of_gcs_policy(body: &[u8]) -> Vec<Right> {
    let settings = Settings::read(body).unwrap_or_default();
    rights(&None, &Ok(body.to_vec()), settings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_core::Operation::{
        ChangeContainerAccess, DeleteObjects, ListObjects, OverwriteObjects, ReadContent,
    };
    use lidless_core::Standing;

    const POLICY: &str = r#"{"kind":"storage#policy","version":3,"bindings":[
        {"role":"roles/storage.legacyBucketReader","members":["allUsers"]},
        {"role":"roles/storage.objectAdmin","members":["allAuthenticatedUsers","user:a@example.com"]},
        {"role":"projects/p/roles/own","members":["allUsers"]}]}"#;
    const BUCKET: &str = r#"{"kind":"storage#bucket","iamConfiguration":{
        "publicAccessPrevention":"inherited","uniformBucketLevelAccess":{"enabled":true}}}"#;

    fn of(rights: &[Right], party: Party, operation: Operation) -> Option<bool> {
        let is_it = |right: &&Right| right.party == party && right.operation == operation;
        let found = rights.iter().find(is_it).unwrap();
        assert_eq!((found.observed, found.place.as_deref()), (None, Some("gs://b")));
        found.declared
    }

    fn told(policy: &Result<Vec<u8>, String>, settings: Settings) -> Vec<Right> {
        rights(&Some("gs://b".to_owned()), policy, settings)
    }

    #[test]
    fn a_policy_says_what_strangers_and_members_may() {
        let settings = Settings::read(BUCKET.as_bytes()).unwrap();
        let policy = Ok(POLICY.as_bytes().to_vec());
        let seen = told(&policy, settings);
        assert_eq!(of(&seen, Party::Strangers, ListObjects), Some(true));
        // A role of the project's own may give anything.
        assert_eq!(of(&seen, Party::Strangers, DeleteObjects), None);
        assert_eq!(of(&seen, Party::Members, DeleteObjects), Some(true));
        assert_eq!(of(&seen, Party::Members, OverwriteObjects), Some(true));
        // What strangers have, everyone with an account has; what theirs may be is open here too.
        assert_eq!(of(&seen, Party::Members, ListObjects), Some(true));
        assert_eq!(of(&seen, Party::Members, ChangeContainerAccess), None);
        let plain = Ok(POLICY.replace("projects/p/roles/own", "roles/storage.objectViewer").into());
        let seen = told(&plain, settings);
        assert_eq!(of(&seen, Party::Strangers, DeleteObjects), Some(false));
        assert_eq!(of(&seen, Party::Members, ReadContent), Some(true));
        assert_eq!(of(&seen, Party::Members, ChangeContainerAccess), Some(false));
        let conditional =
            POLICY.replace("\"members\"", "\"condition\":{\"title\":\"t\"},\"members\"");
        let seen = told(&Ok(conditional.into_bytes()), settings);
        assert_eq!(of(&seen, Party::Members, DeleteObjects), None);
    }

    #[test]
    fn prevention_ends_what_a_policy_gives_and_lists_of_objects_leave_reading_open() {
        let enforced = BUCKET.replace("inherited", "enforced");
        let settings = Settings::read(enforced.as_bytes()).unwrap();
        let policy = Ok(POLICY.as_bytes().to_vec());
        let seen = told(&policy, settings);
        assert!(seen.iter().all(|right| right.declared == Some(false)));
        let empty = Ok(br#"{"kind":"storage#policy"}"#.to_vec());
        let seen = told(&empty, Settings::default());
        assert_eq!(of(&seen, Party::Strangers, ReadContent), None);
        assert_eq!(of(&seen, Party::Strangers, ListObjects), Some(false));
        let uniform = Settings { uniform: Some(true), ..Settings::default() };
        let seen = told(&empty, uniform);
        assert_eq!(of(&seen, Party::Strangers, ReadContent), Some(false));
        let refused = Err("the service answers 403".to_owned());
        let seen = told(&refused, Settings::default());
        assert!(seen.iter().all(|right| right.standing() == Standing::Unknown));
    }

    #[test]
    fn hostile_documents_are_errors_or_say_nothing() {
        for text in [POLICY, BUCKET] {
            lidless_kit::cut_and_flip(text.as_bytes(), |bytes| {
                let settings = Settings::read(bytes).unwrap_or_default();
                let seen = told(&Ok(bytes.to_vec()), settings);
                assert_eq!(seen.len(), 12);
            });
        }
    }
}
