//! Exports of messages as findings: how many, of how many people, from when to when.

use super::form::Form;
use super::table::forms;
use crate::detector::{Context, Detector, Output, View, Want};
use crate::head::Head;
use lidless_core::{Category, Confidence, Entry, Finding, Gap, Mark, Place, Severity, Text};

/// Finds exports of messages.
pub(crate) struct MessageDetector;

fn form(entry: &Entry, start: &str) -> Option<&'static dyn Form> {
    let path = entry.lower_path();
    let start = start.trim_start_matches('\u{feff}').trim_start();
    forms().into_iter().find(|form| form.recognises(path, start))
}

impl Detector for MessageDetector {
    fn name(&self) -> &'static str {
        "message"
    }

    fn wants(&self, entry: &Entry, head: &Head<'_>) -> Want {
        let Some(text) = head.start() else { return Want::Nothing };
        if form(entry, text).is_some() { Want::Text } else { Want::Nothing }
    }

    fn detect(&self, view: &View<'_>, context: &Context, output: &mut Output) {
        let entry = &view.artifact.entry;
        let Some(start) = Text::decode(view.head) else { return };
        let Some(form) = form(entry, start.as_str()) else { return };
        let whole = view.text.map_or("", Text::as_str).trim_start_matches('\u{feff}').trim_start();
        let Some(counted) = form.count(whole) else { return };
        let people = counted.people.iter().map(|who| context.key.of(who.as_bytes())).collect();
        let day = |time: &Option<String>| {
            time.as_ref().and_then(|time| time.get(..10)).map(str::to_owned)
        };
        let (from, to) = (day(&counted.first), day(&counted.last));
        let range = match (&from, &to) {
            (Some(from), Some(to)) => format!(", {from} to {to}"),
            _ => String::new(),
        };
        let organisations: Vec<String> = counted.organisations.iter().take(20).cloned().collect();
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
            format!("message.{}", form.product()),
            Category::Message,
            Severity::High,
            Confidence::High,
            form.title(),
            &Place::whole(entry.provenance.clone()),
            evidence,
        )
        .with_detail("count", counted.messages)
        .with_detail("people", counted.people.len())
        .with_detail("first", counted.first.clone())
        .with_detail("last", counted.last.clone())
        .with_detail("organisations", organisations);
        output.findings.push(finding);
        output.marks.push(Mark::Messages {
            product: form.product().into(),
            messages: counted.messages,
            people,
            first: counted.first.and_then(|time| time.parse().ok()),
            last: counted.last.and_then(|time| time.parse().ok()),
            store: None,
        });
    }
}
