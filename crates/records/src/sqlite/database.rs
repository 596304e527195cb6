//! An opened database: its tables, and their rows.

use super::columns::columns;
use super::header::MAGIC;
use super::pager::Pager;
use super::tree::{Row, Source, Tree};
use crate::error::RecordError;
use lidless_io::ReadAt;
use std::ops::ControlFlow;
use std::sync::Arc;

/// How many tables and indexes of a schema are looked at.
const SCHEMA_ROWS: usize = 10_000;

/// A table of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    root: u32,
    columns: Vec<(String, Source)>,
    /// True when its rows have no ids and lie in the order of their key.
    pub without_row_id: bool,
}

impl Table {
    /// The names of its columns, as they were declared.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }
}

/// A SQLite database.
pub struct Database {
    pager: Pager,
    tables: Vec<Table>,
}

impl Database {
    /// Whether a file begins as a database does.
    #[must_use]
    pub fn is_one(head: &[u8]) -> bool {
        head.starts_with(MAGIC)
    }

    /// Opens a database with the write-ahead log that lies beside it (`NAME-wal`), and reads its
    /// schema.
    ///
    /// # Errors
    /// `Malformed`, `Closed` when it looks encrypted as a whole, `Read`.
    pub fn open(bytes: Arc<dyn ReadAt>, log: Option<Arc<dyn ReadAt>>) -> Result<Self, RecordError> {
        let pager = Pager::open(bytes, log)?;
        let mut tables = Vec::new();
        let mut rows = 0usize;
        // The schema is a table of its own on the first page: type, name, tbl_name, rootpage, sql.
        let wanted = [0, 1, 3, 4].map(Source::Column);
        Tree::new(&pager).rows(1, &wanted, &mut |row| {
            rows = rows.saturating_add(1);
            if rows > SCHEMA_ROWS {
                return ControlFlow::Break(());
            }
            let [kind, name, root, statement] = row.values.as_slice() else {
                return ControlFlow::Continue(());
            };
            let root = root.integer().and_then(|root| u32::try_from(root).ok());
            // Virtual tables have no pages of their own.
            if let (Some("table"), Some(name), Some(root @ 1..)) = (kind.text(), name.text(), root)
            {
                let columns = columns(statement.text().unwrap_or(""));
                tables.push(Table {
                    name: name.to_owned(),
                    root,
                    columns: columns.row,
                    without_row_id: columns.without_row_id,
                });
            }
            ControlFlow::Continue(())
        })?;
        Ok(Self { pager, tables })
    }

    /// Every table, in the order of the schema.
    #[must_use]
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// A table by its name.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name.eq_ignore_ascii_case(name))
    }

    /// How many pages there are, those of the log included.
    #[must_use]
    pub fn page_count(&self) -> u32 {
        self.pager.page_count()
    }

    /// How many rows a table has. Reads its pages, and no content of a row that lies elsewhere.
    ///
    /// # Errors
    /// `Malformed`, `Limit`, `Read`.
    pub fn count(&self, table: &Table) -> Result<u64, RecordError> {
        Tree::new(&self.pager).count(table.root)
    }

    /// Hands out the rows of a table with the columns asked for, in the order of their ids; a
    /// column that is not there is null. Of one row, what lies past its first MiB is not read.
    ///
    /// # Errors
    /// `Malformed`, `Limit`, `Read`; what was handed out before stays good.
    pub fn rows(
        &self,
        table: &Table,
        columns: &[&str],
        visit: &mut dyn FnMut(Row) -> ControlFlow<()>,
    ) -> Result<(), RecordError> {
        let find = |wanted: &&str| {
            let own = table.columns.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            own.map_or(Source::Missing, |(_, source)| *source)
        };
        let sources: Vec<Source> = columns.iter().map(find).collect();
        Tree::new(&self.pager).rows(table.root, &sources, visit)
    }
}
