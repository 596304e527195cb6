//! Times as MS-DOS kept them.

use super::civil::days;
use lidless_core::Timestamp;

/// A time of two 16-bit numbers, taken as UTC: the zone was never written down.
///
/// Date: bits 0 to 4 day, 5 to 8 month, 9 to 15 years since 1980. Time: 0 to 4 seconds halved,
/// 5 to 10 minutes, 11 to 15 hours.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "years, months and days of a few bits each, in 64-bit numbers"
)]
pub(crate) fn dos_time(date: u16, time: u16) -> Option<Timestamp> {
    let (day, month) = (i64::from(date & 31), i64::from((date >> 5) & 15));
    if !(1..=31).contains(&day) || !(1..=12).contains(&month) {
        return None;
    }
    let days = days(i64::from(date >> 9) + 1980, month, day);
    let clock = i64::from(time >> 11) * 3600 + i64::from((time >> 5) & 63) * 60;
    let seconds = clock + i64::from(time & 31) * 2;
    Timestamp::from_second(days * 86_400 + seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (year, month, day, expected) in
            [(1980, 1, 1, "1980-01-01"), (2020, 2, 29, "2020-02-29"), (2023, 6, 24, "2023-06-24")]
        {
            let date = ((year - 1980) << 9) | (month << 5) | day;
            let time = (13 << 11) | (5 << 5) | 4;
            let stamp = dos_time(date, time).unwrap().to_string();
            assert_eq!(stamp, format!("{expected}T13:05:08Z"));
        }
        assert_eq!(dos_time(0, 0), None);
    }
}
