//! Leads, grants, findings, gaps and coverage of local targets.

use crate::case::Case;
use crate::error::LedgerError;
use crate::inventory::ObjectId;
use crate::suppressed::put_identity;
use lidless_core::{Coverage, Finding, Gap, Grant, Lead, Mark};
use rusqlite::{Connection, params};
use serde::de::DeserializeOwned;

impl Case {
    /// Keeps a lead; the same lead again replaces it.
    ///
    /// # Errors
    /// `Database` or `Record`.
    pub fn put_lead(&self, lead: &Lead, object: Option<ObjectId>) -> Result<(), LedgerError> {
        self.lock().execute(
            "INSERT OR REPLACE INTO leads VALUES (?1, ?2, ?3)",
            params![lead.id, object.map(|id| id.0), serde_json::to_string(lead)?],
        )?;
        Ok(())
    }

    /// All leads.
    ///
    /// # Errors
    /// `Database` or `Record`.
    pub fn leads(&self) -> Result<Vec<Lead>, LedgerError> {
        all(&self.lock(), "SELECT record FROM leads ORDER BY id")
    }

    /// Keeps a grant; the same grant again replaces it.
    ///
    /// # Errors
    /// `Database` or `Record`.
    pub fn put_grant(&self, grant: &Grant) -> Result<(), LedgerError> {
        self.lock().execute(
            "INSERT INTO grants (id, record) VALUES (?1, ?2)
             ON CONFLICT (id) DO UPDATE SET record = excluded.record",
            params![grant.id, serde_json::to_string(grant)?],
        )?;
        Ok(())
    }

    /// Marks a grant as followed to the end.
    ///
    /// # Errors
    /// `Database`.
    pub fn finish_grant(&self, id: &str) -> Result<(), LedgerError> {
        self.lock().execute("UPDATE grants SET done = 1 WHERE id = ?1", [id])?;
        Ok(())
    }

    /// Whether a grant was followed to the end.
    ///
    /// # Errors
    /// `Database`.
    pub fn grant_is_done(&self, id: &str) -> Result<bool, LedgerError> {
        let connection = self.lock();
        let mut statement =
            connection.prepare_cached("SELECT 1 FROM grants WHERE id = ?1 AND done = 1")?;
        Ok(statement.exists([id])?)
    }

    /// All grants.
    ///
    /// # Errors
    /// `Database` or `Record`.
    pub fn grants(&self) -> Result<Vec<Grant>, LedgerError> {
        all(&self.lock(), "SELECT record FROM grants ORDER BY id")
    }

    /// Keeps findings, marks and gaps of local targets, all or nothing.
    ///
    /// # Errors
    /// `Database` or `Record`.
    pub fn put_local(
        &self,
        findings: &[Finding],
        marks: &[Mark],
        gaps: &[Gap],
    ) -> Result<(), LedgerError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        put_findings(&transaction, findings, None)?;
        put_marks(&transaction, marks, None, None)?;
        put_gaps(&transaction, gaps, None)?;
        transaction.commit()?;
        Ok(())
    }

    /// Keeps one finding; the same finding again replaces it.
    ///
    /// # Errors
    /// `Database` or `Record`.
    pub fn put_finding(
        &self,
        finding: &Finding,
        object: Option<ObjectId>,
    ) -> Result<(), LedgerError> {
        put_findings(&self.lock(), std::slice::from_ref(finding), object)
    }

    /// All findings, in no order.
    ///
    /// # Errors
    /// `Database` or `Record`.
    pub fn findings(&self) -> Result<Vec<Finding>, LedgerError> {
        all(&self.lock(), "SELECT record FROM findings")
    }

    /// All gaps that were met, sorted by place.
    ///
    /// # Errors
    /// `Database`.
    pub fn gaps(&self) -> Result<Vec<Gap>, LedgerError> {
        let connection = self.lock();
        let mut statement = connection
            .prepare("SELECT location, reason, bytes FROM gaps ORDER BY location, reason")?;
        let rows = statement.query_map([], |row| {
            Ok(Gap {
                location: row.get(0)?,
                reason: row.get(1)?,
                bytes: row.get::<_, Option<i64>>(2)?.and_then(|bytes| u64::try_from(bytes).ok()),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Keeps the coverage of a local target.
    ///
    /// # Errors
    /// `Database` or `Record`.
    pub fn put_source(&self, coverage: &Coverage) -> Result<(), LedgerError> {
        self.lock().execute(
            "INSERT OR REPLACE INTO sources VALUES (?1, ?2)",
            params![coverage.container, serde_json::to_string(coverage)?],
        )?;
        Ok(())
    }

    /// Coverage of all local targets.
    ///
    /// # Errors
    /// `Database` or `Record`.
    pub fn sources(&self) -> Result<Vec<Coverage>, LedgerError> {
        all(&self.lock(), "SELECT record FROM sources ORDER BY container")
    }
}

pub(crate) fn put_findings(
    connection: &Connection,
    findings: &[Finding],
    object: Option<ObjectId>,
) -> Result<(), LedgerError> {
    let mut statement =
        connection.prepare_cached("INSERT OR REPLACE INTO findings VALUES (?1, ?2, ?3)")?;
    for finding in findings {
        let record = serde_json::to_string(finding)?;
        statement.execute(params![finding.id, object.map(|id| id.0), record])?;
        put_identity(connection, finding)?;
    }
    Ok(())
}

pub(crate) fn put_marks(
    connection: &Connection,
    marks: &[Mark],
    object: Option<ObjectId>,
    container: Option<i64>,
) -> Result<(), LedgerError> {
    let mut statement =
        connection.prepare_cached("INSERT OR IGNORE INTO marks VALUES (?1, ?2, ?3)")?;
    for mark in marks {
        let record = serde_json::to_string(mark)?;
        statement.execute(params![object.map(|id| id.0), container, record])?;
    }
    Ok(())
}

pub(crate) fn put_gaps(
    connection: &Connection,
    gaps: &[Gap],
    object: Option<ObjectId>,
) -> Result<(), LedgerError> {
    let mut statement =
        connection.prepare_cached("INSERT OR REPLACE INTO gaps VALUES (?1, ?2, ?3, ?4)")?;
    for gap in gaps {
        let bytes = gap.bytes.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
        statement.execute(params![gap.location, gap.reason, bytes, object.map(|id| id.0)])?;
    }
    Ok(())
}

pub(crate) fn all<T: DeserializeOwned>(
    connection: &Connection,
    query: &str,
) -> Result<Vec<T>, LedgerError> {
    let mut statement = connection.prepare(query)?;
    let mut rows = statement.query([])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(serde_json::from_str(&row.get::<_, String>(0)?)?);
    }
    Ok(records)
}
