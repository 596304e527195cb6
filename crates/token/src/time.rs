//! The times that tokens carry.

use lidless_core::Timestamp;

/// Reads an ISO 8601 time as Azure takes it: a date, or a date and a time to the minute, the
/// second or a fraction of up to seven digits, always UTC.
pub(crate) fn azure(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let whole = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        // 2026-01-01T00:00Z
        17 if text.ends_with('Z') => format!("{}:00Z", text.get(..16)?),
        _ => text.to_owned(),
    };
    // The last day of the year 9999 means "never" and lies past what can be represented.
    if whole.starts_with("9999-12-3") {
        return Some(Timestamp::MAX);
    }
    whole.parse().ok()
}

/// Reads `20260101T000000Z`, as presigned URLs of V4 write it.
pub(crate) fn compact(text: &str) -> Option<Timestamp> {
    let part = |range: std::ops::Range<usize>| text.get(range);
    if text.len() != 16 || part(8..9)? != "T" || part(15..16)? != "Z" {
        return None;
    }
    format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0..4)?,
        part(4..6)?,
        part(6..8)?,
        part(9..11)?,
        part(11..13)?,
        part(13..15)?
    )
    .parse()
    .ok()
}

/// Reads seconds since 1970.
pub(crate) fn epoch(text: &str) -> Option<Timestamp> {
    Timestamp::from_second(text.trim().parse().ok()?).ok()
}

/// A time some seconds later.
pub(crate) fn later(start: Timestamp, seconds: &str) -> Option<Timestamp> {
    let seconds: i64 = seconds.trim().parse().ok()?;
    Timestamp::from_second(start.as_second().checked_add(seconds)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_time_is_read() {
        let want: Timestamp = "2026-12-01T00:00:00Z".parse().unwrap();
        for text in [
            "2026-12-01",
            "2026-12-01T00:00Z",
            "2026-12-01T00:00:00Z",
            "2026-12-01T00:00:00.0000000Z",
        ] {
            assert_eq!(azure(text), Some(want), "{text}");
        }
        assert_eq!(compact("20261201T000000Z"), Some(want));
        assert!(azure("9999-12-31T23:59:59Z").is_some());
        for text in ["", "soon", "2026-13-01", "2026-12-01T00:0", "20261201", "é2026-12-0"] {
            assert_eq!(azure(text), None, "{text}");
            assert_eq!(compact(text), None, "{text}");
        }
    }
}
