//! Telegram Desktop exports: `result.json`, one chat or a list of them.

use super::form::{Counted, Form, from_seconds};
use serde::Deserialize;

pub(super) struct Telegram;

#[derive(Deserialize)]
struct File {
    messages: Option<Vec<Message>>,
    chats: Option<Chats>,
}

#[derive(Deserialize)]
struct Chats {
    list: Vec<Chat>,
}

#[derive(Deserialize)]
struct Chat {
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "type")]
    kind: Option<String>,
    date_unixtime: Option<String>,
    date: Option<String>,
    from: Option<String>,
    from_id: Option<serde_json::Value>,
}

impl Form for Telegram {
    fn product(&self) -> &'static str {
        "telegram"
    }

    fn title(&self) -> &'static str {
        "Telegram messages"
    }

    fn recognises(&self, _path: &str, start: &str) -> bool {
        start.starts_with('{')
            && start.contains("\"messages\"")
            && start.contains("\"from_id\"")
            && start.contains("\"date\"")
    }

    fn count(&self, text: &str) -> Option<Counted> {
        let file: File = serde_json::from_str(text).ok()?;
        let lists = file.chats.into_iter().flat_map(|chats| chats.list);
        let all = file.messages.into_iter().chain(lists.map(|chat| chat.messages)).flatten();
        let mut counted = Counted::default();
        for message in all.filter(|message| message.kind.as_deref() == Some("message")) {
            let who = message.from_id.map(|id| id.to_string()).or(message.from);
            let when = match message.date_unixtime.and_then(|seconds| seconds.parse().ok()) {
                Some(seconds) => from_seconds(seconds),
                None => message.date.map(|date| format!("{}Z", date.trim_end_matches('Z'))),
            };
            counted.note(who, when);
        }
        counted.some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chats_alone_and_in_lists_count() {
        let one = r#"{"id":1,"type":"service","date":"2022-01-01T00:00:00","actor":"a"},
            {"id":2,"type":"message","date":"2022-01-02T00:00:00","from":"Ann","from_id":"user1","text":"private"}"#;
        let alone = format!("{{\"name\":\"x\",\"type\":\"personal_chat\",\"messages\":[{one}]}}");
        let list = format!(
            "{{\"chats\":{{\"list\":[{{\"messages\":[{one}]}},{{\"messages\":[{one}]}}]}}}}"
        );
        assert!(Telegram.recognises("", &alone) && Telegram.recognises("", &list));
        assert_eq!(Telegram.count(&alone).unwrap().messages, 1);
        let counted = Telegram.count(&list).unwrap();
        assert_eq!((counted.messages, counted.people.len()), (2, 1));
        assert_eq!(counted.first.as_deref(), Some("2022-01-02T00:00:00Z"));
    }
}
