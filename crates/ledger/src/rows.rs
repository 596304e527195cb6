//! The one place through which pages of objects come into the case.
//!
//! A listing names keys in order, and the parts it was split into do not overlap: what comes in
//! order, within its part, cannot be there already, and is appended without looking. Everything
//! else is merged, which needs the keys in an index.

use crate::blob_word;
use crate::error::LedgerError;
use crate::inventory::{ContainerId, stored};
use crate::listing::{ListingTask, Oddities};
use lidless_core::{Object, ObjectVersion};
use rusqlite::{Connection, OptionalExtension as _, params};
use std::collections::BTreeMap;

/// Priorities below this place tell objects of one class apart.
pub(crate) const CLASS_SHIFT: u32 = 48;

/// Whether no object of a page can be in the case already.
pub(crate) fn is_certain(task: &ListingTask, objects: &[(Object, i64)]) -> bool {
    let mut last = task.last.as_deref();
    objects.iter().all(|(object, _)| {
        let key = object.key.as_str();
        let rises = last.is_none_or(|last| last < key);
        last = Some(key);
        rises && key.starts_with(&task.prefix) && key >= task.start.as_str()
    })
}

/// What becomes of an object that is known already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// What is said now counts.
    Replaced,
    /// What was said before counts.
    Left,
}

/// The objects of one container, within one transaction.
pub(crate) struct Rows<'a> {
    connection: &'a Connection,
    container: ContainerId,
    added: Sums,
}

#[derive(Default)]
struct Sums {
    objects: i64,
    bytes: i64,
    classes: BTreeMap<i64, i64>,
}

impl Sums {
    fn add(&mut self, size: i64, priority: i64) {
        self.objects = self.objects.saturating_add(1);
        self.bytes = self.bytes.saturating_add(size);
        let class = self.classes.entry(priority >> CLASS_SHIFT).or_default();
        *class = class.saturating_add(size);
    }
}

impl<'a> Rows<'a> {
    pub(crate) fn new(connection: &'a Connection, container: ContainerId) -> Self {
        Self { connection, container, added: Sums::default() }
    }

    /// Appends objects that no listing has named before.
    pub(crate) fn append(&mut self, objects: &[(Object, i64)]) -> Result<(), LedgerError> {
        // All states of the last key as well.
        let range =
            || Some((&objects.first()?.0.key, format!("{}\u{10ffff}", objects.last()?.0.key)));
        let Some((first, last)) = range() else { return Ok(()) };
        // Few keys are put singly; most often there is none in a page.
        let single = self
            .connection
            .prepare_cached(
                "SELECT 1 FROM objects
                 WHERE single = 1 AND container_id = ?1 AND key BETWEEN ?2 AND ?3",
            )?
            .exists(params![self.container.0, first, last])?;
        for (object, priority) in objects {
            if single && self.replace_single(object, *priority)? {
                continue;
            }
            self.insert(object, *priority, false)?;
        }
        self.settle()
    }

    /// Puts objects that may be there already, and says how many were; the keys have to be
    /// indexed.
    pub(crate) fn merge(&mut self, objects: &[(Object, i64)]) -> Result<u64, LedgerError> {
        let mut known = 0_u64;
        for (object, priority) in objects {
            let was_there = self.merge_one(object, *priority, false)?;
            known = known.saturating_add(u64::from(was_there));
        }
        self.settle()?;
        Ok(known)
    }

    /// Puts one object that no listing named. Unless the keys are indexed, no listing may have
    /// named any.
    pub(crate) fn put_single(
        &mut self,
        object: &Object,
        priority: i64,
        indexed: bool,
        known: Known,
    ) -> Result<(), LedgerError> {
        if known == Known::Left && self.has(object, indexed)? {
            return Ok(());
        }
        if indexed {
            let _was_there = self.merge_one(object, priority, true)?;
        } else if !self.replace_single(object, priority)? {
            self.insert(object, priority, true)?;
        }
        self.settle()
    }

    /// Counts what a listing did that it should not.
    pub(crate) fn note(&self, oddities: Oddities) -> Result<(), LedgerError> {
        if oddities.is_none() {
            return Ok(());
        }
        self.connection.execute(
            "UPDATE containers SET repeated = repeated + ?2, disordered = disordered + ?3,
             foreign_names = foreign_names + ?4 WHERE id = ?1",
            params![
                self.container.0,
                stored(oddities.repeated),
                stored(oddities.disordered),
                stored(oddities.foreign)
            ],
        )?;
        Ok(())
    }

