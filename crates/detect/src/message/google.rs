//! Google Chat in Takeout and Vault exports: `messages.json` with `creator`, `created_date`,
//! `text`, `topic_id`.

use super::form::{Counted, Form};
use jiff::fmt::strtime;
use serde::Deserialize;

pub(super) struct GoogleChat;

#[derive(Deserialize)]
struct File {
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    creator: Option<Creator>,
    created_date: Option<String>,
}

#[derive(Deserialize)]
struct Creator {
    name: Option<String>,
    email: Option<String>,
}

impl Form for GoogleChat {
    fn product(&self) -> &'static str {
        "google_chat"
    }

    fn title(&self) -> &'static str {
        "Google Chat messages"
    }

    fn recognises(&self, _path: &str, start: &str) -> bool {
        start.starts_with('{')
            && start.contains("\"messages\"")
            && start.contains("\"creator\"")
            && start.contains("\"created_date\"")
    }

    fn count(&self, text: &str) -> Option<Counted> {
        let file: File = serde_json::from_str(text).ok()?;
        let mut counted = Counted::default();
        for message in file.messages {
            let who = message.creator.and_then(|creator| creator.email.or(creator.name));
            counted.note(who, message.created_date.as_deref().and_then(time));
        }
        counted.some()
    }
}

/// `Tuesday, May 3, 2022 at 1:23:45 PM UTC`, with a narrow space before PM in newer exports.
fn time(text: &str) -> Option<String> {
    let plain: String =
        text.chars().map(|one| if one.is_whitespace() { ' ' } else { one }).collect();
    let parsed = strtime::parse("%A, %B %d, %Y at %I:%M:%S %p UTC", &plain).ok()?;
    Some(format!("{}Z", parsed.to_datetime().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writers_times_and_organisations_are_read() {
        let text = r#"{"messages":[
            {"creator":{"name":"Ann","email":"ann@example.com","user_type":"Human"},
             "created_date":"Tuesday, May 3, 2022 at 1:23:45 PM UTC","text":"private","topic_id":"1"},
            {"creator":{"name":"Bob","email":"bob@example.org"},
             "created_date":"Tuesday, May 3, 2022 at 1:25:00\u202fPM UTC","text":"private"}]}"#;
        assert!(GoogleChat.recognises("", text));
        let counted = GoogleChat.count(text).unwrap();
        assert_eq!((counted.messages, counted.people.len()), (2, 2));
        assert_eq!(counted.first.as_deref(), Some("2022-05-03T13:23:45Z"));
        assert_eq!(counted.organisations.len(), 2);
    }
}
