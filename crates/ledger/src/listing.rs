//! Listings that go on where they stopped.

use crate::case::Case;
use crate::error::LedgerError;
use crate::inventory::ContainerId;
use crate::rows::{Rows, is_certain};
use lidless_core::Object;
use rusqlite::{OptionalExtension as _, Row, params};

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

/// One prefix, or a part of the keys below it, that is not listed to its end yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListingTask {
    /// Which container.
    pub container: ContainerId,
    /// Which prefix.
    pub prefix: String,
    /// The least key of the part; empty for the first.
    pub start: String,
    /// The first key past the part; null for all keys above.
    pub until: Option<String>,
    /// The grant it is listed with.
    pub grant: String,
    /// How.
    pub mode: ListingMode,
    /// Where the next page starts.
    pub cursor: Option<String>,
    /// Where a flat listing of the same prefix would go on.
    pub fallback: Option<String>,
    /// The largest key so far.
    pub last: Option<String>,
}

/// What a listing did that no listing of a container at rest does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Oddities {
    /// Names that came twice.
    pub repeated: u64,
    /// Names that came before a smaller one.
    pub disordered: u64,
    /// Names outside of what was asked for.
    pub foreign: u64,
}

impl Oddities {
    /// True when there is none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Tells names that came twice from names that came late: `known` of them were there.
    pub(crate) fn with_known(self, known: u64) -> Self {
        let repeated = known.min(self.disordered);
        let disordered = self.disordered.saturating_sub(repeated);
        Self { repeated: self.repeated.saturating_add(repeated), disordered, ..self }
    }
}

/// One page of a listing, and where it goes on.
#[derive(Debug, Clone, Copy)]
pub struct ListedPage<'a> {
    /// The listing it belongs to, as it was when the page was asked for.
    pub task: &'a ListingTask,
    /// The objects, each with its priority.
    pub objects: &'a [(Object, i64)],
    /// Folders that become listings of their own.
    pub folders: &'a [String],
    /// What was odd.
    pub oddities: Oddities,
    /// The listing as it goes on; null ends it.
    pub next: Option<&'a ListingTask>,
}

const COLUMNS: &str =
    "container_id, prefix, start, until, grant_id, mode, cursor, fallback, last FROM listings";

