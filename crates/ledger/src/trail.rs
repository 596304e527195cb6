//! The trail of requests in the case: appended to, never changed, and chained.
//!
//! The digest of a record is SHA-256 over the digest of the record before and the bytes of the
//! record. A record that is changed, taken out or put in breaks all digests from there on, the
//! head included; who keeps the head elsewhere can tell that nothing was rewritten.
//!
//! Records wait in memory until the next transaction of the case, which takes them along: what
//! the case holds was asked for by requests that the case holds, too.

use crate::case::Case;
use crate::error::LedgerError;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use lidless_core::TrailRecord;
use rusqlite::{Connection, OptionalExtension as _, params};
use sha2::{Digest as _, Sha256};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Records that make a segment.
const SEGMENT: usize = 1024;
/// Records that do not wait for a transaction to take them along.
const WAITING: usize = 256;
/// For how long records wait at most while others come.
const PATIENCE: Duration = Duration::from_secs(1);
/// No record is longer: 16 KiB of URL, escaped, and a few words.
const RECORD_LIMIT: u64 = 256 << 10;
/// What the first record is chained to.
const GENESIS: &[u8] = b"lidless.trail/1";

/// Where requests are noted while the case is open.
#[derive(Clone)]
pub struct TrailWriter {
    connection: Arc<Mutex<Connection>>,
    waiting: Arc<Mutex<Waiting>>,
}

struct Waiting {
    records: Vec<TrailRecord>,
    since: Instant,
    /// What went wrong when records were written without a transaction of the case.
    failed: Option<LedgerError>,
}

/// What a trail was found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailState {
    /// Records read.
    pub records: u64,
    /// The digest of the last one, in hexadecimal.
    pub head: String,
    /// The record whose digest is the one that was looked for.
    pub expected_at: Option<u64>,
    /// What is wrong with the chain, in words; none when nothing is.
    pub broken: Option<String>,
}

impl std::fmt::Debug for TrailWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the trail of a case")
    }
}

impl TrailWriter {
    pub(crate) fn new(connection: Arc<Mutex<Connection>>) -> Self {
        let waiting = Waiting { records: Vec::new(), since: Instant::now(), failed: None };
        Self { connection, waiting: Arc::new(Mutex::new(waiting)) }
    }

    /// Notes a record. It is written with the next transaction of the case, or by itself when
    /// none comes soon.
    pub fn note(&self, record: TrailRecord) {
        let due = {
            let mut waiting = self.waiting();
            if waiting.records.is_empty() {
                waiting.since = Instant::now();
            }
            waiting.records.push(record);
            waiting.records.len() >= WAITING || waiting.since.elapsed() >= PATIENCE
        };
        if due && let Err(error) = self.write() {
            self.waiting().failed.get_or_insert(error);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> Result<(), LedgerError> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction()?;
        let taken = self.write_into(&transaction)?;
        transaction.commit()?;
        self.forget(taken);
        Ok(())
    }

    /// Writes what waits as a part of a transaction, and says how many records that are. They
    /// wait on until [`TrailWriter::forget`] says that it was committed.
    pub(crate) fn write_into(&self, connection: &Connection) -> Result<usize, LedgerError> {
        let mut waiting = self.waiting();
        if let Some(error) = waiting.failed.take() {
            return Err(error);
        }
        if waiting.records.is_empty() {
            return Ok(0);
        }
        let (mut number, mut digest) = head(connection)?;
        let mut insert = connection.prepare_cached("INSERT INTO trail_tail VALUES (?1, ?2)")?;
        for record in &waiting.records {
            let text = serde_json::to_string(record)?;
            number = number.saturating_add(1);
            digest = chained(&digest, text.as_bytes());
            insert.execute(params![stored(number), text])?;
        }
        connection
            .prepare_cached("INSERT OR REPLACE INTO trail_head VALUES (1, ?1, ?2)")?
            .execute(params![stored(number), digest])?;
        let first: Option<i64> = connection
            .prepare_cached("SELECT min(number) FROM trail_tail")?
            .query_row([], |row| row.get(0))?;
        let tail = stored(number).saturating_sub(first.unwrap_or(0)).saturating_add(1);
        if usize::try_from(tail).is_ok_and(|tail| tail >= SEGMENT) {
            pack(connection)?;
        }
        Ok(waiting.records.len())
    }

    /// Lets go of records that are in the case now.
    pub(crate) fn forget(&self, taken: usize) {
        if taken > 0 {
            let mut waiting = self.waiting();
            let taken = taken.min(waiting.records.len());
            waiting.records.drain(..taken);
        }
    }
}

impl Case {
    /// Where requests are noted.
    #[must_use]
    pub fn trail(&self) -> TrailWriter {
        self.trail.clone()
    }

