//! How long to wait before asking again.

use std::time::Duration;

/// The first pause; it doubles each time.
const FIRST: Duration = Duration::from_millis(200);
/// No pause of our own is longer.
const LONGEST: Duration = Duration::from_secs(8);

/// Whether an answer is worth asking again.
pub(crate) fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// The pause before attempt `number` (from 1): what the service asked for, up to `cap`, or a
/// doubling pause with jitter, so that many threads do not come back at once.
pub(crate) fn pause(number: u32, retry_after: Option<&str>, cap: Duration, salt: u64) -> Duration {
    if let Some(asked) = retry_after.and_then(seconds) {
        return Duration::from_secs(asked).min(cap);
    }
    let doubled = FIRST.saturating_mul(2u32.saturating_pow(number.saturating_sub(1).min(10)));
    let jitter = u32::try_from(salt % 100).unwrap_or(0);
    let spread = doubled.saturating_mul(jitter).checked_div(200).unwrap_or_default();
    doubled.saturating_add(spread).min(LONGEST).min(cap)
}

/// `Retry-After` in seconds; a date is read as "soon", because clocks differ.
fn seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    text.ends_with("GMT").then_some(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_is_obeyed_up_to_the_cap() {
        let cap = Duration::from_secs(30);
        assert_eq!(pause(1, Some("7"), cap, 0), Duration::from_secs(7));
        assert_eq!(pause(1, Some("9999"), cap, 0), cap);
        assert!(pause(1, None, cap, 99) < pause(4, None, cap, 0));
        assert!(pause(60, None, cap, 99) <= LONGEST);
        assert!(is_passing(429) && is_passing(503) && !is_passing(403));
    }
}
