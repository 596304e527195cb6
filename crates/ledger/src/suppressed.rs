//! What was told apart as no finding: counted, and some of it listed.

use crate::case::Case;
use crate::error::LedgerError;
use crate::inventory::ObjectId;
use crate::record::all;
use lidless_core::{Finding, Identity, Reason, Remark, Suppressed, Suppressions};
use rusqlite::{Connection, params};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How many remarks a case keeps.
const REMARKS: i64 = 10_000;

impl Case {
    /// Keeps what was told apart in a local target, in place of what it said of it before.
    ///
    /// # Errors
    /// `Database` or `Record`.
    pub fn put_suppressed(
        &self,
        source: &str,
        listed: &[Suppressed],
        counts: &BTreeMap<Reason, u64>,
    ) -> Result<(), LedgerError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        put_suppressed(&transaction, source, None, listed, counts)?;
        transaction.commit()?;
        Ok(())
    }

    /// What was told apart: the list, and all of it counted.
    ///
    /// # Errors
    /// `Database` or `Record`.
    pub fn suppressed(&self) -> Result<(Vec<Suppressed>, BTreeMap<Reason, u64>), LedgerError> {
        let connection = self.lock();
        let listed = all(&connection, "SELECT record FROM suppressed ORDER BY id")?;
        let mut statement = connection
            .prepare("SELECT reason, sum(count) FROM suppressed_counts GROUP BY reason")?;
        let mut rows = statement.query([])?;
        let mut counts = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let word: String = row.get(0)?;
            let count = u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
            // A reason of a later version is one that this one cannot name.
            if let Some(reason) = Reason::ALL.into_iter().find(|one| one.as_str() == word) {
                counts.insert(reason, count);
            }
        }
        Ok((listed, counts))
    }

    /// Keeps remarks, up to a number nobody reads through.
    ///
    /// # Errors
    /// `Database` or `Record`.
    pub fn put_remarks(&self, remarks: &[Remark]) -> Result<(), LedgerError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "INSERT OR IGNORE INTO remarks SELECT ?1 WHERE (SELECT count(*) FROM remarks) < ?2",
        )?;
        for remark in remarks {
            statement.execute(params![serde_json::to_string(remark)?, REMARKS])?;
        }
        Ok(())
    }

    /// All remarks, sorted.
    ///
    /// # Errors
    /// `Database` or `Record`.
    pub fn remarks(&self) -> Result<Vec<Remark>, LedgerError> {
        let mut remarks: Vec<Remark> = all(&self.lock(), "SELECT record FROM remarks")?;
        remarks.sort();
        Ok(remarks)
    }

    /// All findings, in no order, each with the digest that other runs can compare.
    ///
    /// # Errors
    /// `Database` or `Record`.
    pub fn findings_with_identities(&self) -> Result<Vec<Finding>, LedgerError> {
        let mut findings = self.findings()?;
        let connection = self.lock();
        let mut statement =
            connection.prepare("SELECT digest FROM identities WHERE finding_id = ?1")?;
        for finding in &mut findings {
            let mut rows = statement.query([&finding.id])?;
            let digest = rows.next()?.map(|row| row.get::<_, String>(0)).transpose()?;
            if let Some(identity) = digest.as_deref().and_then(read_hex) {
                finding.fingerprint =
                    finding.fingerprint.take().map(|print| print.with_identity(identity));
            }
        }
        Ok(findings)
    }
}

pub(crate) fn put_identity(connection: &Connection, finding: &Finding) -> Result<(), LedgerError> {
    let Some(identity) = finding.fingerprint.as_ref().and_then(|print| print.identity()) else {
        return Ok(());
    };
    let digest = identity.as_bytes().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    connection
        .prepare_cached("INSERT OR REPLACE INTO identities VALUES (?1, ?2)")?
        .execute(params![finding.id, digest])?;
    Ok(())
}

fn read_hex(text: &str) -> Option<Identity> {
    let mut bytes = [0_u8; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        let from = at.checked_mul(2)?;
        *byte = u8::from_str_radix(text.get(from..from.checked_add(2)?)?, 16).ok()?;
    }
    Some(Identity::from_bytes(bytes))
}

