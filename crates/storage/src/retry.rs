//! How long to wait before asking again.

use lidless_core::Timestamp;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::time::Duration;

/// The first pause; it doubles each time.
const FIRST: Duration = Duration::from_millis(200);
/// No pause of our own is longer.
const LONGEST: Duration = Duration::from_secs(8);

/// Whether an answer is worth asking again.
pub(crate) fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// Whether an answer says that the account is asked too much.
pub(crate) fn is_throttled(status: u16) -> bool {
    matches!(status, 429 | 503)
}

/// The pause before attempt `number` (from 1): what the service asked for, up to `cap`, or a
/// doubling pause with jitter, so that many threads do not come back at once.
pub(crate) fn pause(number: u32, retry_after: Option<&str>, cap: Duration) -> Duration {
    if let Some(asked) = retry_after.and_then(|text| asked(text, Timestamp::now())) {
        return asked.max(FIRST).min(cap);
    }
    let doubled = FIRST.saturating_mul(2u32.saturating_pow(number.saturating_sub(1).min(10)));
    let random = RandomState::new().hash_one(number) % 100;
    let jitter = u32::try_from(random).unwrap_or(0);
    let spread = doubled.saturating_mul(jitter).checked_div(200).unwrap_or_default();
    doubled.saturating_add(spread).min(LONGEST).min(cap)
}

/// `Retry-After`: seconds, or a date as HTTP writes it (RFC 9110, section 10.2.3).
fn asked(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let when = http_time(text)?;
    let wait = when.as_second().saturating_sub(now.as_second());
    Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)))
}

/// A time as HTTP writes it: `Tue, 24 Nov 2026 10:00:00 GMT`.
pub(crate) fn http_time(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(&text.replace("GMT", "+0000")).ok().map(|zoned| zoned.timestamp())
}

/// A time as ISO 8601 writes it: `2026-11-24T10:00:00.000Z`.
pub(crate) fn iso_time(text: &str) -> Option<Timestamp> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_is_obeyed_up_to_the_cap() {
        let cap = Duration::from_secs(30);
        assert_eq!(pause(1, Some("7"), cap), Duration::from_secs(7));
        assert_eq!(pause(1, Some("9999"), cap), cap);
        assert_eq!(pause(1, Some("0"), cap), FIRST);
        assert_eq!(pause(1, Some("Tue, 24 Nov 2099 10:00:00 GMT"), cap), cap);
        assert_eq!(pause(1, Some("Tue, 24 Nov 2009 10:00:00 GMT"), cap), FIRST);
        let now = "2026-11-24T10:00:00Z".parse().unwrap();
        let soon = asked("Tue, 24 Nov 2026 10:00:09 GMT", now);
        assert_eq!(soon, Some(Duration::from_secs(9)));
        assert_eq!(asked("soon", now), None);
        assert!(pause(1, None, cap) < pause(4, None, cap));
        assert!(pause(60, None, cap) <= LONGEST);
        assert!(is_passing(429) && is_passing(503) && !is_passing(403));
    }
}
