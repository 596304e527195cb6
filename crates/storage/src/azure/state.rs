//! One state of a blob: a version or a snapshot in place of the current content.

use crate::url::query;
use lidless_core::ObjectVersion;

/// The parameter that names a state in a URL; empty for what no URL opens.
pub(crate) fn parameter(version: &ObjectVersion) -> String {
    match version {
        ObjectVersion::Version(id) => format!("versionid={}", query(id)),
        ObjectVersion::Snapshot(time) => format!("snapshot={}", query(time)),
        ObjectVersion::Deleted(_) | ObjectVersion::Behind(_) => String::new(),
    }
}
