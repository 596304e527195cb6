//! Times of Windows: 100 ns since 1601.

use lidless_core::Timestamp;
use lidless_records::hive::unix_seconds;

const TICKS: u64 = 10_000_000;

/// The moment. None for 0, and for what is out of range.
pub(crate) fn filetime(ticks: u64) -> Option<Timestamp> {
    let nanoseconds = i32::try_from((ticks % TICKS).checked_mul(100)?).ok()?;
    Timestamp::new(unix_seconds(ticks)?, nanoseconds).ok()
}

/// The moment, in whole seconds. None for 0, and for what is out of range.
pub(crate) fn filetime_seconds(ticks: u64) -> Option<Timestamp> {
    Timestamp::from_second(unix_seconds(ticks)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_become_moments() {
        let ticks = 132_444_736_001_234_567;
        assert_eq!(filetime(ticks).unwrap().to_string(), "2020-09-13T12:26:40.1234567Z");
        assert_eq!(filetime_seconds(ticks).unwrap().to_string(), "2020-09-13T12:26:40Z");
        assert_eq!(filetime(0), None);
        assert_eq!(filetime_seconds(u64::MAX), None);
    }
}
