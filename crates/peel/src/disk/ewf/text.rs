//! What the examiner wrote about the case: lines of names and values, parted by tabs.

use super::layout::Kind;
use flate2::read::ZlibDecoder;
use lidless_core::Timestamp;
use lidless_io::utf16;
use serde_json::Value;
use std::io::Read as _;

/// The most that a text may unpack to.
const TEXT: u64 = 256 << 10;
/// How much of a value is told.
const TOLD: usize = 100;
/// Words that say that a note may hold a secret: it is not told then.
const SECRETS: [&str; 7] = ["pass", "pwd", "secret", "key", "pin", "token", "credential"];

/// The facts in a header section.
pub(super) fn facts(kind: Kind, packed: &[u8]) -> Vec<(&'static str, Value)> {
    let mut bytes = Vec::new();
    // What was unpacked before an error is as good as the rest.
    let _ = ZlibDecoder::new(packed).take(TEXT).read_to_end(&mut bytes);
    let text = if kind == Kind::Header2 {
        utf16::text(utf16::units_le(&bytes))
    } else {
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let mut lines = text.lines().skip_while(|line| line.trim() != "main").skip(1);
    let (Some(names), Some(values)) = (lines.next(), lines.next()) else { return Vec::new() };
    let mut facts = Vec::new();
    for (name, value) in names.split('\t').zip(values.split('\t')) {
        let value = value.trim();
        let name = match name.trim() {
            "a" => "description",
            "c" => "case",
            "n" => "evidence",
            "e" => "examiner",
            "t" => "notes",
            "md" => "model",
            "sn" => "serial",
            "l" => "label",
            "av" => "acquired_with",
            "ov" => "acquired_on",
            "m" => "acquired",
            _ => continue,
        };
        if value.is_empty() {
            continue;
        }
        // header2 has seconds where header has a date in words.
        let second = value.parse().ok().filter(|_| name == "acquired");
        let date = second.and_then(|second| Timestamp::from_second(second).ok());
        let date = date.map(|date| date.to_string());
        let value = date.as_deref().unwrap_or(value);
        let lower = value.to_lowercase();
        let told = if SECRETS.iter().any(|word| lower.contains(word)) {
            "[not told: may hold a secret]".to_owned()
        } else {
            value.chars().filter(|one| !one.is_control()).take(TOLD).collect()
        };
        facts.push((name, Value::from(told)));
    }
    facts
}