    /// Writes what waits to be noted.
    ///
    /// # Errors
    /// `Database` or `Record`.
    pub fn flush_trail(&self) -> Result<(), LedgerError> {
        self.trail.write()
    }

    /// Reads the trail from its first record on, and follows its chain. Gives each record to
    /// `each`, up to where the chain breaks off. `expected` is a digest in hexadecimal that was
    /// kept elsewhere: a trail that was rewritten has no record with it.
    ///
    /// # Errors
    /// `Database`. A record that does not parse breaks the chain.
    pub fn read_trail(
        &self,
        expected: Option<&str>,
        each: &mut dyn FnMut(u64, &TrailRecord),
    ) -> Result<TrailState, LedgerError> {
        let expected_at = None;
        let mut reader = Reader { number: 0, digest: genesis(), expected, expected_at, each };
        let connection = self.lock();
        let mut broken = reader.segments(&connection)?;
        if broken.is_none() {
            broken = reader.tail(&connection)?;
        }
        if broken.is_none() {
            let (records, digest) = head(&connection)?;
            if records != reader.number {
                let read = reader.number;
                broken = Some(format!("it should hold {records} records and holds {read}"));
            } else if digest != reader.digest {
                broken = Some("its digest is another than the case says: it was changed".into());
            }
        }
        let Reader { number: records, expected_at, .. } = reader;
        Ok(TrailState { records, head: hex(&reader.digest), expected_at, broken })
    }
}

/// Follows a chain.
struct Reader<'a> {
    number: u64,
    digest: [u8; 32],
    expected: Option<&'a str>,
    expected_at: Option<u64>,
    each: &'a mut dyn FnMut(u64, &TrailRecord),
}

impl Reader<'_> {
    fn segments(&mut self, connection: &Connection) -> Result<Option<String>, LedgerError> {
        let mut statement =
            connection.prepare("SELECT first, records, body FROM trail_segments ORDER BY first")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (first, records): (i64, i64) = (row.get(0)?, row.get(1)?);
            let body: Vec<u8> = row.get(2)?;
            if first != stored(self.number).saturating_add(1) {
                return Ok(Some(format!("records before number {first} are missing")));
            }
            let mut lines = BufReader::new(DeflateDecoder::new(body.as_slice()));
            for _ in 0..records {
                let mut line = Vec::new();
                let read = lines.by_ref().take(RECORD_LIMIT).read_until(b'\n', &mut line);
                if read.is_err() || line.pop() != Some(b'\n') {
                    return Ok(Some(self.unreadable()));
                }
                if let Some(broken) = self.take(&line) {
                    return Ok(Some(broken));
                }
            }
        }
        Ok(None)
    }

    fn tail(&mut self, connection: &Connection) -> Result<Option<String>, LedgerError> {
        let mut statement =
            connection.prepare("SELECT number, record FROM trail_tail ORDER BY number")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let number: i64 = row.get(0)?;
            if number != stored(self.number).saturating_add(1) {
                return Ok(Some(format!("records before number {number} are missing")));
            }
            let text: String = row.get(1)?;
            if let Some(broken) = self.take(text.as_bytes()) {
                return Ok(Some(broken));
            }
        }
        Ok(None)
    }

    fn take(&mut self, line: &[u8]) -> Option<String> {
        let Ok(record) = serde_json::from_slice(line) else { return Some(self.unreadable()) };
        self.number = self.number.saturating_add(1);
        self.digest = chained(&self.digest, line);
        if self.expected.is_some_and(|digest| digest.eq_ignore_ascii_case(&hex(&self.digest))) {
            self.expected_at = Some(self.number);
        }
        (self.each)(self.number, &record);
        None
    }

    fn unreadable(&self) -> String {
        format!("record number {} does not parse", self.number.saturating_add(1))
    }
}

