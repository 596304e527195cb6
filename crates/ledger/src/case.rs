//! Opening, making and locking a case.

use crate::error::LedgerError;
use crate::hold::Hold;
use crate::trail::TrailWriter;
use lidless_core::FingerprintKey;
use rusqlite::Connection;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// `lidl` in ASCII: tells a case from other SQLite files.
const APPLICATION_ID: i64 = 0x6c69_646c;
/// The version of the schema.
const VERSION: i64 = 2;

/// One investigation in one file. All methods may be called from many threads; writes follow
/// one another.
pub struct Case {
    connection: Arc<Mutex<Connection>>,
    key: FingerprintKey,
    pub(crate) trail: TrailWriter,
    pub(crate) sorted: Sorted,
    /// Last, so that it is let go when everything is written.
    hold: Option<Hold>,
}

/// Which of the ways to find objects there are, beside their ids.
#[derive(Default)]
pub(crate) struct Sorted {
    pub(crate) keys: AtomicBool,
    pub(crate) pending: AtomicBool,
}

impl Case {
    /// Makes a new case.
    ///
    /// The file is readable by its owner only, and no other process may work on it meanwhile.
    ///
    /// # Errors
    /// `Exists` when there is a file already, `Held` when another process is at it, `Database`
    /// when it cannot be written.
    pub fn create(path: &Path) -> Result<Self, LedgerError> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        if path.exists() && !is_blank(path) {
            return Err(LedgerError::Exists(path.display().to_string()));
        }
        let hold = Hold::take(path)?;
        if is_blank(path) {
            return Ok(Self { hold: Some(hold), ..Self::initialise(Connection::open(path)?)? });
        }
        match options.open(path) {
            Ok(_) => Ok(Self { hold: Some(hold), ..Self::initialise(Connection::open(path)?)? }),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(LedgerError::Exists(path.display().to_string()))
            }
            Err(error) => Err(LedgerError::NotACase(format!("{} ({error})", path.display()))),
        }
    }

    /// A case that vanishes with the value; SQLite spills it to an unnamed file when it is large.
    ///
    /// # Errors
    /// `Database` when there is no room for it.
    pub fn temporary() -> Result<Self, LedgerError> {
        Self::initialise(Connection::open("")?)
    }

    /// Opens a case made before to go on with it: no other process may meanwhile.
    ///
    /// # Errors
    /// `Held` when another process works on it; else as [`Case::open`].
    pub fn resume(path: &Path) -> Result<Self, LedgerError> {
        if !path.is_file() {
            return Err(LedgerError::Missing(path.display().to_string()));
        }
        let hold = Hold::take(path)?;
        if is_blank(path) {
            return Ok(Self { hold: Some(hold), ..Self::initialise(Connection::open(path)?)? });
        }
        Ok(Self { hold: Some(hold), ..Self::open(path)? })
    }

    /// Opens a case made before to read it, also while a run works on it.
    ///
    /// # Errors
    /// `Missing`, `NotACase`, `Version`, or `Database`.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        if !path.is_file() {
            return Err(LedgerError::Missing(path.display().to_string()));
        }
        let connection = Connection::open(path)?;
        let not_a_case = || LedgerError::NotACase(path.display().to_string());
        let pragma =
            |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        if pragma("application_id").map_err(|_| not_a_case())? != APPLICATION_ID {
            return Err(not_a_case());
        }
        let found = pragma("user_version")?;
        if !matches!(found, 1 | VERSION) {
            return Err(LedgerError::Version { found, expected: VERSION });
        }
        tune(&connection)?;
        if found == 1 {
            migrate(&connection)?;
        }
        connection.execute_batch(include_str!("suppressed.sql"))?;
        connection.execute_batch(include_str!("trail.sql"))?;
        let keys = connection
            .prepare("SELECT 1 FROM sqlite_master WHERE name = 'objects_key'")?
            .exists([])?;
        let mut case = Self::of(connection, FingerprintKey::from_bytes([0; 32]));
        case.sorted.keys = AtomicBool::new(keys);
        let key: [u8; 32] = case.meta("fingerprint_key")?.ok_or_else(not_a_case)?;
        case.key = FingerprintKey::from_bytes(key);
        Ok(case)
    }

    fn initialise(connection: Connection) -> Result<Self, LedgerError> {
        tune(&connection)?;
        let key =
            FingerprintKey::random().map_err(|error| LedgerError::Randomness(error.to_string()))?;
        let value = serde_json::to_string(key.as_bytes())?;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        connection.execute_batch(include_str!("schema.sql"))?;
        connection.execute_batch(include_str!("inventory.sql"))?;
        connection.execute_batch(include_str!("suppressed.sql"))?;
        connection.execute_batch(include_str!("trail.sql"))?;
        connection.execute("INSERT INTO meta VALUES ('fingerprint_key', ?1)", [value])?;
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        connection.pragma_update(None, "user_version", VERSION)?;
        connection.execute_batch("COMMIT")?;
        Ok(Self::of(connection, key))
    }

    fn of(connection: Connection, key: FingerprintKey) -> Self {
        let connection = Arc::new(Mutex::new(connection));
        let trail = TrailWriter::new(Arc::clone(&connection));
        Self { connection, key, trail, sorted: Sorted::default(), hold: None }
    }

    /// True when no other process can work on it.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.hold.is_some()
    }

    /// Runs one transaction, all or nothing; it takes along what waits to be noted in the trail.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let result = work(&transaction)?;
        let noted = self.trail.write_into(&transaction)?;
        transaction.commit()?;
        self.trail.forget(noted);
        Ok(result)
    }

    /// The key of this case's fingerprints.
    #[must_use]
    pub fn key(&self) -> &FingerprintKey {
        &self.key
    }

    /// Keeps a value under a name.
    ///
    /// # Errors
    /// `Database` or `Record`.
    pub fn set_meta<T: Serialize>(&self, name: &str, value: &T) -> Result<(), LedgerError> {
        let value = serde_json::to_string(value)?;
        self.lock().execute("INSERT OR REPLACE INTO meta VALUES (?1, ?2)", [name, &value])?;
        Ok(())
    }

    /// The value kept under a name.
    ///
    /// # Errors
    /// `Database` or `Record`.
    pub fn meta<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, LedgerError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached("SELECT value FROM meta WHERE name = ?1")?;
        let mut rows = statement.query([name])?;
        match rows.next()? {
            Some(row) => Ok(Some(serde_json::from_str(&row.get::<_, String>(0)?)?)),
            None => Ok(None),
        }
    }

    /// The connection, for one statement or one transaction.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic elsewhere rolled its transaction back; the connection is still sound.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a file holds nothing yet: what a process leaves that was killed while it made a case.
