//! Slack exports: a folder a channel, in it a file a day, `YYYY-MM-DD.json`, an array of events
//! (slack.com/help, "How to read Slack data exports").

use super::form::{Counted, Form, from_seconds};
use serde::Deserialize;

pub(super) struct Slack;

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: Option<String>,
    subtype: Option<String>,
    ts: Option<String>,
    user: Option<String>,
    username: Option<String>,
    bot_id: Option<String>,
}

/// Subtypes that are messages of somebody; the others are events of the service.
const SAID: [&str; 5] =
    ["thread_broadcast", "me_message", "file_share", "file_comment", "bot_message"];

impl Form for Slack {
    fn product(&self) -> &'static str {
        "slack"
    }

    fn title(&self) -> &'static str {
        "Slack messages"
    }

    fn recognises(&self, _path: &str, start: &str) -> bool {
        start.starts_with('[')
            && start.contains("\"ts\"")
            && (start.contains("\"type\":\"message\"") || start.contains("\"type\": \"message\""))
            && (start.contains("\"user\"") || start.contains("\"bot_id\""))
    }

    fn count(&self, text: &str) -> Option<Counted> {
        let mut counted = Counted::default();
        let events: Vec<Event> = serde_json::from_str(text).ok()?;
        for event in events {
            let said = event.subtype.as_deref().is_none_or(|kind| SAID.contains(&kind));
            if event.kind.as_deref() != Some("message") || !said {
                continue;
            }
            let seconds = event.ts.as_deref().and_then(|ts| ts.split('.').next()?.parse().ok());
            let who = event.user.or(event.bot_id).or(event.username);
            counted.note(who, seconds.and_then(from_seconds));
        }
        counted.some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_and_topics_are_no_messages() {
        let text = r#"[{"type":"message","subtype":"channel_join","user":"U1","ts":"1650000000.1"},
            {"type":"message","user":"U1","text":"private","ts":"1650000001.000200"},
            {"type": "message","user":"U2","text":"private","ts":"1650086401.000200","thread_ts":"1"},
            {"type":"message","subtype":"bot_message","bot_id":"B1","ts":"1640000000.0"}]"#;
        assert!(Slack.recognises("", text));
        let counted = Slack.count(text).unwrap();
        assert_eq!((counted.messages, counted.people.len()), (3, 3));
        assert_eq!(counted.first.as_deref(), Some("2021-12-20T11:33:20Z"));
        assert!(!format!("{counted:?}").contains("private"));
    }
}
