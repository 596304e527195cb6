//! From the cells of a row to an object, as a listing would have named it.

use crate::cells::{Cells, Column};
use crate::manifest::Origin;
use lidless_core::{BlobType, Encryption, Object, ObjectVersion, Timestamp};
use percent_encoding::percent_decode;

/// One object of an inventory and the container it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The container or bucket.
    pub container: String,
    /// The object.
    pub object: Object,
}

/// What a row is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// An object.
    Object(Box<Row>),
    /// Something that no listing of objects has: a folder, a mark that something was deleted.
    Other,
    /// Nothing that can be understood.
    Bad,
}

/// Understands one row. `encoded` says that keys are as in a URL, as CSV of S3 has them.
pub(crate) fn understand(origin: &Origin, cells: &Cells, encoded: bool) -> Meaning {
    let Some(name) = cells.get(Column::Key) else { return Meaning::Bad };
    if cells.is(Column::DeleteMarker) || cells.is(Column::IsFolder) {
        return Meaning::Other;
    }
    let (container, key) = match origin {
        // Names of blobs begin with their container.
        Origin::Azure { .. } => match name.split_once('/') {
            Some((container, key)) => (container.to_owned(), key.to_owned()),
            None => return Meaning::Bad,
        },
        Origin::S3 { .. } | Origin::Gcs { .. } => {
            let Some(bucket) = cells.get(Column::Bucket).or(origin.container()) else {
                return Meaning::Bad;
            };
            let key = if encoded { decoded(name) } else { Some(name.to_owned()) };
            match key {
                Some(key) => (bucket.to_owned(), key),
                None => return Meaning::Bad,
            }
        }
    };
    let size = cells.get(Column::Size).and_then(|text| text.trim().parse::<u64>().ok());
    let (Some(size), false) = (size, key.is_empty() || container.is_empty()) else {
        return Meaning::Bad;
    };
    let some = |column| cells.get(column).map(str::to_owned);
    let mut object = Object {
        key,
        size,
        etag: cells.get(Column::Etag).map(|etag| etag.trim_matches('"').to_owned()),
        modified: time(cells.get(Column::Modified)),
        created: time(cells.get(Column::Created)),
        tier: tier(origin, cells),
        blob_type: match cells.get(Column::BlobType) {
            Some("BlockBlob") => Some(BlobType::Block),
            Some("PageBlob") => Some(BlobType::Page),
            Some("AppendBlob") => Some(BlobType::Append),
            _ => None,
        },
        encryption: encryption(cells),
        content_md5: some(Column::ContentMd5),
        content_type: some(Column::ContentType),
        version: version(origin, cells),
        ..Object::default()
    };
    for (column, before) in [(Column::Metadata, ""), (Column::Tags, "tag ")] {
        for (name, value) in pairs(cells.get(column)) {
            object.metadata.insert(format!("{before}{name}"), value);
        }
    }
    // What an object was copied from may be a link with its token.
    if let Some(source) = some(Column::CopySource) {
        object.metadata.insert("copy source".into(), source);
    }
    Meaning::Object(Box::new(Row { container, object }))
}

/// Whose key it is encrypted with, in the words of the three services.
fn encryption(cells: &Cells) -> Option<Encryption> {
    if cells.get(Column::CustomerKey).is_some() {
        return Some(Encryption::CustomerKey);
    }
    if cells.get(Column::EncryptionScope).is_some() {
        return Some(Encryption::Scope);
    }
    if cells.get(Column::KeyName).is_some() {
        return Some(Encryption::Managed);
    }
    match cells.get(Column::Encryption)?.to_ascii_lowercase().as_str() {
        "sse-c" => Some(Encryption::CustomerKey),
        "sse-kms" | "dsse-kms" => Some(Encryption::Managed),
        "sse-s3" | "true" => Some(Encryption::Service),
        "not-sse" | "false" => Some(Encryption::None),
        _ => None,
    }
}

/// A key as S3 writes it into CSV: as forms do, with `+` for a space.
fn decoded(name: &str) -> Option<String> {
    let spaced: Vec<u8> = name.bytes().map(|byte| if byte == b'+' { b' ' } else { byte }).collect();
    String::from_utf8(percent_decode(&spaced).collect()).ok()
}

fn time(text: Option<&str>) -> Option<Timestamp> {
    let text = text?.trim();
    // BigQuery writes `2026-01-02 03:04:05 UTC`.
    text.parse().ok().or_else(|| {
        let plain = text.strip_suffix(" UTC")?.replacen(' ', "T", 1);
        format!("{plain}Z").parse().ok()
    })
}

/// The tier, in the words that listings of the same store have.
fn tier(origin: &Origin, cells: &Cells) -> Option<String> {
    let tier = cells.get(Column::Tier)?.to_ascii_lowercase();
    Some(match origin {
        Origin::Gcs { .. } => format!("gcs {tier}"),
        // Archived within Intelligent-Tiering: as far away as any archive.
        Origin::S3 { .. }
            if matches!(
                cells.get(Column::AccessTier),
                Some("ARCHIVE_ACCESS" | "DEEP_ARCHIVE_ACCESS")
            ) =>
        {
            "archive".to_owned()
        }
        _ => tier,
    })
}

