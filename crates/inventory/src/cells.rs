//! The cells of one row, by what they mean, and the columns that mean it.

use lidless_core::Timestamp;

/// What a column means. Names differ by provider and by format; the table below has them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Bucket,
    Key,
    Size,
    Modified,
    Created,
    Etag,
    Tier,
    AccessTier,
    BlobType,
    ContentMd5,
    ContentType,
    Version,
    IsLatest,
    DeleteMarker,
    Deleted,
    DeletedTime,
    Snapshot,
    IsFolder,
    Metadata,
    Tags,
    CopySource,
    Encryption,
    EncryptionScope,
    KeyName,
    CustomerKey,
}

/// Names in lower case, letters and digits only: `e_tag` and `ETag`, `Content-Length`,
/// `last_modified_date`.
const NAMES: [(&str, Column); 36] = [
    ("bucket", Column::Bucket),
    ("key", Column::Key),
    ("name", Column::Key),
    ("size", Column::Size),
    ("contentlength", Column::Size),
    ("lastmodifieddate", Column::Modified),
    ("lastmodified", Column::Modified),
    ("updated", Column::Modified),
    ("creationtime", Column::Created),
    ("timecreated", Column::Created),
    ("etag", Column::Etag),
    ("storageclass", Column::Tier),
    ("accesstier", Column::Tier),
    ("intelligenttieringaccesstier", Column::AccessTier),
    ("blobtype", Column::BlobType),
    ("contentmd5", Column::ContentMd5),
    ("md5hash", Column::ContentMd5),
    ("contenttype", Column::ContentType),
    ("versionid", Column::Version),
    ("generation", Column::Version),
    ("islatest", Column::IsLatest),
    ("iscurrentversion", Column::IsLatest),
    ("isdeletemarker", Column::DeleteMarker),
    ("deleted", Column::Deleted),
    ("deletedtime", Column::DeletedTime),
    ("timedeleted", Column::DeletedTime),
    ("snapshot", Column::Snapshot),
    ("hdiisfolder", Column::IsFolder),
    ("metadata", Column::Metadata),
    ("tags", Column::Tags),
    ("copysource", Column::CopySource),
    ("encryptionstatus", Column::Encryption),
    ("serverencrypted", Column::Encryption),
    ("customerprovidedkeysha256", Column::CustomerKey),
    ("encryptionscope", Column::EncryptionScope),
    ("kmskeyname", Column::KeyName),
];

impl Column {
    /// The column of a name; none when nothing is done with it.
    pub(crate) fn of(name: &str) -> Option<Self> {
        // Longer names mean nothing, and cost nothing.
        let plain: String = name
            .trim_start_matches('\u{feff}')
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(40)
            .map(|letter| letter.to_ascii_lowercase())
            .collect();
        NAMES.iter().find(|(known, _)| *known == plain).map(|(_, column)| *column)
    }
}

const COUNT: usize = Column::CustomerKey as usize + 1;

/// One row, filled again and again. A cell that is empty is not there.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    values: [String; COUNT],
}

impl Cells {
    /// Empties all cells and keeps their memory.
    pub(crate) fn clear(&mut self) {
        self.values.iter_mut().for_each(String::clear);
    }

    /// A cell to write into.
    pub(crate) fn cell(&mut self, column: Column) -> Option<&mut String> {
        self.values.get_mut(column as usize)
    }

    /// A cell that is not empty.
    pub(crate) fn get(&self, column: Column) -> Option<&str> {
        self.values.get(column as usize).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// Whether a cell says yes.
    pub(crate) fn is(&self, column: Column) -> bool {
        self.get(column).is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }
}

/// A time from its milliseconds since 1970.
pub(crate) fn millis(value: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(value).ok()
}

/// A time from its microseconds since 1970.
pub(crate) fn micros(value: i64) -> Option<Timestamp> {
    Timestamp::from_microsecond(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_known_by_the_names_of_every_provider_and_format() {
        for name in ["ETag", "Etag", "e_tag", "etag", "\u{feff}ETag"] {
            assert_eq!(Column::of(name), Some(Column::Etag), "{name}");
        }
        assert_eq!(Column::of("Content-Length"), Some(Column::Size));
        assert_eq!(Column::of("last_modified_date"), Some(Column::Modified));
        assert_eq!(Column::of("LeaseStatus"), None);
    }
}
