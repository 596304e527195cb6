//! Exports of messages as findings: how many, of how many people, from when to when.

use super::teams::count;
use crate::detector::{Context, Detector, Output, View, Want};
use lidless_core::{Category, Confidence, Entry, Finding, Gap, Mark, Place, Severity, Text};

/// Finds exports of messages.
pub(crate) struct MessageDetector;

/// Words of which two stand near the beginning of every export.
const SIGNS: [&str; 6] = [
    "\"messageType\"",
    "\"createdDateTime\"",
    "\"chatId\"",
    "\"channelIdentity\"",
    "\"conversations\"",
    "\"MessageList\"",
];

impl Detector for MessageDetector {
    fn name(&self) -> &'static str {
        "message"
    }

    fn wants(&self, _entry: &Entry, head: &[u8]) -> Want {
        let Some(text) = Text::decode(head) else { return Want::Nothing };
        let start = text.as_str().trim_start_matches('\u{feff}').trim_start();
        let signs = SIGNS.iter().filter(|sign| text.as_str().contains(*sign)).count();
        if start.starts_with(['{', '[']) && signs >= 2 { Want::Text } else { Want::Nothing }
    }

    fn detect(&self, view: &View<'_>, context: &Context, output: &mut Output) {
        let Some(counted) = view.text.and_then(|text| count(text.as_str())) else { return };
        let entry = &view.artifact.entry;
        let people = counted.people.iter().map(|who| context.key.of(who.as_bytes())).collect();
        let day = |time: &Option<String>| {
            time.as_ref().and_then(|time| time.get(..10)).map(str::to_owned)
        };
        let (from, to) = (day(&counted.first), day(&counted.last));
        let range = match (&from, &to) {
            (Some(from), Some(to)) => format!(", {from} to {to}"),
            _ => String::new(),
        };
        let least = if counted.broken { "at least " } else { "" };
        let evidence = format!(
            "{least}{} messages of {} people{range}",
            counted.messages,
            counted.people.len()
        );
        if counted.broken {
            let reason = "an export of messages that breaks off";
            output.gaps.push(Gap::new(&entry.provenance, reason, None));
        }
        let finding = Finding::new(
            "message.teams",
            Category::Message,
            Severity::High,
            Confidence::High,
            "Teams messages",
            &Place::whole(entry.provenance.clone()),
            evidence,
        )
        .with_detail("count", counted.messages)
        .with_detail("people", counted.people.len())
        .with_detail("first", counted.first.clone())
        .with_detail("last", counted.last.clone());
        output.findings.push(finding);
        output.marks.push(Mark::Messages {
            product: "teams".into(),
            messages: counted.messages,
            people,
            first: counted.first.and_then(|time| time.parse().ok()),
            last: counted.last.and_then(|time| time.parse().ok()),
            store: None,
        });
    }
}
