//! Reading listings and objects in JSON. All of it is hostile: the client bounds its size, and
//! every field may be missing or be of another kind.
//!
//! Source: "Objects: list", "Buckets: list" and the object resource of the JSON interface.

use crate::encryption;
use crate::retry::iso_time;
use crate::store::{ListPage, StorageError, malformed};
use lidless_core::{Container, Object, ObjectVersion};
use serde_json::Value;
use std::collections::BTreeMap;

/// One page of objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) objects: Vec<Object>,
    pub(crate) prefixes: Vec<String>,
    pub(crate) next: Option<String>,
}

pub(super) fn document(body: &[u8], kind: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_slice(body).map_err(|_| "the answer breaks off")?;
    if value.get("kind").and_then(Value::as_str) != Some(kind) {
        return Err("not the document that was asked for".into());
    }
    Ok(value)
}

pub(super) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

pub(super) fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Reads a page of objects.
///
/// # Errors
/// What is wrong with the document, in words.
pub(crate) fn objects(body: &[u8]) -> Result<Page, String> {
    let value = document(body, "storage#objects")?;
    let mut page = Page::default();
    for item in items(&value, "items") {
        page.objects.push(object_of(item)?);
    }
    let prefixes = items(&value, "prefixes").iter().filter_map(Value::as_str);
    page.prefixes = prefixes.map(str::to_owned).collect();
    page.next = text(&value, "nextPageToken").map(str::to_owned);
    Ok(page)
}

/// Reads what the service says of one object.
///
/// # Errors
/// What is wrong with the document, in words.
pub(crate) fn object(body: &[u8]) -> Result<Object, String> {
    object_of(&document(body, "storage#object")?)
}

fn object_of(item: &Value) -> Result<Object, String> {
    let key = text(item, "name").ok_or("an object without a name")?.to_owned();
    let size = text(item, "size").and_then(|size| size.parse().ok());
    let generation = text(item, "generation")
        .filter(|generation| generation.bytes().all(|byte| byte.is_ascii_digit()))
        .map(str::to_owned);
    // A generation that was replaced or deleted and is kept.
    let is_there = |name: &str| text(item, name).is_some();
    let version = match &generation {
        // Deleted, and kept by the bucket's soft-delete policy: only restoring it shows it.
        Some(generation) if is_there("softDeleteTime") => {
            Some(ObjectVersion::Deleted(generation.clone()))
        }
        Some(generation) if is_there("timeDeleted") => {
            Some(ObjectVersion::Version(generation.clone()))
        }
        _ => None,
    };
    let mut metadata = BTreeMap::new();
    if let Some(fields) = item.get("metadata").and_then(Value::as_object) {
        let fields = fields.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
        metadata.extend(fields.map(|(name, value)| (name.clone(), value.to_owned())));
    }
    Ok(Object {
        key,
        size: size.ok_or("a size that is none")?,
        // Which bytes they are: a read asks for this generation, and gets no other.
        etag: generation,
        modified: text(item, "updated").and_then(iso_time),
        created: text(item, "timeCreated").and_then(iso_time),
        // Its archive class is read at once; only elsewhere the word means a wait of hours.
        tier: text(item, "storageClass").map(|class| format!("gcs {}", class.to_ascii_lowercase())),
        blob_type: None,
        encryption: encryption::gcs(item),
        content_md5: text(item, "md5Hash").map(str::to_owned),
        content_type: text(item, "contentType").map(str::to_owned),
        version,
        metadata,
    })
}

/// Reads a page of buckets, and where the next starts.
///
/// # Errors
/// What is wrong with the document, in words.
pub(crate) fn buckets(body: &[u8]) -> Result<(Vec<Container>, Option<String>), String> {
    let value = document(body, "storage#buckets")?;
    let mut found = Vec::new();
    for item in items(&value, "items") {
        let name = text(item, "name").ok_or("a bucket without a name")?.to_owned();
        let modified = text(item, "updated").and_then(iso_time);
        found.push(Container { name, public: None, modified });
    }
    Ok((found, text(&value, "nextPageToken").map(str::to_owned)))
}

/// Reads which of the permissions that were asked about the caller has.
///
/// # Errors
/// What is wrong with the document, in words.
pub(crate) fn permissions(body: &[u8]) -> Result<Vec<String>, String> {
    let value = document(body, "storage#testIamPermissionsResponse")?;
    let found = items(&value, "permissions").iter().filter_map(Value::as_str);
    Ok(found.map(str::to_owned).collect())
}

impl ListPage {
    /// Reads a listing of the JSON interface of Google Cloud Storage, as the service sends it.
    ///
    /// # Errors
    /// `Malformed` when it is no such answer, or not all of one.
    pub fn from_gcs_json(body: &[u8]) -> Result<Self, StorageError> {
        let page = objects(body).map_err(|why| malformed("read the listing", &why))?;
        Ok(Self { objects: page.objects, prefixes: page.prefixes, next: page.next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"{"kind":"storage#objects","nextPageToken":"t+1=","prefixes":["d/"],
        "items":[{"name":"a b","size":"38000000000000","generation":"17","etag":"CAE=",
        "updated":"2026-11-24T10:00:00.000Z","storageClass":"ARCHIVE","metadata":{"k":"v"}},
        {"name":"a b","size":"1","generation":"16","timeDeleted":"2026-11-24T10:00:00Z"}]}"#;
    const BUCKETS: &str = r#"{"kind":"storage#buckets","items":[{"name":"one"}]}"#;
    const MAY: &str = r#"{"kind":"storage#testIamPermissionsResponse",
        "permissions":["storage.objects.list"]}"#;

    #[test]
    fn a_page_is_read_and_kept_generations_are_versions() {
        let page = objects(PAGE.as_bytes()).unwrap();
        let now = &page.objects[0];
        assert_eq!((now.key.as_str(), now.size), ("a b", 38_000_000_000_000));
        assert_eq!((now.etag.as_deref(), &now.version), (Some("17"), &None));
        assert!(!now.is_offline() && now.modified.is_some());
        assert_eq!(page.objects[1].version, Some(ObjectVersion::Version("16".into())));
        assert_eq!((page.next.as_deref(), page.prefixes), (Some("t+1="), vec!["d/".to_owned()]));
        assert_eq!(buckets(BUCKETS.as_bytes()).unwrap().0[0].name, "one");
        assert_eq!(permissions(MAY.as_bytes()).unwrap(), ["storage.objects.list"]);
        let none = br#"{"kind":"storage#testIamPermissionsResponse"}"#;
        assert!(permissions(none).unwrap().is_empty());
    }

    #[test]
    fn hostile_documents_are_errors() {
        let unnamed = r#"{"kind":"storage#objects","items":[{"size":"1"}]}"#;
        for text in ["", "{}", "[]", "<html>", unnamed, "{\"kind\":1}"] {
            assert!(objects(text.as_bytes()).is_err(), "{text}");
            assert!(object(text.as_bytes()).is_err(), "{text}");
            assert!(buckets(text.as_bytes()).is_err(), "{text}");
            assert!(permissions(text.as_bytes()).is_err(), "{text}");
        }
        for text in [PAGE, BUCKETS, MAY] {
            lidless_kit::cut_and_flip(text.as_bytes(), |bytes| {
                let _ = (objects(bytes), buckets(bytes), permissions(bytes), object(bytes));
            });
        }
    }
}
