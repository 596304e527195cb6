//! Teams messages as Microsoft Graph gives them, and the personal export of Teams and Skype.
//!
//! Only what counting needs is read; bodies are skipped by the parser and exist nowhere.

use super::form::{Counted, Form};
use serde::Deserialize;

#[derive(Deserialize)]
struct Page {
    value: Vec<Message>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    message_type: Option<String>,
    created_date_time: Option<String>,
    deleted_date_time: Option<String>,
    from: Option<From>,
}

#[derive(Deserialize)]
struct From {
    user: Option<Identity>,
    application: Option<Identity>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    id: Option<String>,
    display_name: Option<String>,
}

#[derive(Deserialize)]
struct Export {
    conversations: Vec<Conversation>,
}

#[derive(Deserialize)]
struct Conversation {
    #[serde(rename = "MessageList", default)]
    messages: Vec<Exported>,
}

#[derive(Deserialize)]
struct Exported {
    messagetype: Option<String>,
    originalarrivaltime: Option<String>,
    from: Option<String>,
}

/// Messages of Teams.
pub(super) struct Teams;

/// Words of which two stand near the beginning of every export.
const SIGNS: [&str; 6] = [
    "\"messageType\"",
    "\"createdDateTime\"",
    "\"chatId\"",
    "\"channelIdentity\"",
    "\"conversations\"",
    "\"MessageList\"",
];

impl Form for Teams {
    fn product(&self) -> &'static str {
        "teams"
    }

    fn title(&self) -> &'static str {
        "Teams messages"
    }

    fn recognises(&self, _path: &str, start: &str) -> bool {
        start.starts_with(['{', '['])
            && SIGNS.iter().filter(|sign| start.contains(*sign)).count() >= 2
    }

    fn count(&self, text: &str) -> Option<Counted> {
        count(text)
    }
}

/// Counts the messages in a text; none when it is no export of messages.
fn count(text: &str) -> Option<Counted> {
    let text = text.trim_start_matches('\u{feff}').trim();
    let mut counted = Counted::default();
    if let Ok(page) = serde_json::from_str::<Page>(text) {
        page.value.iter().for_each(|message| counted.add(message));
    } else if let Ok(list) = serde_json::from_str::<Vec<Message>>(text) {
        list.iter().for_each(|message| counted.add(message));
    } else if let Ok(export) = serde_json::from_str::<Export>(text) {
        let all = export.conversations.iter().flat_map(|one| &one.messages);
        all.for_each(|message| counted.add_exported(message));
    } else {
        counted.add_pieces(text);
    }
    counted.some()
}

impl Counted {
    fn add(&mut self, message: &Message) {
        let counts = message.message_type.as_deref() == Some("message")
            && message.deleted_date_time.is_none();
        if !counts {
            return;
        }
        let from = message.from.as_ref();
        let who = from.and_then(|from| from.user.as_ref().or(from.application.as_ref()));
        let who = who.and_then(|who| who.id.clone().or_else(|| who.display_name.clone()));
        self.note(who, message.created_date_time.clone());
    }

    fn add_exported(&mut self, message: &Exported) {
        let kind = message.messagetype.as_deref().unwrap_or("");
        if kind == "Text" || kind.starts_with("RichText") {
            self.note(message.from.clone(), message.originalarrivaltime.clone());
        }
    }

    /// One object a line, or a list that breaks off: object by object, as far as it goes.
    fn add_pieces(&mut self, text: &str) {
        let start = if text.starts_with('[') {
            1
        } else if let (true, Some(at)) = (text.starts_with('{'), text.find("\"value\"")) {
            match text.get(at..).and_then(|rest| rest.find('[')) {
                Some(list) => at.saturating_add(list).saturating_add(1),
                None => 0,
            }
        } else {
            0
        };
        let mut rest = text.get(start..).unwrap_or("");
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
            if !rest.starts_with('{') {
                break;
            }
            let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Message>();
            match stream.next() {
                Some(Ok(message)) => self.add(&message),
                _ => {
                    self.broken = true;
                    break;
                }
            }
            rest = rest.get(stream.byte_offset()..).unwrap_or("");
        }
        // A list that was opened by hand and not closed.
        self.broken |= start > 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: &str, who: &str, deleted: &str) -> String {
        format!(
            "{{\"messageType\":\"{kind}\",\"createdDateTime\":\"2022-01-0{}T00:00:00Z\",\
             \"deletedDateTime\":{deleted},\"from\":{{\"user\":{{\"id\":\"{who}\"}}}},\
             \"body\":{{\"content\":\"private\"}}}}",
            who.len()
        )
    }

    #[test]
    fn only_messages_of_people_count_in_every_form() {
        let all = [
            message("message", "a", "null"),
            message("message", "bb", "null"),
            message("message", "a", "null"),
            message("systemEventMessage", "ccc", "null"),
            message("message", "dddd", "\"2022-02-01T00:00:00Z\""),
        ];
        let list = all.join(",");
        for text in [
            format!("{{\"@odata.context\":\"x\",\"value\":[{list}]}}"),
            format!("[{list}]"),
            all.join("\n"),
        ] {
            let counted = count(&text).unwrap();
            assert_eq!((counted.messages, counted.people.len()), (3, 2), "{text}");
            assert_eq!(counted.first.as_deref(), Some("2022-01-01T00:00:00Z"));
            assert!(!counted.broken && !format!("{counted:?}").contains("private"));
        }
        let half = count(&format!("{{\"value\":[{list}").replace("dddd", "d")).unwrap();
        assert!(half.broken && half.messages == 3);
        let export = "{\"userId\":\"8:a\",\"conversations\":[{\"MessageList\":[\
            {\"messagetype\":\"Text\",\"from\":\"8:b\"},{\"messagetype\":\"ThreadActivity/X\"}]}]}";
        assert_eq!(count(export).unwrap().messages, 1);
        assert!(
            count("{\"value\":[1,2]}").is_none() && count("[]").is_none() && count("").is_none()
        );
    }
}
