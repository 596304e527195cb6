//! Discord: a chat as common exporters write it, with `guild`, `channel` and `messages`.

use super::form::{Counted, Form};
use serde::Deserialize;

pub(super) struct Discord;

#[derive(Deserialize)]
struct File {
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "type")]
    kind: Option<String>,
    timestamp: Option<String>,
    author: Option<Author>,
}

#[derive(Deserialize)]
struct Author {
    id: Option<String>,
    name: Option<String>,
}

impl Form for Discord {
    fn product(&self) -> &'static str {
        "discord"
    }

    fn title(&self) -> &'static str {
        "Discord messages"
    }

    fn recognises(&self, _path: &str, start: &str) -> bool {
        start.starts_with('{')
            && ["\"guild\"", "\"channel\"", "\"messages\""].iter().all(|key| start.contains(key))
    }

    fn count(&self, text: &str) -> Option<Counted> {
        let file: File = serde_json::from_str(text).ok()?;
        let mut counted = Counted::default();
        for message in file.messages {
            if !matches!(message.kind.as_deref(), None | Some("Default" | "Reply")) {
                continue;
            }
            let who = message.author.and_then(|author| author.id.or(author.name));
            let when = message.timestamp.and_then(|time| time.parse::<jiff::Timestamp>().ok());
            counted.note(who, when.map(|time| time.to_string()));
        }
        counted.some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_people_wrote_counts() {
        let text = r#"{"guild":{"id":"1"},"channel":{"id":"2"},"messages":[
            {"type":"Default","timestamp":"2022-01-01T10:00:00+02:00","author":{"id":"7"},"content":"private"},
            {"type":"GuildMemberJoin","timestamp":"2022-01-01T10:00:00+02:00","author":{"id":"8"}}]}"#;
        assert!(Discord.recognises("", text));
        let counted = Discord.count(text).unwrap();
        assert_eq!((counted.messages, counted.people.len()), (1, 1));
        assert_eq!(counted.first.as_deref(), Some("2022-01-01T08:00:00Z"));
    }
}
