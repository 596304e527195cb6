//! Tables: their names, and the first rows.
//!
//! Source: "Query Tables" and "Query Entities" of the service's documentation; answers are JSON
//! without metadata, and what follows is named in headers (`x-ms-continuation-...`).

use super::error::refused;
use super::peeked::{self, First, Kept};
use super::query::Query;
use super::service::{Names, PAGE_LIMIT, Question, Service};
use super::shared::Shared;
use super::verdict::Subject;
use crate::client::{Answer, Verb};
use crate::store::{ListPage, ListRequest, StorageError, malformed};
use crate::url::query;
use bytes::Bytes;
use lidless_core::{Container, Object};
use lidless_io::ReadAt;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::sync::Arc;

/// The name of the one object of a table.
const KEY: &str = "rows.json";
/// The most rows that one answer brings.
const MOST: u32 = 1000;

/// More tables than this no answer names: the service says that 1,000 are the most.
const MOST_NAMES: usize = 100_000;

/// Tables.
pub(crate) struct Tables;

impl Service for Tables {
    fn things(&self) -> &'static str {
        "tables"
    }

    fn names(&self, marker: Option<&str>, most: u32) -> Question {
        let next = marker.map(|name| format!("&NextTableName={}", query(name))).unwrap_or_default();
        let parameters = format!("%24top={most}{next}");
        let about = Query { touched: String::new(), ..Query::resource("Tables", parameters) };
        (about, json())
    }

    fn read_names(&self, answer: &Answer) -> Result<Names, String> {
        let found = names(&answer.body)?;
        let found = found.into_iter().map(|name| Container { name, public: None, modified: None });
        let next = answer.header("x-ms-continuation-nexttablename").map(str::to_owned);
        Ok(Names { found: found.collect(), left_out: Vec::new(), next })
    }

    fn content(&self, container: &str, _: Option<&str>) -> (Question, Subject) {
        ((rows(container, 1), json()), Subject::Content)
    }

    fn list(
        &self,
        shared: &Shared,
        kept: &Kept,
        request: &ListRequest,
    ) -> Result<ListPage, StorageError> {
        peeked::list(shared, kept, request, KEY, first)
    }

    fn head(&self, shared: &Shared, container: &str, key: &str) -> Result<Object, StorageError> {
        peeked::head(shared, container, (key, KEY), first)
    }

    fn open(
        &self,
        shared: &Arc<Shared>,
        kept: &Kept,
        container: &str,
        object: &Object,
    ) -> Arc<dyn ReadAt> {
        peeked::open(shared, kept, container, object, first)
    }
}

fn json() -> Vec<(&'static str, String)> {
    vec![("accept", "application/json;odata=nometadata".to_owned())]
}

fn rows(table: &str, most: u32) -> Query {
    let about = Query::resource(&format!("{table}()"), format!("%24top={most}"));
    Query { touched: table.to_owned(), ..about }
}

fn first(shared: &Shared, table: &str) -> Result<First, StorageError> {
    let what = format!("read the first rows of {}/{table}", shared.name);
    let answer = shared.ask(Verb::Get, &rows(table, MOST), json(), &what, PAGE_LIMIT)?;
    if answer.status != 200 {
        return Err(refused(&what, &answer));
    }
    if !answer.whole {
        return Err(malformed(&what, "a page is larger than any can be"));
    }
    let count = row_count(&answer.body).map_err(|why| malformed(&what, &why))?;
    let more = answer.header("x-ms-continuation-nextpartitionkey").is_some();
    let bytes = if count == 0 { Bytes::new() } else { Bytes::from(answer.body) };
    Ok(First { bytes, behind: more.then(|| "further-rows".to_owned()) })
}

/// An answer; of its values only what is asked for is kept, whatever their number.
#[derive(Deserialize)]
struct Values<T> {
    value: Vec<T>,
}

/// One table.
#[derive(Deserialize)]
struct Named {
    #[serde(rename = "TableName", default)]
    name: Option<String>,
}

fn values<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<Vec<T>, String> {
    let answer: Values<T> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    Ok(answer.value)
}

fn names(body: &[u8]) -> Result<Vec<String>, String> {
    if row_count(body)? > MOST_NAMES {
        return Err("more tables than a page has".into());
    }
    let named: Vec<Named> = values(body)?;
    Ok(named.into_iter().filter_map(|one| one.name.filter(|name| !name.is_empty())).collect())
}

fn row_count(body: &[u8]) -> Result<usize, String> {
    Ok(values::<IgnoredAny>(body)?.len())
}

impl ListPage {
    /// Reads an answer of Azure's Query Tables: the names.
    ///
    /// # Errors
    /// `Malformed` when it is no such answer.
    pub fn tables_of_azure_json(body: &[u8]) -> Result<Vec<String>, StorageError> {
        names(body).map_err(|why| malformed("read the tables", &why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_rows_are_read_and_nonsense_is_refused() {
        let body = br#"{"value":[{"TableName":"people"},{"TableName":""},{"Other":1}]}"#;
        assert_eq!(names(body).unwrap(), ["people"]);
        assert_eq!(row_count(body).unwrap(), 3);
        for bad in ["", "[]", "{}", "{\"value\":{}}", "<a/>"] {
            assert!(names(bad.as_bytes()).is_err(), "{bad}");
        }
        lidless_kit::cut_and_flip(body, |bytes| {
            let _ = (names(bytes), row_count(bytes));
        });
    }
}