/// Keeps what was told apart in one source or one object, in place of what was kept of it before.
pub(crate) fn put_suppressed(
    connection: &Connection,
    source: &str,
    object: Option<ObjectId>,
    listed: &[Suppressed],
    counts: &BTreeMap<Reason, u64>,
) -> Result<(), LedgerError> {
    let object = object.map(|id| id.0);
    connection
        .prepare_cached("DELETE FROM suppressed_counts WHERE source = ?1 AND object_id = ?2")?
        .execute(params![source, object.unwrap_or(0)])?;
    let mut count_it =
        connection.prepare_cached("INSERT INTO suppressed_counts VALUES (?1, ?2, ?3, ?4)")?;
    for (reason, count) in counts {
        let count = i64::try_from(*count).unwrap_or(i64::MAX);
        count_it.execute(params![source, object.unwrap_or(0), reason.as_str(), count])?;
    }
    let mut list_it = connection
        .prepare_cached("INSERT OR REPLACE INTO suppressed VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for one in listed {
        let record = serde_json::to_string(one)?;
        list_it.execute(params![one.id, object, one.reason.as_str(), one.location, record])?;
    }
    // The first places of each reason stay, whichever thread came first.
    let mut trim = connection.prepare_cached(
        "DELETE FROM suppressed WHERE id IN (SELECT id FROM suppressed WHERE reason = ?1
         ORDER BY location, id LIMIT -1 OFFSET ?2)",
    )?;
    let limit = i64::try_from(Suppressions::LISTED).unwrap_or(i64::MAX);
    for reason in counts.keys() {
        trim.execute(params![reason.as_str(), limit])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_core::{FingerprintKey, Layer, Place, Provenance};

    fn one(number: u64, reason: Reason) -> Suppressed {
        let place = Place::line(Provenance::new(Layer::File { path: "/a".into() }), number, number);
        Suppressed::new("secret.password", &place, reason, None, None)
    }

    #[test]
    fn a_case_counts_all_and_lists_the_first_of_each_reason() {
        let case = Case::temporary().unwrap();
        let many: Vec<_> = (1000..2500).map(|n| one(n, Reason::Word)).collect();
        let counts = BTreeMap::from([(Reason::Word, 90_000)]);
        case.put_suppressed("file:///a", &many, &counts).unwrap();
        let few = [one(7, Reason::InlineAllow)];
        case.put_suppressed("file:///b", &few, &BTreeMap::from([(Reason::InlineAllow, 1)]))
            .unwrap();
        let (listed, counts) = case.suppressed().unwrap();
        assert_eq!(counts, BTreeMap::from([(Reason::Word, 90_000), (Reason::InlineAllow, 1)]));
        assert_eq!(listed.len(), Suppressions::LISTED + 1);
        assert!(listed.iter().all(|one| one.line < Some(2000)));
        // The same source again replaces its counts.
        case.put_suppressed("file:///a", &[], &BTreeMap::new()).unwrap();
        assert_eq!(case.suppressed().unwrap().1.len(), 1);
    }

    #[test]
    fn identities_come_back_with_their_findings_and_are_in_no_record() {
        let case = Case::temporary().unwrap();
        let key = FingerprintKey::from_bytes([3; 32]);
        let place = Place::line(Provenance::new(Layer::File { path: "/a".into() }), 1, 1);
        let finding = Finding::new(
            "secret.password",
            lidless_core::Category::Secret,
            lidless_core::Severity::High,
            lidless_core::Confidence::High,
            "t",
            &place,
            "e",
        )
        .with_fingerprint(key.of(b"tr0ub4dor"));
        case.put_local(&[finding], &[], &[]).unwrap();
        let plain = case.findings().unwrap();
        assert_eq!(plain[0].fingerprint.as_ref().unwrap().identity(), None);
        let full = case.findings_with_identities().unwrap();
        let identity = full[0].fingerprint.as_ref().unwrap().identity().unwrap().clone();
        assert_eq!(identity, key.identity(b"tr0ub4dor"));
    }
}
