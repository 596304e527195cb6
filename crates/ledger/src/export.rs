//! Every object of a case, in order, a page at a time.

use crate::blob_word;
use crate::case::Case;
use crate::error::LedgerError;
use lidless_core::{Object, ObjectVersion, Timestamp};
use rusqlite::params;

/// An object as the case has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// What the listing or the inventory said.
    pub object: Object,
    /// `pending`, `inspected` or `skipped`.
    pub state: &'static str,
    /// Why it was skipped.
    pub reason: Option<String>,
    /// Bytes of its content that were read.
    pub bytes_read: u64,
}

/// Objects asked for at once.
const PAGE: u32 = 10_000;

impl Case {
    /// Hands every object to `sink` with its store and container, sorted by store, container and
    /// key. Memory does not grow with their number.
    ///
    /// # Errors
    /// `Database`, or what `sink` answered.
    pub fn each_object<E: From<LedgerError>>(
        &self,
        mut sink: impl FnMut(&str, &str, StoredObject) -> Result<(), E>,
    ) -> Result<(), E> {
        self.index_keys()?;
        for (id, store, name) in self.container_names()? {
            let mut after = None;
            loop {
                let page = self.page_of(id, after.as_deref())?;
                let Some((last, _)) = page.last() else { break };
                after = Some(last.clone());
                for (_, object) in page {
                    sink(&store, &name, object)?;
                }
            }
        }
        Ok(())
    }

    fn container_names(&self) -> Result<Vec<(i64, String, String)>, LedgerError> {
        let connection = self.lock();
        let mut statement =
            connection.prepare("SELECT id, store, name FROM containers ORDER BY store, name")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Objects after a key as the case keeps it, with their keys as it keeps them.
    fn page_of(
        &self,
        container: i64,
        after: Option<&str>,
    ) -> Result<Vec<(String, StoredObject)>, LedgerError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT key, size, etag, modified, tier, blob_type, state, reason, bytes_read
             FROM objects WHERE container_id = ?1 AND (?2 IS NULL OR key > ?2)
             ORDER BY key LIMIT ?3",
        )?;
        let number = |value: i64| u64::try_from(value).unwrap_or(0);
        let rows = statement.query_map(params![container, after, PAGE], |row| {
            let stored: String = row.get(0)?;
            let (key, version) = ObjectVersion::split(&stored);
            let word: Option<String> = row.get(5)?;
            let (blob_type, encryption) = blob_word::read(word.as_deref());
            let modified: Option<i64> = row.get(3)?;
            let object = Object {
                key: key.to_owned(),
                version,
                size: number(row.get(1)?),
                etag: row.get(2)?,
                modified: modified.and_then(|seconds| Timestamp::from_second(seconds).ok()),
                tier: row.get(4)?,
                blob_type,
                encryption,
                ..Object::default()
            };
            let state = match row.get::<_, i64>(6)? {
                0 => "pending",
                1 => "inspected",
                _ => "skipped",
            };
            let (reason, bytes_read) = (row.get(7)?, number(row.get(8)?));
            Ok((stored, StoredObject { object, state, reason, bytes_read }))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_core::Container;

    #[test]
    fn objects_come_sorted_once_each_across_pages_and_containers() {
        let case = Case::temporary().unwrap();
        let mut expected = Vec::new();
        for name in ["b", "a"] {
            let container = Container { name: name.into(), public: None, modified: None };
            let id = case.put_container("az://contoso", &container).unwrap();
            let mut objects: Vec<(Object, i64)> = (0..PAGE + 5)
                .map(|number| {
                    let key = format!("{:05}", (number * 7919) % (PAGE + 5));
                    (Object { key, size: 3, ..Object::default() }, 0)
                })
                .collect();
            let version = Some(ObjectVersion::Snapshot("t".into()));
            objects.push((Object { key: "00003".into(), version, ..Object::default() }, 0));
            case.put_objects(id, &objects).unwrap();
            expected.extend(objects.into_iter().map(|(object, _)| {
                (name.to_owned(), object.key, object.version.map(|version| version.query()))
            }));
        }
        expected.sort();
        let mut found = Vec::new();
        case.each_object(|store, container, stored| {
            assert_eq!((store, stored.state), ("az://contoso", "pending"));
            let version = stored.object.version.map(|version| version.query());
            found.push((container.to_owned(), stored.object.key, version));
            Ok::<(), LedgerError>(())
        })
        .unwrap();
        assert_eq!(found, expected);
    }
}
