//! What one request is about, and with which words it is asked.

use percent_encoding::percent_decode_str;

/// A request to the account, a container or a blob, without credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Query {
    /// Container and key, decoded; empty for the account.
    pub(crate) resource: String,
    /// The part of the store it touches: the resource, or the folder that a listing stays in.
    pub(crate) touched: String,
    /// Parameters of the operation, encoded, without a leading `?`.
    pub(crate) parameters: String,
    /// It is about one blob.
    pub(crate) is_blob: bool,
    /// Only a part (206) is of use.
    pub(crate) part_only: bool,
}

impl Query {
    /// An operation on the account.
    pub(crate) fn account(parameters: &str) -> Self {
        Self {
            resource: String::new(),
            touched: String::new(),
            parameters: parameters.to_owned(),
            is_blob: false,
            part_only: false,
        }
    }

    /// A listing of a container that names only keys below `prefix`.
    pub(crate) fn container(name: &str, prefix: &str, parameters: String) -> Self {
        // `logs/2026` also lists `logs/20261`: what surely holds all of it is the folder `logs`.
        let touched = match prefix.rsplit_once('/') {
            Some((folder, _)) => format!("{name}/{folder}"),
            None => name.to_owned(),
        };
        Self { touched, ..Self::resource(name, parameters) }
    }

    /// An operation on anything, by its path.
    pub(crate) fn resource(path: &str, parameters: String) -> Self {
        Self {
            resource: path.to_owned(),
            touched: path.to_owned(),
            parameters,
            is_blob: false,
            part_only: false,
        }
    }

    /// An operation on a blob.
    pub(crate) fn blob(container: &str, key: &str) -> Self {
        let resource = format!("{container}/{key}");
        Self {
            touched: resource.clone(),
            resource,
            parameters: String::new(),
            is_blob: true,
            part_only: false,
        }
    }
}

/// The parameters that say what an operation does. They are the request's own: a link that was
/// copied from a listing brings them along, and they are left out.
const OPERATION: [&str; 25] = [
    "comp",
    "restype",
    "prefix",
    "delimiter",
    "marker",
    "maxresults",
    "include",
    "timeout",
    "showonly",
    "where",
    // Files and data lakes.
    "sharesnapshot",
    "resource",
    "action",
    "recursive",
    "directory",
    "continuation",
    // Queues: a link must not say that messages are taken.
    "peekonly",
    "numofmessages",
    "visibilitytimeout",
    "popreceipt",
    "messagettl",
    // Tables.
    "$top",
    "$filter",
    "$select",
    "$format",
];
/// The parameters that name a state of one blob, and mean nothing elsewhere.
const STATE: [&str; 2] = ["snapshot", "versionid"];

/// The credential part of a link's query, as it was signed, for a request about the link's own
/// blob or about something else.
pub(crate) fn credential(raw: &str, own_blob: bool) -> String {
    let kept: Vec<&str> = raw
        .trim_start_matches('?')
        .split('&')
        .filter(|part| {
            let name = part.split('=').next().unwrap_or("");
            let name = percent_decode_str(name).decode_utf8_lossy().to_ascii_lowercase();
            let left_out =
                OPERATION.contains(&name.as_str()) || (!own_blob && STATE.contains(&name.as_str()));
            !part.is_empty() && !left_out
        })
        .collect();
    crate::url::fit(&kept.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_touches_the_folder_it_stays_in() {
        let touched = |prefix| Query::container("c", prefix, String::new()).touched;
        assert_eq!(touched(""), "c");
        assert_eq!(touched("logs/"), "c/logs");
        assert_eq!(touched("logs/2026"), "c/logs");
        assert_eq!(touched("logs"), "c");
    }

    #[test]
    fn a_token_is_kept_as_it_was_signed_and_the_operation_of_its_link_is_not() {
        let raw = "?restype=container&comp=list&sv=2020-08-04&sp=rl&snapshot=2020&sig=a%2Bb%3D";
        assert_eq!(credential(raw, false), "sv=2020-08-04&sp=rl&sig=a%2Bb%3D");
        assert_eq!(
            credential("sv=1&peekonly=false&%70eekonly=false&%24top=9&sig=x", false),
            "sv=1&sig=x"
        );
        assert_eq!(credential(raw, true), "sv=2020-08-04&sp=rl&snapshot=2020&sig=a%2Bb%3D");
    }
}