/// Which state of its key it is; none for the current one.
fn version(origin: &Origin, cells: &Cells) -> Option<ObjectVersion> {
    let id = cells.get(Column::Version).map(str::to_owned);
    let snapshot = cells.get(Column::Snapshot).map(str::to_owned);
    let deleted_at = cells.get(Column::DeletedTime).map(str::to_owned);
    let deleted = match origin {
        Origin::Azure { .. } => cells.is(Column::Deleted),
        Origin::Gcs { .. } => deleted_at.is_some(),
        Origin::S3 { .. } => false,
    };
    if deleted {
        let id = id.or(snapshot).or(deleted_at).unwrap_or_default();
        return Some(match origin {
            // A generation that is not the current one is readable, and is named by its number.
            Origin::Gcs { .. } => ObjectVersion::Version(id),
            _ => ObjectVersion::Deleted(id),
        });
    }
    if let Some(snapshot) = snapshot {
        return Some(ObjectVersion::Snapshot(snapshot));
    }
    let current = match cells.get(Column::IsLatest) {
        Some(text) => text.eq_ignore_ascii_case("true"),
        // Azure leaves it empty for versions of before; without the column all are current.
        None => !matches!(origin, Origin::Azure { .. }) || id.is_none(),
    };
    id.filter(|_| !current).map(ObjectVersion::Version)
}

/// Names and values of a JSON object, as Azure writes metadata and tags.
fn pairs(text: Option<&str>) -> Vec<(String, String)> {
    let parsed = text.and_then(|text| {
        serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).ok()
    });
    let pairs = parsed.into_iter().flatten();
    pairs
        .map(|(name, value)| match value {
            serde_json::Value::String(value) => (name, value),
            other => (name, other.to_string()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(filled: &[(Column, &str)]) -> Cells {
        let mut cells = Cells::default();
        for (column, text) in filled {
            cells.cell(*column).unwrap().push_str(text);
        }
        cells
    }

    fn object(origin: &Origin, filled: &[(Column, &str)], encoded: bool) -> Row {
        match understand(origin, &cells(filled), encoded) {
            Meaning::Object(row) => *row,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_blob_is_named_by_its_container_and_key() {
        let origin = Origin::Azure { account: "contoso".into() };
        let row = object(
            &origin,
            &[
                (Column::Key, "backups/alice/disk.vhd"),
                (Column::Size, "38000000000000"),
                (Column::Modified, "2026-01-02T03:04:05Z"),
                (Column::Tier, "Archive"),
                (Column::BlobType, "PageBlob"),
                (Column::Metadata, r#"{"owner":"dana"}"#),
                (Column::Tags, r#"{"class":"secret"}"#),
            ],
            false,
        );
        assert_eq!(
            (row.container.as_str(), row.object.key.as_str()),
            ("backups", "alice/disk.vhd")
        );
        assert!(row.object.is_offline() && row.object.modified.is_some());
        assert_eq!(row.object.metadata["tag class"], "secret");
        assert_eq!(understand(&origin, &cells(&[(Column::Key, "c")]), false), Meaning::Bad);
        let folder = cells(&[(Column::Key, "c/d"), (Column::IsFolder, "true")]);
        assert_eq!(understand(&origin, &folder, false), Meaning::Other);
    }

    #[test]
    fn keys_in_csv_of_s3_are_as_in_a_url_and_those_of_parquet_are_not() {
        let origin = Origin::S3 { bucket: "b".into() };
        let name = [(Column::Key, "a+b%2Bc/%C3%A4.txt"), (Column::Size, "1")];
        assert_eq!(object(&origin, &name, true).object.key, "a b+c/ä.txt");
        assert_eq!(object(&origin, &name, false).object.key, "a+b%2Bc/%C3%A4.txt");
        let marker = cells(&[(Column::Key, "k"), (Column::DeleteMarker, "true")]);
        assert_eq!(understand(&origin, &marker, true), Meaning::Other);
    }

    #[test]
    fn whose_key_it_is_encrypted_with_is_read_in_the_words_of_each_service() {
        let s3 = Origin::S3 { bucket: "b".into() };
        let azure = Origin::Azure { account: "contoso".into() };
        let of = |origin: &Origin, column, text: &'static str| {
            let key = (Column::Key, "c/k");
            object(origin, &[key, (Column::Size, "1"), (column, text)], false).object
        };
        let word = |text| of(&s3, Column::Encryption, text).encryption;
        assert_eq!(word("SSE-C"), Some(Encryption::CustomerKey));
        assert_eq!(word("SSE-KMS"), Some(Encryption::Managed));
        assert_eq!(word("SSE-S3"), Some(Encryption::Service));
        assert_eq!(word("NOT-SSE"), Some(Encryption::None));
        assert_eq!(word("something new"), None);
        let locked = of(&azure, Column::CustomerKey, "q==");
        assert_eq!(locked.unreadable(), Some("encrypted with a key that only its owner has"));
        let scope = of(&azure, Column::EncryptionScope, "lab");
        assert_eq!((scope.encryption, scope.unreadable()), (Some(Encryption::Scope), None));
    }

    #[test]
    fn states_beside_the_current_one_are_objects_of_their_own() {
        let s3 = Origin::S3 { bucket: "b".into() };
        let base = [(Column::Key, "k"), (Column::Size, "1"), (Column::Version, "v1")];
        let with = |more: &[(Column, &'static str)]| [&base[..], more].concat();
        let of = |row: Row| row.object.version;
        assert_eq!(of(object(&s3, &with(&[(Column::IsLatest, "true")]), true)), None);
        let before = Some(ObjectVersion::Version("v1".into()));
        assert_eq!(of(object(&s3, &with(&[(Column::IsLatest, "false")]), true)), before);
        let azure = Origin::Azure { account: "contoso".into() };
        let name = [(Column::Key, "c/k"), (Column::Size, "1"), (Column::Deleted, "true")];
        let deleted = [&name[..], &[(Column::DeletedTime, "t")]].concat();
        let deleted = of(object(&azure, &deleted, false));
        assert_eq!(deleted, Some(ObjectVersion::Deleted("t".into())));
    }
}