fn task_of(row: &Row<'_>) -> Result<ListingTask, rusqlite::Error> {
    Ok(ListingTask {
        container: ContainerId(row.get(0)?),
        prefix: row.get(1)?,
        start: row.get(2)?,
        until: row.get(3)?,
        grant: row.get(4)?,
        mode: ListingMode::parse(&row.get::<_, String>(5)?),
        cursor: row.get(6)?,
        fallback: row.get(7)?,
        last: row.get(8)?,
    })
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
        let overlaps = {
            let connection = self.lock();
            let same: Option<i64> = connection
                .query_row(
                    "SELECT 1 FROM listings WHERE container_id = ?1 AND prefix = ?2",
                    params![container.0, prefix],
                    |row| row.get(0),
                )
                .optional()?;
            if same.is_some() {
                return Ok(());
            }
            let mut statement =
                connection.prepare("SELECT prefix FROM listings WHERE container_id = ?1")?;
            let mut rows = statement.query([container.0])?;
            let mut overlaps = false;
            while let Some(row) = rows.next()? {
                let other: String = row.get(0)?;
                overlaps |= other.starts_with(prefix) || prefix.starts_with(other.as_str());
            }
            overlaps
        };
        if overlaps {
            // What it names may be there already.
            self.index_keys()?;
        }
        self.write(|connection| {
            connection.execute(
                "INSERT OR IGNORE INTO listings (container_id, prefix, grant_id, mode)
                 VALUES (?1, ?2, ?3, 'flat')",
                params![container.0, prefix, grant],
            )?;
            Ok(())
        })
    }

    /// Listings that are not at their end, after `after` in a fixed order, at most `limit`.
    ///
    /// # Errors
    /// `Database`.
    pub fn open_listings(
        &self,
        after: Option<&ListingTask>,
        limit: usize,
    ) -> Result<Vec<ListingTask>, LedgerError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} WHERE state = 0 AND (container_id, prefix, start) > (?1, ?2, ?3)
             ORDER BY container_id, prefix, start LIMIT ?4"
        ))?;
        let (container, prefix, start) = after.map_or((i64::MIN, "", ""), |task| {
            (task.container.0, task.prefix.as_str(), task.start.as_str())
        });
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![container, prefix, start, limit], task_of)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Leaves a listing that the service broke off, for a resumed run to go on with.
    ///
    /// # Errors
    /// `Database`.
    pub fn break_off_listing(&self, task: &ListingTask) -> Result<(), LedgerError> {
        self.write(|connection| {
            connection.execute(
                "UPDATE listings SET state = 2
                 WHERE container_id = ?1 AND prefix = ?2 AND start = ?3 AND state = 0",
                params![task.container.0, task.prefix, task.start],
            )?;
            Ok(())
        })
    }

    /// Hands the upper part of a listing to a listing of its own, which begins with `objects`.
    /// False when the listing has come to its end, or past the place, meanwhile: then nothing is
    /// changed.
    ///
    /// # Errors
    /// `Database`.
    pub fn split_listing(
        &self,
        task: &ListingTask,
        upper: &ListingTask,
        objects: &[(Object, i64)],
    ) -> Result<bool, LedgerError> {
        self.write(|connection| {
            let now: Option<(Option<String>, Option<String>)> = connection
                .query_row(
                    "SELECT last, until FROM listings
                     WHERE container_id = ?1 AND prefix = ?2 AND start = ?3 AND state = 0",
                    params![task.container.0, task.prefix, task.start],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()?;
            let Some((last, until)) = now else { return Ok(false) };
            let is_past = last.is_some_and(|last| last >= upper.start);
            if is_past || until != upper.until {
                return Ok(false);
            }
            connection.execute(
                "UPDATE listings SET until = ?4
                 WHERE container_id = ?1 AND prefix = ?2 AND start = ?3",
                params![task.container.0, task.prefix, task.start, upper.start],
            )?;
            connection.execute(
                "INSERT OR IGNORE INTO listings
                 (container_id, prefix, start, until, grant_id, mode, cursor, last)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    upper.container.0,
                    upper.prefix,
                    upper.start,
                    upper.until,
                    upper.grant,
                    upper.mode.as_str(),
                    upper.cursor,
                    upper.last
                ],
            )?;
            Rows::new(connection, task.container).append(objects)?;
            Ok(true)
        })
    }

    /// Keeps one page and where its listing goes on, all or nothing. True when it goes on: a part
    /// of a key space ends with the first key past it, which may have moved meanwhile.
    ///
    /// # Errors
    /// `Database`.
    pub fn put_page(&self, page: &ListedPage<'_>) -> Result<bool, LedgerError> {
        let task = page.task;
        let in_order = page.oddities.is_none();
        if !(in_order && is_certain(task, page.objects)) {
            self.index_keys()?;
        }
        let indexed = self.keys_are_indexed();
        self.write(|connection| {
            let place = params![task.container.0, task.prefix, task.start];
            let until: Option<String> = connection
                .prepare_cached(
                    "SELECT until FROM listings
                     WHERE container_id = ?1 AND prefix = ?2 AND start = ?3",
                )?
                .query_row(place, |row| row.get(0))
                .optional()?
                .flatten();
            // Without order there is no first key past the end: it is listed to the end of all.
            let until = until.filter(|_| in_order);
            let is_within = |key: &str| until.as_deref().is_none_or(|until| key < until);
            let count = page.objects.partition_point(|(object, _)| is_within(&object.key));
            let within = page.objects.get(..count).unwrap_or_default();
            let mut rows = Rows::new(connection, task.container);
            if indexed {
                let known = rows.merge(within)?;
                rows.note(page.oddities.with_known(known))?;
            } else {
                rows.append(within)?;
            }
            let mut insert = connection.prepare_cached(
                "INSERT OR IGNORE INTO listings (container_id, prefix, grant_id, mode)
                 VALUES (?1, ?2, ?3, 'flat')",
            )?;
            for folder in page.folders {
                insert.execute(params![task.container.0, folder, task.grant])?;
            }
            let is_past = count < page.objects.len();
            let Some(next) = page.next.filter(|_| !is_past) else {
                connection
                    .prepare_cached(
                        "UPDATE listings SET state = 1
                         WHERE container_id = ?1 AND prefix = ?2 AND start = ?3",
                    )?
                    .execute(place)?;
                return Ok(false);
            };
            connection
                .prepare_cached(
                    "UPDATE listings SET mode = ?4, cursor = ?5, fallback = ?6, last = ?7,
                     until = CASE WHEN ?8 THEN until END
                     WHERE container_id = ?1 AND prefix = ?2 AND start = ?3",
                )?
                .execute(params![
                    task.container.0,
                    task.prefix,
                    task.start,
                    next.mode.as_str(),
                    next.cursor,
                    next.fallback,
                    next.last,
                    in_order
                ])?;
            Ok(true)
        })
    }
}
