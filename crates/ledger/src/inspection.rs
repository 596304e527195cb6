//! Objects that wait to be looked into, and what looking into them gave.

use crate::blob_word;
use crate::case::Case;
use crate::error::LedgerError;
use crate::inventory::{ContainerId, ObjectId, count, stored};
use crate::record::{put_findings, put_gaps, put_marks};
use crate::rows::reopen;
use crate::suppressed::put_suppressed;
use lidless_core::{Finding, Gap, Mark, Object, ObjectVersion, Suppressions, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, params};
use std::sync::atomic::Ordering;

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

impl Case {
    /// The next objects to look into after a place in the order, at most `limit`.
    ///
    /// # Errors
    /// `Database`.
    pub fn pending_objects(
        &self,
        after: Option<(i64, ObjectId)>,
        limit: u32,
    ) -> Result<Vec<PendingObject>, LedgerError> {
        self.index_pending()?;
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
            let word: Option<String> = row.get(7)?;
            let (blob_type, encryption) = blob_word::read(word.as_deref());
            Ok(PendingObject {
                id: ObjectId(row.get(0)?),
                container: ContainerId(row.get(1)?),
                object: Object {
                    key: key.to_owned(),
                    version,
                    size: count(row, 3)?,
                    etag: row.get(4)?,
                    modified: row
                        .get::<_, Option<i64>>(5)?
                        .and_then(|seconds| Timestamp::from_second(seconds).ok()),
                    created: None,
                    tier: row.get(6)?,
                    blob_type,
                    encryption,
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
        self.write(|connection| put_inspection(connection, object, inspection))
    }

    /// Marks every pending object as skipped for a reason, and says how many there were.
    ///
    /// # Errors
    /// `Database`.
    pub fn skip_pending(&self, reason: &str) -> Result<usize, LedgerError> {
        self.write(|connection| {
            connection.execute(
                "INSERT INTO skips
                 SELECT container_id, ?1, count(*), sum(size) FROM objects WHERE state = 0
                 GROUP BY container_id
                 ON CONFLICT (container_id, reason) DO UPDATE SET
                    objects = objects + excluded.objects, bytes = bytes + excluded.bytes",
                [reason],
            )?;
            let skipped = connection
                .execute("UPDATE objects SET state = 2, reason = ?1 WHERE state = 0", [reason])?;
            Ok(skipped)
        })
    }

    /// Puts back in the queue what a resumed run has to read again: objects in which leads were
    /// found, because credentials are never kept, and objects that failed or were left. Gaps of
    /// work that is done again are dropped: it finds them again.
    ///
    /// # Errors
    /// `Database`.
    pub fn reopen_for_resume(&self) -> Result<(), LedgerError> {
        self.write(|connection| {
            let mut found = connection.prepare(
                // In this order: few leads, each with its object, not all objects.
                "SELECT DISTINCT l.object_id FROM leads l
                 CROSS JOIN objects o ON o.id = l.object_id WHERE o.state = 1",
            )?;
            let ids: Vec<i64> = found.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            for id in ids {
                reopen(connection, id)?;
            }
            connection.execute_batch(
                "UPDATE objects INDEXED BY objects_skipped SET state = 0, reason = NULL WHERE state = 2;
                 DELETE FROM skips;
                 UPDATE listings SET state = 0 WHERE state = 2;
                 DELETE FROM gaps WHERE object_id IS NULL;
                 DELETE FROM remarks;
                 DELETE FROM suppressed WHERE object_id IS NULL;",
            )?;
            Ok(())
        })
    }

    /// Lets the objects that findings stood in be looked into again.
    ///
    /// # Errors
    /// `Database`.
    pub fn reopen_findings(&self, ids: &[&str]) -> Result<(), LedgerError> {
        self.write(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT object_id FROM findings WHERE id = ?1")?;
            for id in ids {
                let object: Option<i64> =
                    statement.query_row([id], |row| row.get(0)).optional()?.flatten();
                if let Some(object) = object {
                    reopen(connection, object)?;
                }
            }
            Ok(())
        })
    }

    /// Keeps what looking into many objects gave, all or nothing.
    ///
    /// # Errors
    /// `Database` or `Record`.
    pub fn put_inspections(
        &self,
        inspections: &[(PendingObject, Inspection)],
    ) -> Result<(), LedgerError> {
        self.write(|connection| {
            inspections
                .iter()
                .try_for_each(|(object, seen)| put_inspection(connection, object, seen))
        })
    }

    /// Sorts what waits, once, before the first object is looked into.
    fn index_pending(&self) -> Result<(), LedgerError> {
        if !self.sorted.pending.load(Ordering::Relaxed) {
            self.lock().execute_batch(
                "CREATE INDEX IF NOT EXISTS objects_pending ON objects (priority, id)
                 WHERE state = 0",
            )?;
            self.sorted.pending.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Sorts the keys, once, before the first that may be there already is put.
    pub(crate) fn index_keys(&self) -> Result<(), LedgerError> {
        if !self.keys_are_indexed() {
            self.lock().execute_batch(
                "CREATE UNIQUE INDEX IF NOT EXISTS objects_key ON objects (container_id, key)",
            )?;
            self.sorted.keys.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    pub(crate) fn keys_are_indexed(&self) -> bool {
        self.sorted.keys.load(Ordering::Relaxed)
    }
}

fn put_inspection(
    connection: &Connection,
    object: &PendingObject,
    inspection: &Inspection,
) -> Result<(), LedgerError> {
    let (id, container) = (object.id.0, object.container.0);
    // What was missing the last time may be there now.
    connection.prepare_cached("DELETE FROM gaps WHERE object_id = ?1")?.execute([id])?;
    put_findings(connection, &inspection.findings, Some(object.id))?;
    put_marks(connection, &inspection.marks, Some(object.id), Some(container))?;
    put_gaps(connection, &inspection.gaps, Some(object.id))?;
    let suppressed = &inspection.suppressed;
    put_suppressed(connection, "", Some(object.id), suppressed.listed(), &suppressed.counts())?;
    reopen(connection, id)?;
    let (size, read, requests, entries): (i64, i64, i64, i64) = connection
        .prepare_cached("SELECT size, bytes_read, requests, entries FROM objects WHERE id = ?1")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    let is_seen = inspection.skipped.is_none();
    connection
        .prepare_cached(
            "UPDATE objects SET state = ?2, reason = ?3, entries = ?4, bytes_read = ?5,
             requests = ?6 WHERE id = ?1",
        )?
        .execute(params![
            id,
            if is_seen { 1 } else { 2 },
            inspection.skipped,
            stored(inspection.entries),
            stored(inspection.bytes_read),
            stored(inspection.requests)
        ])?;
    connection
        .prepare_cached(
            "UPDATE containers SET inspected = inspected + ?2,
             bytes_inspected = bytes_inspected + ?3, bytes_read = bytes_read + ?4,
             requests = requests + ?5, entries = entries + ?6 WHERE id = ?1",
        )?
        .execute(params![
            container,
            i64::from(is_seen),
            if is_seen { size } else { 0 },
            stored(inspection.bytes_read).saturating_sub(read),
            stored(inspection.requests).saturating_sub(requests),
            stored(inspection.entries).saturating_sub(entries)
        ])?;
    if let Some(reason) = &inspection.skipped {
        connection
            .prepare_cached(
                "INSERT INTO skips VALUES (?1, ?2, 1, ?3)
                 ON CONFLICT (container_id, reason) DO UPDATE SET
                    objects = objects + 1, bytes = bytes + excluded.bytes",
            )?
            .execute(params![container, reason, size])?;
    }
    Ok(())
}
