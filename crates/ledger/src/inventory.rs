//! Containers, objects and what was seen of them.

use crate::case::Case;
use crate::error::LedgerError;
use crate::record::{put_findings, put_gaps, put_marks};
use crate::suppressed::put_suppressed;
use lidless_core::{
    BlobType, Container, Finding, Gap, Mark, Object, ObjectVersion, PublicAccess, Suppressions,
    Timestamp,
};
use rusqlite::{Connection, Row, params};

/// A container of the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerId(pub(crate) i64);

/// An object of the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(pub(crate) i64);

impl ObjectId {
    /// Behind every other one, for asking what comes after a priority.
    pub const LAST: Self = Self(i64::MAX);
}

/// A container with its totals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerRow {
    /// Its id.
    pub id: ContainerId,
    /// `az://ACCOUNT`.
    pub store: String,
    /// Its name.
    pub name: String,
    /// What strangers may do with it.
    pub public: Option<PublicAccess>,
    /// Objects listed.
    pub objects: u64,
    /// Their sizes added up.
    pub bytes: u64,
    /// Objects looked into.
    pub inspected: u64,
    /// Their sizes added up.
    pub bytes_inspected: u64,
    /// Bytes of content read.
    pub bytes_read: u64,
    /// Requests for content.
    pub requests: u64,
    /// Entries opened.
    pub entries: u64,
}

/// What one grant reaches of one container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// The container.
    pub container: ContainerId,
    /// Keys below it, or the key itself.
    pub prefix: String,
    /// True when `prefix` is one key.
    pub exact: bool,
}

/// Objects that were not looked into, for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedRow {
    /// The container.
    pub container: ContainerId,
    /// Why.
    pub reason: String,
    /// How many.
    pub objects: u64,
    /// Their sizes added up.
    pub bytes: u64,
}

/// An object waiting to be looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingObject {
    /// Its id.
    pub id: ObjectId,
    /// Its container.
    pub container: ContainerId,
    /// What the listing said.
    pub object: Object,
    /// Its place in the order.
    pub priority: i64,
}

/// What looking into one object gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inspection {
    /// Why it was not looked into, when it was not.
    pub skipped: Option<String>,
    /// Entries opened, the object itself included.
    pub entries: u64,
    /// Bytes of content read.
    pub bytes_read: u64,
    /// Requests for content.
    pub requests: u64,
    /// What was found.
    pub findings: Vec<Finding>,
    /// Evidence that adds up.
    pub marks: Vec<Mark>,
    /// What could not be seen inside.
    pub gaps: Vec<Gap>,
    /// What looked like a secret and is none.
    pub suppressed: Suppressions,
}

const NOT_NEGATIVE: i64 = 0;

fn count(row: &Row<'_>, index: usize) -> Result<u64, rusqlite::Error> {
    let value: Option<i64> = row.get(index)?;
    Ok(u64::try_from(value.unwrap_or(NOT_NEGATIVE)).unwrap_or(0))
}

