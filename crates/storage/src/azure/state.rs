//! Reading one state of a blob: a version or a snapshot in place of the current content.

use super::query::Query;
use super::store::Shared;
use crate::client::{Answer, Verb};
use crate::content::GetPart;
use crate::store::StorageError;
use crate::url::query;
use lidless_core::ObjectVersion;
use lidless_io::Link;
use std::sync::Arc;

/// One state of every blob.
pub(crate) struct StatePart {
    pub(crate) shared: Arc<Shared>,
    pub(crate) version: ObjectVersion,
}

/// The parameter that names a state in a URL; empty for what no URL opens.
pub(crate) fn parameter(version: &ObjectVersion) -> String {
    match version {
        ObjectVersion::Version(id) => format!("versionid={}", query(id)),
        ObjectVersion::Snapshot(time) => format!("snapshot={}", query(time)),
        ObjectVersion::Deleted(_) | ObjectVersion::Behind(_) => String::new(),
    }
}

impl GetPart for StatePart {
    fn place(&self, container: &str, key: &str) -> String {
        format!("{}?{}", self.shared.place(container, key), self.version.query())
    }

    fn get(
        &self,
        container: &str,
        key: &str,
        part_only: bool,
        headers: Vec<(&'static str, String)>,
        what: &str,
        limit: u64,
    ) -> Result<Answer, StorageError> {
        let parameters = parameter(&self.version);
        let about = Query { part_only, parameters, ..Query::blob(container, key) };
        self.shared.ask(Verb::Get, &about, headers, what, limit)
    }

    fn refused(&self, what: &str, answer: &Answer) -> StorageError {
        self.shared.refused(what, answer)
    }

    fn link(&self) -> &Link {
        &self.shared.link
    }
}
