//! What is noted of every request, without what may be secret in it.

use crate::client::{Answer, Failure, Verb};
use crate::url::authority;
use lidless_core::{RequestRecord, Timestamp};
use std::time::Duration;

/// Where requests are noted. Called from many threads, once for each request, after its answer.
pub trait Trail: Send + Sync + std::fmt::Debug {
    /// Notes one request.
    fn note(&self, record: RequestRecord);
}

/// One request that was sent.
pub(crate) struct Sent<'a> {
    pub(crate) time: Timestamp,
    pub(crate) verb: Verb,
    pub(crate) url: &'a str,
    pub(crate) hide_path: bool,
    pub(crate) rule: &'a str,
    pub(crate) id: &'a str,
    pub(crate) attempt: u32,
    pub(crate) bytes: u64,
    pub(crate) took: Duration,
}

impl Sent<'_> {
    /// The record of it and of what came of it.
    pub(crate) fn record(&self, result: &Result<Answer, Failure>) -> RequestRecord {
        let method = match self.verb {
            Verb::Get => "GET",
            Verb::Head => "HEAD",
        };
        RequestRecord {
            time: self.time,
            method: method.to_owned(),
            url: shown(self.url, self.hide_path),
            rule: self.rule.to_owned(),
            id: self.id.to_owned(),
            attempt: self.attempt,
            status: result.as_ref().ok().map(|answer| answer.status),
            bytes: self.bytes,
            milliseconds: u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
            failure: result.as_ref().err().map(|failure| failure.error.message.clone()),
        }
    }
}

/// Parameters whose values say what was asked and open nothing. All others keep their names only.
const PLAIN: [&str; 38] = [
    "acl",
    "alt",
    "api-version",
    "comp",
    "continuation-token",
    "delimiter",
    "encoding-type",
    "endoffset",
    "fields",
    "include",
    "includetrailingdelimiter",
    "list-type",
    "location",
    "marker",
    "max-keys",
    "maxresults",
    "numofmessages",
    "pagetoken",
    "peekonly",
    "policystatus",
    "policy",
    "prefix",
    "projection",
    "restype",
    "se",
    "showonly",
    "snapshot",
    "sp",
    "sr",
    "srt",
    "ss",
    "st",
    "start-after",
    "startoffset",
    "sv",
    "timeout",
    "versionid",
    "versions",
];

/// A URL as the trail keeps it.
fn shown(url: &str, hide_path: bool) -> String {
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    let origin = format!("{}://{}", scheme.to_ascii_lowercase(), authority(url));
    if hide_path {
        return format!("{origin}/[…]");
    }
    let (before, query) = url.split_once('?').unwrap_or((url, ""));
    let path = crate::url::encoded_path(before);
    let query = query.split('#').next().unwrap_or("");
    let parts: Vec<String> = query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| match part.split_once('=') {
            Some((name, _)) if !is_plain(name) => format!("{}=[…]", clean(name)),
            // Without a name of its own, all of it may be a value.
            None if !is_plain(part) => "[…]".to_owned(),
            _ => clean(part),
        })
        .collect();
    if parts.is_empty() {
        format!("{origin}{}", clean(&path))
    } else {
        format!("{origin}{}?{}", clean(&path), parts.join("&"))
    }
}

fn is_plain(name: &str) -> bool {
    PLAIN.contains(&name.to_ascii_lowercase().as_str())
}

fn clean(text: &str) -> String {
    text.chars().filter(|one| !one.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_noted_without_what_opens_anything() {
        let url = "HTTPS://u:p@a.example.com:8/c/x%20y?restype=container&comp=list&marker=m&\
                   sv=2020&sp=rl&sig=c4n4ry%3D&X-Amz-Signature=c4n4ry&x-amz-credential=c4n4ry&\
                   code=c4n4ry&c4n4ry#c4n4ry";
        let seen = shown(url, false);
        assert_eq!(
            seen,
            "https://a.example.com:8/c/x%20y?restype=container&comp=list&marker=m&sv=2020&sp=rl&\
             sig=[…]&X-Amz-Signature=[…]&x-amz-credential=[…]&code=[…]&[…]"
        );
        assert_eq!(
            shown("https://h.example.com/bot-c4n4ry/getMe", true),
            "https://h.example.com/[…]"
        );
        assert_eq!(shown("http://h.example.com?x", false), "http://h.example.com/?[…]");
    }

    #[test]
    fn the_parameters_that_are_shown_are_written_once_each() {
        let mut sorted = PLAIN.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), PLAIN.len());
    }
}