fn is_blank(path: &Path) -> bool {
    let Ok(data) = std::fs::metadata(path) else { return false };
    if !data.is_file() {
        return false;
    }
    if data.len() == 0 {
        return true;
    }
    let tables = |connection: Connection| {
        connection.query_row(
            "SELECT (SELECT count(*) FROM sqlite_master) + (SELECT user_version FROM \
             pragma_user_version) + (SELECT application_id FROM pragma_application_id)",
            [],
            |row| row.get::<_, i64>(0),
        )
    };
    Connection::open(path).and_then(tables).is_ok_and(|things| things == 0)
}

/// Brings a case of version 1 up to date, all or nothing.
fn migrate(connection: &Connection) -> Result<(), LedgerError> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let done = (|| {
        for table in ["containers", "listings", "objects"] {
            connection.execute_batch(&format!("ALTER TABLE {table} RENAME TO {table}_1"))?;
        }
        connection.execute_batch(include_str!("inventory.sql"))?;
        connection.execute_batch(include_str!("migrate.sql"))?;
        connection.pragma_update(None, "user_version", VERSION)?;
        connection.execute_batch("COMMIT")
    })();
    if done.is_err() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    Ok(done?)
}

fn tune(connection: &Connection) -> Result<(), LedgerError> {
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    // A write-ahead log survives kill -9; a power cut may cost the last transactions, whose work
    // is then done again.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = FILE;
         PRAGMA cache_size = -16384; PRAGMA foreign_keys = OFF;",
    )?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_made_once_and_opened_again_with_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.case");
        let made = Case::create(&path).unwrap();
        let fingerprint = made.key().of(b"x");
        made.set_meta("targets", &vec!["a"]).unwrap();
        drop(made);
        assert!(matches!(Case::create(&path), Err(LedgerError::Exists(_))));
        let resumed = Case::resume(&path).unwrap();
        assert!(matches!(Case::resume(&path), Err(LedgerError::Held { .. })));
        assert!(resumed.is_held() && !Case::open(&path).unwrap().is_held());
        drop(resumed);
        let opened = Case::open(&path).unwrap();
        assert_eq!(opened.key().of(b"x"), fingerprint);
        assert_eq!(opened.meta::<Vec<String>>("targets").unwrap().unwrap(), ["a"]);
        assert!(opened.meta::<String>("nothing").unwrap().is_none());
    }

    #[test]
    fn what_a_kill_leaves_of_a_case_in_the_making_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.case");
        std::fs::write(&path, "").unwrap();
        drop(Case::create(&path).unwrap());
        std::fs::write(&path, "").unwrap();
        drop(Case::resume(&path).unwrap());
        let early = folder.path().join("b.case");
        Connection::open(&early).unwrap().execute_batch("PRAGMA journal_mode = WAL").unwrap();
        assert!(std::fs::metadata(&early).unwrap().len() > 0);
        drop(Case::resume(&early).unwrap());
        assert!(matches!(Case::create(&early), Err(LedgerError::Exists(_))));
    }

    #[test]
    fn other_files_are_no_cases() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text");
        std::fs::write(&path, "not a database, but long enough to have a header in it").unwrap();
        assert!(matches!(Case::open(&path), Err(LedgerError::NotACase(_))));
        assert!(matches!(Case::open(folder.path()), Err(LedgerError::Missing(_))));
        let other = folder.path().join("other.db");
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
        assert!(matches!(Case::open(&other), Err(LedgerError::NotACase(_))));
    }
}