/// Moves the tail into a segment.
fn pack(connection: &Connection) -> Result<(), LedgerError> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    let (mut first, mut records) = (None, 0_i64);
    {
        let mut statement =
            connection.prepare_cached("SELECT number, record FROM trail_tail ORDER BY number")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            first.get_or_insert(row.get::<_, i64>(0)?);
            let written = encoder
                .write_all(row.get_ref(1)?.as_bytes().unwrap_or_default())
                .and_then(|()| encoder.write_all(b"\n"));
            written.map_err(|error| LedgerError::Trail(error.to_string()))?;
            records = records.saturating_add(1);
        }
    }
    let body = encoder.finish().map_err(|error| LedgerError::Trail(error.to_string()))?;
    connection
        .execute("INSERT INTO trail_segments VALUES (?1, ?2, ?3)", params![first, records, body])?;
    connection.execute("DELETE FROM trail_tail", [])?;
    Ok(())
}

/// How many records there are, and the digest of the last.
fn head(connection: &Connection) -> Result<(u64, [u8; 32]), LedgerError> {
    let found = connection
        .prepare_cached("SELECT records, digest FROM trail_head")?
        .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, [u8; 32]>(1)?)))
        .optional()?;
    Ok(match found {
        Some((records, digest)) => (u64::try_from(records).unwrap_or(0), digest),
        None => (0, genesis()),
    })
}

fn genesis() -> [u8; 32] {
    Sha256::digest(GENESIS).into()
}

fn chained(before: &[u8; 32], record: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(before).chain_update(record).finalize().into()
}

fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn hex(digest: &[u8; 32]) -> String {
    use std::fmt::Write as _;
    digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(requests: u64) -> TrailRecord {
        TrailRecord::End { time: "2026-11-24T10:00:00Z".parse().unwrap(), requests }
    }

    fn filled(count: u64) -> Case {
        let case = Case::temporary().unwrap();
        for number in 0..count {
            case.trail().note(end(number));
        }
        case.flush_trail().unwrap();
        case
    }

    fn read(case: &Case) -> (Vec<u64>, TrailState) {
        let mut seen = Vec::new();
        let state = case
            .read_trail(None, &mut |number, record| {
                assert_eq!(record, &end(number - 1));
                seen.push(number);
            })
            .unwrap();
        (seen, state)
    }

    #[test]
    fn every_record_comes_back_in_order_over_segments_and_tail() {
        let case = filled(3000);
        let (seen, state) = read(&case);
        assert_eq!(seen, (1..=3000).collect::<Vec<_>>());
        assert_eq!((state.records, state.broken), (3000, None));
        let segments: i64 = case
            .lock()
            .query_row("SELECT count(*) FROM trail_segments", [], |row| row.get(0))
            .unwrap();
        assert!(segments >= 2);
        // A record more is another head.
        let before = read(&case).1.head;
        case.trail().note(end(3000));
        case.flush_trail().unwrap();
        assert_ne!(read(&case).1.head, before);
        // A digest kept elsewhere is found in the longer trail, and in no other.
        let found = |case: &Case| {
            let state = case.read_trail(Some(&before), &mut |_, _| ()).unwrap();
            state.expected_at
        };
        assert_eq!((found(&case), found(&filled(2999))), (Some(3000), None));
    }

    #[test]
    fn whatever_is_changed_taken_out_or_put_in_breaks_the_chain() {
        for change in [
            "UPDATE trail_tail SET record = replace(record, '10:00', '10:01') WHERE number = 3",
            "DELETE FROM trail_tail WHERE number = 3",
            "DELETE FROM trail_tail WHERE number = (SELECT max(number) FROM trail_tail)",
            "INSERT INTO trail_tail SELECT max(number) + 1, record FROM trail_tail",
            "UPDATE trail_tail SET record = 'x' WHERE number = 3",
            "DELETE FROM trail_tail; DELETE FROM trail_head WHERE 0",
        ] {
            let case = filled(10);
            assert_eq!(read(&case).1.broken, None);
            case.lock().execute_batch(change).unwrap();
            let state = case.read_trail(None, &mut |_, _| ()).unwrap();
            assert!(state.broken.is_some(), "{change}");
        }
        for change in [
            "DELETE FROM trail_segments WHERE first = 1",
            "UPDATE trail_segments SET body = x'00'",
            "UPDATE trail_segments SET records = records - 1",
        ] {
            let case = filled(3000);
            case.lock().execute_batch(change).unwrap();
            assert!(case.read_trail(None, &mut |_, _| ()).unwrap().broken.is_some(), "{change}");
        }
    }
}
