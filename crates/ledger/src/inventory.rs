//! Containers, objects and what was seen of them.

use crate::case::Case;
use crate::error::LedgerError;
use crate::listing::Oddities;
use crate::record::put_marks;
use crate::rows::{CLASS_SHIFT, Known, Rows};
use lidless_core::{Container, Finding, Mark, Object, ObjectVersion, PublicAccess};
use rusqlite::{Row, params};

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
    /// What its listings did that no listing of a container at rest does.
    pub oddities: Oddities,
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

impl Reach {
    fn is_whole(&self) -> bool {
        self.prefix.is_empty() && !self.exact
    }
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

const NOT_NEGATIVE: i64 = 0;

pub(crate) fn count(row: &Row<'_>, index: usize) -> Result<u64, rusqlite::Error> {
    let value: Option<i64> = row.get(index)?;
    Ok(u64::try_from(value.unwrap_or(NOT_NEGATIVE)).unwrap_or(0))
}

pub(crate) fn stored(value: u64) -> i64 {
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
        self.put_single_objects(container, objects, Known::Replaced)
    }

    /// Keeps single objects that no listing names, and leaves those that are known as they are.
    ///
    /// # Errors
    /// `Database`.
    pub fn add_objects(
        &self,
        container: ContainerId,
        objects: &[(Object, i64)],
    ) -> Result<(), LedgerError> {
        self.put_single_objects(container, objects, Known::Left)
    }

    fn put_single_objects(
        &self,
        container: ContainerId,
        objects: &[(Object, i64)],
        known: Known,
    ) -> Result<(), LedgerError> {
        let listed: i64 = self.lock().query_row(
            "SELECT EXISTS (SELECT 1 FROM listings WHERE container_id = ?1)
                AND (SELECT objects FROM containers WHERE id = ?1) > 0",
            [container.0],
            |row| row.get(0),
        )?;
        if listed != 0 {
            // A listing may have named it.
            self.index_keys()?;
        }
        let indexed = self.keys_are_indexed();
        self.write(|connection| {
            let mut rows = Rows::new(connection, container);
            objects.iter().try_for_each(|(object, priority)| {
                rows.put_single(object, *priority, indexed, known)
            })
        })
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
        self.write(|connection| {
            let mut exists = connection
                .prepare_cached("SELECT 1 FROM marks WHERE container_id = ?1 AND record = ?2")?;
            for mark in marks {
                // NULL object ids are distinct to UNIQUE, so look before inserting.
                if !exists.exists(params![container.0, serde_json::to_string(mark)?])? {
                    put_marks(connection, std::slice::from_ref(mark), None, Some(container.0))?;
                }
            }
            Ok(())
        })
    }

    /// Every container with its totals, sorted by store and name.
    ///
    /// # Errors
    /// `Database`.
    pub fn containers(&self) -> Result<Vec<ContainerRow>, LedgerError> {
        let connection = self.lock();
        let mut statement = connection.prepare(
            "SELECT id, store, name, public, objects, bytes, inspected, bytes_inspected,
                    bytes_read, requests, entries, repeated, disordered, foreign_names
             FROM containers ORDER BY store, name",
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
                oddities: Oddities {
                    repeated: count(row, 11)?,
                    disordered: count(row, 12)?,
                    foreign: count(row, 13)?,
                },
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
        if reach.is_whole() {
            let mut statement =
                connection.prepare_cached("SELECT objects, bytes FROM containers WHERE id = ?1")?;
            return Ok(statement
                .query_row([reach.container.0], |row| Ok((count(row, 0)?, count(row, 1)?)))?);
        }
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
        if reach.is_whole() {
            let mut statement = connection.prepare_cached(
                "SELECT class, bytes FROM classes WHERE container_id = ?1 ORDER BY class",
            )?;
            let rows = statement
                .query_map([reach.container.0], |row| Ok((row.get(0)?, count(row, 1)?)))?;
            return Ok(rows.collect::<Result<_, _>>()?);
        }
        let (condition, value) = range_of(reach);
        let mut statement = connection.prepare_cached(&format!(
            "SELECT o.priority >> {CLASS_SHIFT}, sum(o.size) FROM objects o
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
            "SELECT container_id, reason, objects, bytes FROM skips WHERE objects > 0
             UNION ALL
             SELECT id, 'not looked into yet', objects - inspected - skipped,
                    bytes - bytes_inspected - bytes_skipped
             FROM (SELECT id, objects, bytes, inspected, bytes_inspected,
                          coalesce((SELECT sum(objects) FROM skips WHERE container_id = id), 0)
                          AS skipped,
                          coalesce((SELECT sum(bytes) FROM skips WHERE container_id = id), 0)
                          AS bytes_skipped
                   FROM containers)
             WHERE objects > inspected + skipped
             ORDER BY 1, 2",
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