fn stored(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl Case {
    /// Keeps a container and gives its id.
    ///
    /// # Errors
    /// `Database`.
    pub fn put_container(
        &self,
        store: &str,
        container: &Container,
    ) -> Result<ContainerId, LedgerError> {
        let connection = self.lock();
        connection.execute(
            "INSERT INTO containers (store, name, public) VALUES (?1, ?2, ?3)
             ON CONFLICT (store, name) DO UPDATE SET public = coalesce(excluded.public, public)",
            params![store, container.name, container.public.map(PublicAccess::as_str)],
        )?;
        let id = connection.query_row(
            "SELECT id FROM containers WHERE store = ?1 AND name = ?2",
            params![store, container.name],
            |row| row.get(0),
        )?;
        Ok(ContainerId(id))
    }

    /// Keeps that a grant reaches a part of a container.
    ///
    /// # Errors
    /// `Database`.
    pub fn put_reach(&self, grant: &str, reach: &Reach) -> Result<(), LedgerError> {
        self.lock().execute(
            "INSERT OR REPLACE INTO reach VALUES (?1, ?2, ?3, ?4)",
            params![grant, reach.container.0, reach.prefix, reach.exact],
        )?;
        Ok(())
    }

    /// What a grant reaches.
    ///
    /// # Errors
    /// `Database`.
    pub fn reach(&self, grant: &str) -> Result<Vec<Reach>, LedgerError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT container_id, prefix, exact FROM reach WHERE grant_id = ?1
             ORDER BY container_id, prefix",
        )?;
        let rows = statement.query_map([grant], |row| {
            Ok(Reach {
                container: ContainerId(row.get(0)?),
                prefix: row.get(1)?,
                exact: row.get(2)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Grants that reach a container at all, sorted.
    ///
    /// # Errors
    /// `Database`.
    pub fn grants_reaching(&self, container: ContainerId) -> Result<Vec<String>, LedgerError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT DISTINCT grant_id FROM reach WHERE container_id = ?1 ORDER BY grant_id",
        )?;
        let rows = statement.query_map([container.0], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Keeps single objects that no listing names.
    ///
    /// # Errors
    /// `Database`.
    pub fn put_objects(
        &self,
        container: ContainerId,
        objects: &[(Object, i64)],
    ) -> Result<(), LedgerError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        put_objects(&transaction, container, objects)?;
        transaction.commit()?;
        Ok(())
    }

    /// The id of an object that was listed.
    ///
    /// # Errors
    /// `Database`.
    pub fn object_id(
        &self,
        container: ContainerId,
        object: &Object,
    ) -> Result<Option<ObjectId>, LedgerError> {
        let connection = self.lock();
        let mut statement = connection
            .prepare_cached("SELECT id FROM objects WHERE container_id = ?1 AND key = ?2")?;
        let key = ObjectVersion::joined(&object.key, object.version.as_ref());
        let mut rows = statement.query(params![container.0, key])?;
        Ok(rows.next()?.map(|row| row.get(0)).transpose()?.map(ObjectId))
    }

    /// Keeps marks that names alone gave.
    ///
    /// # Errors
    /// `Database` or `Record`.
    pub fn put_name_marks(
        &self,
        container: ContainerId,
        marks: &[Mark],
    ) -> Result<(), LedgerError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        {
            let mut exists = transaction
                .prepare_cached("SELECT 1 FROM marks WHERE container_id = ?1 AND record = ?2")?;
            for mark in marks {
                // NULL object ids are distinct to UNIQUE, so look before inserting.
                if !exists.exists(params![container.0, serde_json::to_string(mark)?])? {
                    put_marks(&transaction, std::slice::from_ref(mark), None, Some(container.0))?;
                }
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// The next objects to look into after a place in the order, at most `limit`.
    ///
    /// # Errors
    /// `Database`.
    pub fn pending_objects(
        &self,
        after: Option<(i64, ObjectId)>,
        limit: u32,
    ) -> Result<Vec<PendingObject>, LedgerError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT id, container_id, key, size, etag, modified, tier, blob_type, priority
             FROM objects WHERE state = 0 AND (priority, id) > (?1, ?2)
             ORDER BY priority, id LIMIT ?3",
        )?;
        let (priority, id) = after.map_or((i64::MIN, i64::MIN), |(p, id)| (p, id.0));
        let rows = statement.query_map(params![priority, id, limit], |row| {
            let stored: String = row.get(2)?;
            let (key, version) = ObjectVersion::split(&stored);
            Ok(PendingObject {
                id: ObjectId(row.get(0)?),
                container: ContainerId(row.get(1)?),
                object: Object {
                    key: key.to_owned(),
                    version,
                    size: count(row, 3)?,
                    etag: row.get(4)?,
                    modified: row
                        .get::<_, Option<String>>(5)?
                        .and_then(|text| text.parse::<Timestamp>().ok()),
                    created: None,
                    tier: row.get(6)?,
                    blob_type: match row.get::<_, Option<String>>(7)?.as_deref() {
                        Some("page") => Some(BlobType::Page),
                        Some("append") => Some(BlobType::Append),
                        Some("block") => Some(BlobType::Block),
                        _ => None,
                    },
                    content_md5: None,
                    content_type: None,
                    ..Object::default()
                },
                priority: row.get(8)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Keeps what looking into an object gave, and that it is done, all or nothing.
    ///
    /// # Errors
    /// `Database` or `Record`.
    pub fn put_inspection(
        &self,
        object: &PendingObject,
        inspection: &Inspection,
    ) -> Result<(), LedgerError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        // What was missing the last time may be there now.
        transaction
            .prepare_cached("DELETE FROM gaps WHERE object_id = ?1")?
            .execute([object.id.0])?;
        put_findings(&transaction, &inspection.findings, Some(object.id))?;
        put_marks(&transaction, &inspection.marks, Some(object.id), Some(object.container.0))?;
        put_gaps(&transaction, &inspection.gaps, Some(object.id))?;
        let suppressed = &inspection.suppressed;
        put_suppressed(
            &transaction,
            "",
            Some(object.id),
            suppressed.listed(),
            &suppressed.counts(),
        )?;
        transaction
            .prepare_cached(
                "UPDATE objects SET state = ?2, reason = ?3, entries = ?4, bytes_read = ?5,
                 requests = ?6 WHERE id = ?1",
            )?
            .execute(params![
                object.id.0,
                if inspection.skipped.is_some() { 2 } else { 1 },
                inspection.skipped,
                stored(inspection.entries),
                stored(inspection.bytes_read),
                stored(inspection.requests)
            ])?;
        transaction.commit()?;
        Ok(())
    }

    /// Marks every pending object as skipped for a reason, and says how many there were.
    ///
    /// # Errors
    /// `Database`.
    pub fn skip_pending(&self, reason: &str) -> Result<usize, LedgerError> {
        let skipped = self
            .lock()
            .execute("UPDATE objects SET state = 2, reason = ?1 WHERE state = 0", [reason])?;
        Ok(skipped)
    }

    /// Puts back in the queue what a resumed run has to read again: objects in which leads were
    /// found, because credentials are never kept, and objects that failed or were left. Gaps of
    /// work that is done again are dropped: it finds them again.
    ///
    /// # Errors
    /// `Database`.
    pub fn reopen_for_resume(&self) -> Result<(), LedgerError> {
        self.lock().execute_batch(
            "UPDATE objects SET state = 0 WHERE state = 2
                OR id IN (SELECT object_id FROM leads WHERE object_id IS NOT NULL);
             DELETE FROM gaps WHERE object_id IS NULL;
             DELETE FROM remarks;
             DELETE FROM suppressed WHERE object_id IS NULL;",
        )?;
        Ok(())
    }

    /// Lets the objects that findings stood in be looked into again.
    ///
    /// # Errors
    /// `Database`.
    pub fn reopen_findings(&self, ids: &[&str]) -> Result<(), LedgerError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        {
            let mut statement = transaction.prepare_cached(
                "UPDATE objects SET state = 0
                 WHERE id = (SELECT object_id FROM findings WHERE id = ?1)",
            )?;
            for id in ids {
                statement.execute([id])?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// Every container with its totals, sorted by store and name.
    ///
    /// # Errors
    /// `Database`.
    pub fn containers(&self) -> Result<Vec<ContainerRow>, LedgerError> {
        let connection = self.lock();
        let mut statement = connection.prepare(
            "SELECT c.id, c.store, c.name, c.public, count(o.id), sum(o.size),
                    sum(o.state = 1), sum(CASE WHEN o.state = 1 THEN o.size END),
                    sum(o.bytes_read), sum(o.requests), sum(o.entries)
             FROM containers c LEFT JOIN objects o ON o.container_id = c.id
             GROUP BY c.id ORDER BY c.store, c.name",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(ContainerRow {
                id: ContainerId(row.get(0)?),
                store: row.get(1)?,
                name: row.get(2)?,
                public: match row.get::<_, Option<String>>(3)?.as_deref() {
                    Some("none") => Some(PublicAccess::None),
                    Some("blob") => Some(PublicAccess::Blob),
                    Some("container") => Some(PublicAccess::Container),
                    _ => None,
                },
                objects: count(row, 4)?,
                bytes: count(row, 5)?,
                inspected: count(row, 6)?,
                bytes_inspected: count(row, 7)?,
                bytes_read: count(row, 8)?,
                requests: count(row, 9)?,
                entries: count(row, 10)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Objects and bytes of a part of a container.
    ///
    /// # Errors
    /// `Database`.
    pub fn reach_totals(&self, reach: &Reach) -> Result<(u64, u64), LedgerError> {
        let connection = self.lock();
        let (condition, value) = range_of(reach);
        let mut statement = connection.prepare_cached(&format!(
            "SELECT count(*), sum(o.size) FROM objects o WHERE o.container_id = ?1 AND {condition}"
        ))?;
        Ok(statement.query_row(params![reach.container.0, value], |row| {
            Ok((count(row, 0)?, count(row, 1)?))
        })?)
    }

    /// Bytes of a part of a container by the class of its objects in the order (`priority` divided
    /// by 2^48), smallest class first.
    ///
    /// # Errors
    /// `Database`.
    pub fn reach_classes(&self, reach: &Reach) -> Result<Vec<(i64, u64)>, LedgerError> {
        let connection = self.lock();
        let (condition, value) = range_of(reach);
        let mut statement = connection.prepare_cached(&format!(
            "SELECT o.priority >> 48, sum(o.size) FROM objects o
             WHERE o.container_id = ?1 AND {condition} GROUP BY 1 ORDER BY 1"
        ))?;
        let rows = statement.query_map(params![reach.container.0, value], |row| {
            Ok((row.get(0)?, count(row, 1)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Findings in a part of a container.
    ///
    /// # Errors
    /// `Database` or `Record`.
    pub fn findings_in(&self, reach: &Reach) -> Result<Vec<Finding>, LedgerError> {
        let (condition, value) = range_of(reach);
        self.records_in(
            &format!(
                "SELECT f.record FROM findings f JOIN objects o ON o.id = f.object_id
                 WHERE o.container_id = ?1 AND {condition}"
            ),
            params![reach.container.0, value],
        )
    }

    /// Marks of models, wherever they were found, in the order they were.
    ///
    /// # Errors
    /// `Database` or `Record`.
    pub fn model_marks(&self) -> Result<Vec<Mark>, LedgerError> {
        let connection = self.lock();
        let mut statement = connection.prepare(
            "SELECT record FROM marks WHERE record LIKE '{\"kind\":\"model\"%' ORDER BY rowid",
        )?;
        let mut rows = statement.query([])?;
        let mut marks = Vec::new();
        while let Some(row) = rows.next()? {
            marks.push(serde_json::from_str(&row.get::<_, String>(0)?)?);
        }
        Ok(marks)
    }

    /// Marks in a part of a container, with the object each came from. Marks from names alone
    /// carry no object and belong to the whole container; their roots tell the part.
    ///
    /// # Errors
    /// `Database` or `Record`.
    pub fn marks_in(&self, reach: &Reach) -> Result<Vec<(Option<ObjectId>, Mark)>, LedgerError> {
        let (condition, value) = range_of(reach);
        let connection = self.lock();
        let mut statement = connection.prepare(&format!(
            "SELECT m.object_id, m.record FROM marks m LEFT JOIN objects o ON o.id = m.object_id
             WHERE m.container_id = ?1 AND (m.object_id IS NULL OR {condition}) ORDER BY m.rowid"
        ))?;
        let mut rows = statement.query(params![reach.container.0, value])?;
        let mut marks = Vec::new();
        while let Some(row) = rows.next()? {
            let object = row.get::<_, Option<i64>>(0)?.map(ObjectId);
            marks.push((object, serde_json::from_str(&row.get::<_, String>(1)?)?));
        }
        Ok(marks)
    }

    /// Objects that were not looked into, by container and reason.
    ///
    /// # Errors
    /// `Database`.
    pub fn skipped(&self) -> Result<Vec<SkippedRow>, LedgerError> {
        let connection = self.lock();
        let mut statement = connection.prepare(
            "SELECT container_id, coalesce(reason, 'not looked into yet'), count(*), sum(size)
             FROM objects WHERE state <> 1 GROUP BY 1, 2 ORDER BY 1, 2",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(SkippedRow {
                container: ContainerId(row.get(0)?),
                reason: row.get(1)?,
                objects: count(row, 2)?,
                bytes: count(row, 3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn records_in<T: serde::de::DeserializeOwned>(
        &self,
        query: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<Vec<T>, LedgerError> {
        let connection = self.lock();
        let mut statement = connection.prepare(query)?;
        let mut rows = statement.query(parameters)?;
        let mut records = Vec::new();
        while let Some(row) = rows.next()? {
            records.push(serde_json::from_str(&row.get::<_, String>(0)?)?);
        }
        Ok(records)
    }
}

/// The condition on `o.key` for a reach, with its parameter as `?2`.
fn range_of(reach: &Reach) -> (&'static str, String) {
    if reach.exact {
        ("o.key = ?2", reach.prefix.clone())
    } else {
        ("substr(o.key, 1, length(?2)) = ?2", reach.prefix.clone())
    }
}

pub(crate) fn put_objects(
    connection: &Connection,
    container: ContainerId,
    objects: &[(Object, i64)],
) -> Result<(), LedgerError> {
    // A changed object is looked into again; an unchanged one keeps what is known of it.
    let mut statement = connection.prepare_cached(
        "INSERT INTO objects (container_id, key, size, etag, modified, tier, blob_type, priority)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (container_id, key) DO UPDATE SET
            state = CASE WHEN etag IS excluded.etag AND size = excluded.size THEN state ELSE 0 END,
            size = excluded.size, etag = excluded.etag, modified = excluded.modified,
            tier = excluded.tier",
    )?;
    for (object, priority) in objects {
        let blob_type = object.blob_type.map(|kind| match kind {
            BlobType::Block => "block",
            BlobType::Page => "page",
            BlobType::Append => "append",
        });
        statement.execute(params![
            container.0,
            // Two states of one key are two objects.
            ObjectVersion::joined(&object.key, object.version.as_ref()),
            stored(object.size),
            object.etag,
            object.modified.map(|time| time.to_string()),
            object.tier,
            blob_type,
            priority
        ])?;
    }
    Ok(())
}
