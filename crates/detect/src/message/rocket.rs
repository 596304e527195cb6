//! Rocket.Chat: the collection of messages as `mongoexport` writes it, one object a line.

use super::form::{Counted, Form, from_seconds};
use super::lines::objects;
use serde::Deserialize;
use serde_json::Value;

pub(super) struct RocketChat;

#[derive(Deserialize)]
struct Message {
    rid: Option<String>,
    /// The kind of an event of the service; messages have none.
    t: Option<String>,
    u: Option<User>,
    ts: Option<Value>,
}

#[derive(Deserialize)]
struct User {
    username: Option<String>,
}

impl Form for RocketChat {
    fn product(&self) -> &'static str {
        "rocket_chat"
    }

    fn title(&self) -> &'static str {
        "Rocket.Chat messages"
    }

    fn recognises(&self, _path: &str, start: &str) -> bool {
        let first = start.lines().next().unwrap_or("");
        first.starts_with('{')
            && ["\"rid\"", "\"msg\"", "\"ts\"", "\"u\""].iter().all(|key| first.contains(key))
    }

    fn count(&self, text: &str) -> Option<Counted> {
        let mut counted = Counted::default();
        counted.broken = objects(text, &mut |message: Message| {
            if message.rid.is_none() || message.t.is_some() {
                return;
            }
            let when = message.ts.as_ref().and_then(time);
            counted.note(message.u.and_then(|user| user.username), when);
        });
        counted.some()
    }
}

/// `{"$date": "2022-..."}`, or in milliseconds, plain or as `{"$numberLong": "..."}`.
fn time(value: &Value) -> Option<String> {
    let date = value.get("$date")?;
    if let Some(text) = date.as_str() {
        return text.parse::<jiff::Timestamp>().ok().map(|time| time.to_string());
    }
    let millis = date.as_i64().or_else(|| date.get("$numberLong")?.as_str()?.parse().ok())?;
    from_seconds(millis.checked_div(1000)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_count_and_events_do_not() {
        let text = "{\"_id\":\"1\",\"rid\":\"R\",\"msg\":\"x\",\"u\":{\"username\":\"a\"},\
            \"ts\":{\"$date\":\"2022-01-01T00:00:00Z\"}}\n\
            {\"_id\":\"2\",\"rid\":\"R\",\"msg\":\"a\",\"t\":\"uj\",\"u\":{\"username\":\"a\"},\
            \"ts\":{\"$date\":{\"$numberLong\":\"1650000000000\"}}}\n";
        assert!(RocketChat.recognises("", text));
        let counted = RocketChat.count(text).unwrap();
        assert_eq!((counted.messages, counted.people.len()), (1, 1));
        assert_eq!(counted.last.as_deref(), Some("2022-01-01T00:00:00Z"));
    }
}
