//! Listings that go on where they stopped.

use crate::case::Case;
use crate::error::LedgerError;
use crate::inventory::{ContainerId, put_objects};
use lidless_core::Object;
use rusqlite::params;

/// How a prefix is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListingMode {
    /// Everything below the prefix; split into its folders when it takes more than a page.
    Flat,
    /// One level: objects right below the prefix, and its folders as listings of their own.
    Split,
    /// Everything below the prefix, page after page, never split again.
    Straight,
}

impl ListingMode {
    fn as_str(self) -> &'static str {
        match self {
            Self::Flat => "flat",
            Self::Split => "split",
            Self::Straight => "straight",
        }
    }

    fn parse(word: &str) -> Self {
        match word {
            "split" => Self::Split,
            "straight" => Self::Straight,
            _ => Self::Flat,
        }
    }
}

/// One prefix that is not listed to its end yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListingTask {
    /// Which container.
    pub container: ContainerId,
    /// Which prefix.
    pub prefix: String,
    /// The grant it is listed with.
    pub grant: String,
    /// How.
    pub mode: ListingMode,
    /// Where the next page starts.
    pub cursor: Option<String>,
    /// Where a flat listing of the same prefix would go on.
    pub fallback: Option<String>,
}

impl Case {
    /// Starts a listing unless it was started before.
    ///
    /// # Errors
    /// `Database`.
    pub fn start_listing(
        &self,
        container: ContainerId,
        prefix: &str,
        grant: &str,
    ) -> Result<(), LedgerError> {
        self.lock().execute(
            "INSERT OR IGNORE INTO listings (container_id, prefix, grant_id, mode)
             VALUES (?1, ?2, ?3, 'flat')",
            params![container.0, prefix, grant],
        )?;
        Ok(())
    }

    /// The listings that are not at their end, in a fixed order.
    ///
    /// # Errors
    /// `Database`.
    pub fn open_listings(&self) -> Result<Vec<ListingTask>, LedgerError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT container_id, prefix, grant_id, mode, cursor, fallback FROM listings
             WHERE done = 0 ORDER BY container_id, prefix",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(ListingTask {
                container: ContainerId(row.get(0)?),
                prefix: row.get(1)?,
                grant: row.get(2)?,
                mode: ListingMode::parse(&row.get::<_, String>(3)?),
                cursor: row.get(4)?,
                fallback: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Keeps one page and where its listing goes on, all or nothing: the objects with their
    /// priorities, the folders as new listings, and the listing itself with its next page
    /// (`None` ends it).
    ///
    /// # Errors
    /// `Database`.
    pub fn put_page(
        &self,
        task: &ListingTask,
        objects: &[(Object, i64)],
        folders: &[String],
        next: Option<&ListingTask>,
    ) -> Result<(), LedgerError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        put_objects(&transaction, task.container, objects)?;
        {
            let mut insert = transaction.prepare_cached(
                "INSERT OR IGNORE INTO listings (container_id, prefix, grant_id, mode)
                 VALUES (?1, ?2, ?3, 'flat')",
            )?;
            for folder in folders {
                insert.execute(params![task.container.0, folder, task.grant])?;
            }
        }
        match next {
            Some(next) => transaction.execute(
                "UPDATE listings SET mode = ?3, cursor = ?4, fallback = ?5
                 WHERE container_id = ?1 AND prefix = ?2",
                params![
                    task.container.0,
                    task.prefix,
                    next.mode.as_str(),
                    next.cursor,
                    next.fallback
                ],
            )?,
            None => transaction.execute(
                "UPDATE listings SET done = 1 WHERE container_id = ?1 AND prefix = ?2",
                params![task.container.0, task.prefix],
            )?,
        };
        transaction.commit()?;
        Ok(())
    }
}