    fn insert(&mut self, object: &Object, priority: i64, single: bool) -> Result<(), LedgerError> {
        let size = stored(object.size);
        self.connection
            .prepare_cached(
                "INSERT INTO objects
                 (container_id, key, size, etag, modified, tier, blob_type, priority, single)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                self.container.0,
                stored_key(object),
                size,
                object.etag,
                object.modified.map(|time| time.as_second()),
                object.tier,
                blob_word::write(object),
                priority,
                single
            ])?;
        self.added.add(size, priority);
        Ok(())
    }

    /// Whether an object is there; the keys have to be indexed, or no listing may have named any.
    fn has(&self, object: &Object, indexed: bool) -> Result<bool, LedgerError> {
        let (single, any) = (
            "SELECT 1 FROM objects WHERE single = 1 AND container_id = ?1 AND key = ?2",
            "SELECT 1 FROM objects WHERE container_id = ?1 AND key = ?2",
        );
        let query = if indexed { any } else { single };
        let mut statement = self.connection.prepare_cached(query)?;
        Ok(statement.exists(params![self.container.0, stored_key(object)])?)
    }

    fn replace_single(&mut self, object: &Object, priority: i64) -> Result<bool, LedgerError> {
        let id: Option<i64> = self
            .connection
            .prepare_cached(
                "SELECT id FROM objects WHERE single = 1 AND container_id = ?1 AND key = ?2",
            )?
            .query_row(params![self.container.0, stored_key(object)], |row| row.get(0))
            .optional()?;
        match id {
            Some(id) => self.replace(id, object, priority).map(|()| true),
            None => Ok(false),
        }
    }

    fn merge_one(
        &mut self,
        object: &Object,
        priority: i64,
        single: bool,
    ) -> Result<bool, LedgerError> {
        let id: Option<i64> = self
            .connection
            .prepare_cached("SELECT id FROM objects WHERE container_id = ?1 AND key = ?2")?
            .query_row(params![self.container.0, stored_key(object)], |row| row.get(0))
            .optional()?;
        match id {
            Some(id) => self.replace(id, object, priority).map(|()| true),
            None => self.insert(object, priority, single).map(|()| false),
        }
    }

    /// A changed object is looked into again; an unchanged one keeps what is known of it.
    fn replace(&mut self, id: i64, object: &Object, priority: i64) -> Result<(), LedgerError> {
        let size = stored(object.size);
        let same = self
            .connection
            .prepare_cached("SELECT 1 FROM objects WHERE id = ?1 AND etag IS ?2 AND size = ?3")?
            .exists(params![id, object.etag, size])?;
        if same {
            return Ok(());
        }
        let (old_size, old_priority): (i64, i64) = self
            .connection
            .prepare_cached("SELECT size, priority FROM objects WHERE id = ?1")?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        reopen(self.connection, id)?;
        self.connection
            .prepare_cached(
                "UPDATE objects SET size = ?2, etag = ?3, modified = ?4, tier = ?5, priority = ?6,
                 blob_type = ?7 WHERE id = ?1",
            )?
            .execute(params![
                id,
                size,
                object.etag,
                object.modified.map(|time| time.as_second()),
                object.tier,
                priority,
                blob_word::write(object)
            ])?;
        self.added.add(size, priority);
        self.added.objects = self.added.objects.saturating_sub(1);
        self.added.bytes = self.added.bytes.saturating_sub(old_size);
        let class = self.added.classes.entry(old_priority >> CLASS_SHIFT).or_default();
        *class = class.saturating_sub(old_size);
        Ok(())
    }

    /// Adds what came to the sums of the container.
    fn settle(&mut self) -> Result<(), LedgerError> {
        let added = std::mem::take(&mut self.added);
        self.connection
            .prepare_cached(
                "UPDATE containers SET objects = objects + ?2, bytes = bytes + ?3 WHERE id = ?1",
            )?
            .execute(params![self.container.0, added.objects, added.bytes])?;
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO classes VALUES (?1, ?2, ?3)
             ON CONFLICT (container_id, class) DO UPDATE SET bytes = bytes + excluded.bytes",
        )?;
        for (class, bytes) in added.classes {
            statement.execute(params![self.container.0, class, bytes])?;
        }
        Ok(())
    }
}

/// Two states of one key are two objects.
fn stored_key(object: &Object) -> String {
    ObjectVersion::joined(&object.key, object.version.as_ref())
}

/// Puts an object back among those that wait, and takes it out of the sums of those that do not.
/// What reading it cost so far stays in the sums.
pub(crate) fn reopen(connection: &Connection, id: i64) -> Result<(), LedgerError> {
    let (container, size, state, reason): (i64, i64, i64, Option<String>) = connection
        .prepare_cached("SELECT container_id, size, state, reason FROM objects WHERE id = ?1")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    match state {
        1 => connection
            .prepare_cached(
                "UPDATE containers SET inspected = inspected - 1,
                 bytes_inspected = bytes_inspected - ?2 WHERE id = ?1",
            )?
            .execute(params![container, size])?,
        2 => connection
            .prepare_cached(
                "UPDATE skips SET objects = objects - 1, bytes = bytes - ?3
                 WHERE container_id = ?1 AND reason = ?2",
            )?
            .execute(params![container, reason, size])?,
        _ => return Ok(()),
    };
    connection
        .prepare_cached("UPDATE objects SET state = 0, reason = NULL WHERE id = ?1")?
        .execute([id])?;
    Ok(())
}
