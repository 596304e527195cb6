//! What an eDiscovery export says of its messages: the list of items (`Results.csv`,
//! `Items_*.csv`), and the manifest of an RSMF file.

use super::form::{Counted, Form};
use super::lines::rows;
use serde::Deserialize;

/// The list of items of a Purview export.
pub(super) struct Items;

/// The class of Teams messages in a mailbox.
const CLASS: &str = "IPM.SkypeTeams";

fn plain(name: &str) -> String {
    name.chars().filter(|one| one.is_alphanumeric()).collect::<String>().to_lowercase()
}

impl Form for Items {
    fn product(&self) -> &'static str {
        "teams_ediscovery"
    }

    fn title(&self) -> &'static str {
        "Teams messages in an eDiscovery export"
    }

    fn recognises(&self, _path: &str, start: &str) -> bool {
        let header = start.lines().next().unwrap_or("");
        // Most first lines have not as many columns.
        if memchr::memchr_iter(b',', header.as_bytes()).count() < 3 {
            return false;
        }
        let names: Vec<String> = header.split(',').map(plain).collect();
        names.iter().any(|name| name == "itemclass" || name == "messageclass") && names.len() > 3
    }

    fn count(&self, text: &str) -> Option<Counted> {
        let mut counted = Counted::default();
        let mut columns: Option<[Option<usize>; 3]> = None;
        rows(text, &mut |row| {
            let Some([class, who, when]) = columns else {
                let find = |wanted: &[&str]| {
                    let names: Vec<String> = row.iter().map(|name| plain(name)).collect();
                    wanted.iter().find_map(|want| names.iter().position(|name| name == want))
                };
                columns = Some([
                    find(&["itemclass", "messageclass"]),
                    find(&[
                        "sender",
                        "senderorcreatedby",
                        "from",
                        "sendercreator",
                        "author",
                        "participants",
                    ]),
                    find(&["sent", "date", "datesent", "received", "datereceived", "created"]),
                ]);
                return;
            };
            let field =
                |column: Option<usize>| column.and_then(|at| row.get(at)).map(String::as_str);
            if !field(class).is_some_and(|class| class.trim().starts_with(CLASS)) {
                return;
            }
            let who = field(who).map(|who| who.split(';').next().unwrap_or(who).trim().to_owned());
            let when = field(when).and_then(|when| when.trim().parse::<jiff::Timestamp>().ok());
            counted.note(who, when.map(|time| time.to_string()));
        });
        counted.some()
    }
}

/// The manifest of a Relativity short message file, `rsmf_manifest.json`.
pub(super) struct Rsmf;

#[derive(Deserialize)]
struct Manifest {
    events: Vec<Event>,
    #[serde(default)]
    participants: Vec<Participant>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: Option<String>,
    timestamp: Option<String>,
    participant: Option<String>,
}

#[derive(Deserialize)]
struct Participant {
    id: Option<String>,
    email: Option<String>,
}

impl Form for Rsmf {
    fn product(&self) -> &'static str {
        "rsmf"
    }

    fn title(&self) -> &'static str {
        "short messages (RSMF)"
    }

    fn recognises(&self, path: &str, start: &str) -> bool {
        start.starts_with('{')
            && (path.ends_with("rsmf_manifest.json") || start.contains("\"conversations\""))
            && start.contains("\"participants\"")
            && start.contains("\"version\"")
    }

    fn count(&self, text: &str) -> Option<Counted> {
        let manifest: Manifest = serde_json::from_str(text).ok()?;
        let address = |id: &str| {
            manifest
                .participants
                .iter()
                .find(|one| one.id.as_deref() == Some(id))
                .and_then(|one| one.email.clone())
        };
        let mut counted = Counted::default();
        for event in &manifest.events {
            if event.kind.as_deref() != Some("message") {
                continue;
            }
            let who = event.participant.as_ref();
            let who = who.map(|who| address(who).unwrap_or_else(|| who.clone()));
            let when = event.timestamp.as_deref().and_then(|time| time.parse().ok());
            counted.note(who, when.map(|time: jiff::Timestamp| time.to_string()));
        }
        counted.some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_of_the_class_count() {
        let text = "Item Id,Item class,Sender,Subject,Sent\n\
            1,IPM.SkypeTeams.Message,ann@example.com,\"a, b\",2022-01-02T00:00:00Z\n\
            2,IPM.Note,ann@example.com,x,2022-01-02T00:00:00Z\n\
            3,IPM.SkypeTeams.Message,bob@example.org,y,2022-01-03T00:00:00Z\n";
        assert!(Items.recognises("", text));
        let counted = Items.count(text).unwrap();
        assert_eq!((counted.messages, counted.people.len()), (2, 2));
        assert_eq!(counted.last.as_deref(), Some("2022-01-03T00:00:00Z"));
        assert!(Items.count("Item class,a,b,c\nIPM.Note,1,2,3\n").is_none());
    }

    #[test]
    fn events_of_a_manifest_count() {
        let text = r#"{"version":"2.0.0","participants":[{"id":"1","display":"Ann","email":"ann@example.com"}],
            "conversations":[{"id":"c"}],
            "events":[{"type":"message","timestamp":"2022-01-01T00:00:00Z","participant":"1","body":"private"},
                      {"type":"join","participant":"1"}]}"#;
        assert!(Rsmf.recognises("x/rsmf_manifest.json", text));
        let counted = Rsmf.count(text).unwrap();
        assert_eq!(
            (counted.messages, counted.people.len(), counted.organisations.len()),
            (1, 1, 1)
        );
    }
}
