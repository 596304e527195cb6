//! WhatsApp's export of a chat as text: `[03.05.22, 13:23:45] Ann: ...` on a phone of one kind,
//! `5/3/22, 1:23 PM - Ann: ...` on the other.

use super::form::{Counted, Form};
use regex::Regex;
use std::sync::OnceLock;

pub(super) struct WhatsApp;

/// Lines at the beginning of which so many have to be messages.
const FEW: usize = 2;

fn line() -> Option<&'static Regex> {
    static LINE: OnceLock<Option<Regex>> = OnceLock::new();
    LINE.get_or_init(|| {
        Regex::new(
            r"^[\u{200e}\u{200f}]?\[?(\d{1,4})[./-](\d{1,2})[./-](\d{2,4}),? \d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:[ \u{202f}\u{a0}]?[AaPp]\.?[Mm]\.?)?(?:\] | - )([^:]{1,60}): ",
        )
        .ok()
    })
    .as_ref()
}

impl Form for WhatsApp {
    fn product(&self) -> &'static str {
        "whatsapp"
    }

    fn title(&self) -> &'static str {
        "WhatsApp messages"
    }

    fn recognises(&self, _path: &str, start: &str) -> bool {
        let Some(line) = line() else { return false };
        // Line by line with the eyes of a machine: this is asked of every text there is.
        let mut from = 0;
        let ends = memchr::memchr_iter(b'\n', start.as_bytes()).chain(std::iter::once(start.len()));
        let matching = ends.take(20).filter(|end| {
            let text = start.get(from..*end).unwrap_or("");
            from = end.saturating_add(1);
            let begins = text.starts_with(['[', '\u{200e}'])
                || text.as_bytes().first().is_some_and(u8::is_ascii_digit);
            begins && line.is_match(text.strip_suffix('\r').unwrap_or(text))
        });
        matching.count() >= FEW
    }

    fn count(&self, text: &str) -> Option<Counted> {
        let line = line()?;
        let mut counted = Counted::default();
        // Whether the day or the month stands first is told by the first number above 12.
        let mut days = Vec::new();
        for text in text.lines() {
            let Some(found) = line.captures(text) else { continue };
            let part = |group: usize| found.get(group).map_or("", |part| part.as_str());
            counted.note(Some(part(4).trim().to_owned()), None);
            let numbers = [part(1), part(2), part(3)].map(|one| one.parse::<i16>().unwrap_or(0));
            days.push(numbers);
        }
        let year_first = days.iter().any(|[first, ..]| *first > 31);
        let month_first = !year_first && days.iter().any(|[_, second, _]| *second > 12);
        let mut dates: Vec<String> = days
            .into_iter()
            .filter_map(|[a, b, c]| {
                let (year, month, day) = match (year_first, month_first) {
                    (true, _) => (a, b, c),
                    (_, true) => (c, a, b),
                    _ => (c, b, a),
                };
                let year = if year < 100 { year.checked_add(2000)? } else { year };
                let date = jiff::civil::Date::new(
                    year,
                    i8::try_from(month).ok()?,
                    i8::try_from(day).ok()?,
                );
                Some(format!("{}T00:00:00Z", date.ok()?))
            })
            .collect();
        dates.sort();
        counted.first = dates.first().cloned();
        counted.last = dates.pop();
        counted.some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_lines_count_and_notices_do_not() {
        let one = "[03.05.22, 13:23:45] Ann: private\n\u{200e}[04.05.22, 13:23:45] Bob: private\nmore\n[05.05.22, 09:00:00] Ann: x\n";
        assert!(WhatsApp.recognises("", one));
        let counted = WhatsApp.count(one).unwrap();
        assert_eq!((counted.messages, counted.people.len()), (3, 2));
        assert_eq!(counted.first.as_deref(), Some("2022-05-03T00:00:00Z"));
        let other = "5/13/22, 1:23 PM - Messages are end-to-end encrypted.\n5/13/22, 1:24\u{202f}PM - Ann: x\n5/14/22, 1:25 PM - Bob: y\n";
        assert!(WhatsApp.recognises("", other));
        let counted = WhatsApp.count(other).unwrap();
        assert_eq!((counted.messages, counted.last.as_deref()), (2, Some("2022-05-14T00:00:00Z")));
        let log = "2023-06-01 12:00:00 error: x\n2023-06-01 12:00:01 error: y\n";
        assert!(!WhatsApp.recognises("", log));
    }
}
