//! Queues: their names, and the first messages, which are only peeked at.
//!
//! Source: "List Queues", "Peek Messages" and "Get Queue Metadata" of the service's
//! documentation. `GET QUEUE/messages` without `peekonly=true` takes messages out of the queue:
//! no request here does ([`super::shared`] refuses to send one).

use super::error::refused;
use super::peeked::{self, First, Kept};
use super::query::Query;
use super::service::{Names, PAGE_LIMIT, Question, Service};
use super::shared::Shared;
use super::verdict::Subject;
use crate::client::{Answer, Verb};
use crate::store::{ListPage, ListRequest, StorageError, malformed};
use crate::url::query;
use crate::xml::{Step, Walk};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use lidless_core::{Container, Object};
use lidless_io::ReadAt;
use std::sync::Arc;

/// The name of the one object of a queue.
const KEY: &str = "messages.jsonl";
/// The most messages that one peek shows.
const MOST: u64 = 32;

/// Queues.
pub(crate) struct Queues;

impl Service for Queues {
    fn things(&self) -> &'static str {
        "queues"
    }

    fn names(&self, marker: Option<&str>, most: u32) -> Question {
        let marker = marker.map(|marker| format!("&marker={}", query(marker))).unwrap_or_default();
        let parameters = format!("comp=list&maxresults={most}{marker}");
        (Query::account(&parameters), Vec::new())
    }

    fn read_names(&self, answer: &Answer) -> Result<Names, String> {
        let (names, next) = names(&answer.body)?;
        let found = names.into_iter().map(|name| Container { name, public: None, modified: None });
        Ok(Names { found: found.collect(), left_out: Vec::new(), next })
    }

    fn content(&self, container: &str, _: Option<&str>) -> (Question, Subject) {
        ((peek(container, 1), Vec::new()), Subject::Content)
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

fn peek(queue: &str, most: u64) -> Query {
    let parameters = format!("peekonly=true&numofmessages={most}");
    Query { touched: queue.to_owned(), ..Query::resource(&format!("{queue}/messages"), parameters) }
}

/// Peeks at the first messages, and asks how many there are where that is allowed.
fn first(shared: &Shared, queue: &str) -> Result<First, StorageError> {
    let what = format!("peek at the messages of {}/{queue}", shared.name);
    let answer = shared.ask(Verb::Get, &peek(queue, MOST), Vec::new(), &what, PAGE_LIMIT)?;
    if answer.status != 200 {
        return Err(refused(&what, &answer));
    }
    let messages = messages(&answer.body).map_err(|why| malformed(&what, &why))?;
    let seen = u64::try_from(messages.len()).unwrap_or(u64::MAX);
    let mut behind = None;
    if seen >= MOST {
        let about = Query::resource(queue, "comp=metadata".to_owned());
        let what = format!("count the messages of {}/{queue}", shared.name);
        let answer = shared.ask(Verb::Get, &about, Vec::new(), &what, 0).ok();
        let header = answer.filter(|answer| answer.status == 200);
        let count = header.and_then(|answer| {
            answer.header("x-ms-approximate-messages-count")?.trim().parse::<u64>().ok()
        });
        behind = match count {
            Some(count) if count <= seen => None,
            Some(count) => Some(format!("{}-further-messages", count.saturating_sub(seen))),
            None => Some("further-messages".to_owned()),
        };
    }
    let bytes = Bytes::from(messages.concat());
    Ok(First { bytes, behind })
}

/// Names of queues and the marker of the next page.
fn names(body: &[u8]) -> Result<(Vec<String>, Option<String>), String> {
    let mut walk = Walk::new(body);
    let (mut found, mut next, mut complete) = (Vec::new(), None, false);
    loop {
        match walk.step()? {
            Step::Open => {}
            Step::Close => {
                let (name, text) = walk.close();
                match (name.as_str(), walk.path.last().map(String::as_str)) {
                    ("Name", Some("Queue")) if !text.is_empty() => found.push(text),
                    ("NextMarker", Some("EnumerationResults")) if !text.is_empty() => {
                        next = Some(text);
                    }
                    ("EnumerationResults", None) => complete = true,
                    _ => {}
                }
            }
            Step::End if complete => {
                return walk.lists_only("Queues").map(|()| (found, next));
            }
            Step::End => return Err("the listing breaks off".into()),
        }
    }
}

/// Messages as lines of JSON. A text in base64, as most libraries write it, is decoded.
fn messages(body: &[u8]) -> Result<Vec<String>, String> {
    let mut walk = Walk::new(body);
    let (mut found, mut complete) = (Vec::new(), false);
    let mut message = serde_json::Map::new();
    loop {
        match walk.step()? {
            Step::Open if walk.path.last().is_some_and(|name| name == "QueueMessage") => {
                message.clear();
            }
            Step::Open => {}
            Step::Close => {
                let (name, text) = walk.close();
                let key = match (name.as_str(), walk.path.last().map(String::as_str)) {
                    ("MessageId", _) => "id",
                    ("InsertionTime", _) => "inserted",
                    ("ExpirationTime", _) => "expires",
                    ("MessageText", _) => {
                        message.insert("text".into(), decoded(&text).unwrap_or(text).into());
                        continue;
                    }
                    ("QueueMessage", _) => {
                        let line = serde_json::Value::Object(std::mem::take(&mut message));
                        found.push(format!("{line}\n"));
                        continue;
                    }
                    ("QueueMessagesList", None) => {
                        complete = true;
                        continue;
                    }
                    _ => continue,
                };
                message.insert(key.into(), text.into());
            }
            Step::End if complete => return Ok(found),
            Step::End if walk.empty_root.as_deref() == Some("QueueMessagesList") => {
                return Ok(found);
            }
            Step::End => return Err("the messages break off".into()),
        }
    }
}

fn decoded(text: &str) -> Option<String> {
    let decoded = String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()?;
    let plain = decoded.chars().all(|one| !one.is_control() || one.is_whitespace());
    (!decoded.is_empty() && plain).then_some(decoded)
}

impl ListPage {
    /// Reads an answer of Azure's Peek Messages as the one text that is looked into.
    ///
    /// # Errors
    /// `Malformed` when it is no such answer, or not all of one.
    pub fn messages_of_azure_xml(body: &[u8]) -> Result<String, StorageError> {
        let lines = messages(body).map_err(|why| malformed("read the messages", &why))?;
        Ok(lines.concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the service's documentation of Peek Messages.
    const PEEKED: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?><QueueMessagesList>\
        <QueueMessage><MessageId>5974b586-0df3-4e2d-ad0c-18e3892bfca2</MessageId><InsertionTime>\
        Fri, 09 Oct 2026 21:04:30 GMT</InsertionTime><ExpirationTime>Fri, 16 Oct 2026 21:04:30 GMT\
        </ExpirationTime><DequeueCount>0</DequeueCount><MessageText>eyJwYXNzIjogIngifQ==\
        </MessageText></QueueMessage><QueueMessage><MessageId>2</MessageId><MessageText>a &lt;b&gt;\
        \n&quot;c&quot;</MessageText></QueueMessage></QueueMessagesList>";

    #[test]
    fn messages_become_lines_and_base64_is_decoded() {
        let lines = messages(PEEKED.as_bytes()).unwrap();
        assert_eq!(lines.len(), 2);
        let first: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!(first["text"], "{\"pass\": \"x\"}");
        assert_eq!(first["inserted"], "Fri, 09 Oct 2026 21:04:30 GMT");
        let second: serde_json::Value = serde_json::from_str(&lines[1]).unwrap();
        assert_eq!(second["text"], "a <b>\n\"c\"");
        assert_eq!(messages(b"<?xml version=\"1.0\"?><QueueMessagesList/>").unwrap(), [""; 0]);
        lidless_kit::cut_and_flip(PEEKED.as_bytes(), |bytes| {
            let _ = (messages(bytes), names(bytes));
        });
    }

    #[test]
    fn names_of_queues_are_read() {
        let body = b"<EnumerationResults><Queues><Queue><Name>jobs</Name></Queue></Queues>\
            <NextMarker>m</NextMarker></EnumerationResults>";
        assert_eq!(names(body).unwrap(), (vec!["jobs".to_owned()], Some("m".to_owned())));
        assert!(names(b"<EnumerationResults>").is_err() && names(b"<html></html>").is_err());
    }
}
