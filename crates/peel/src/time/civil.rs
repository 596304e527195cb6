//! Dates and times of day as media write them, as moments.

use lidless_core::Timestamp;

/// A date and a time of day that is `offset_minutes` east of Greenwich.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Civil {
    pub(crate) year: u16,
    pub(crate) month: u8,
    pub(crate) day: u8,
    pub(crate) hour: u8,
    pub(crate) minute: u8,
    pub(crate) second: u8,
    pub(crate) offset_minutes: i16,
}

impl Civil {
    /// The moment; none when it is no date.
    pub(crate) fn timestamp(self) -> Option<Timestamp> {
        let valid = (1..=12).contains(&self.month)
            && (1..=31).contains(&self.day)
            && (1900..=2400).contains(&self.year)
            && self.hour < 24
            && self.minute < 60
            && self.second <= 60;
        if !valid {
            return None;
        }
        let days = days(i64::from(self.year), i64::from(self.month), i64::from(self.day));
        let minutes = days
            .saturating_mul(24 * 60)
            .saturating_add(i64::from(self.hour).saturating_mul(60))
            .saturating_add(i64::from(self.minute))
            .saturating_sub(i64::from(self.offset_minutes));
        let seconds = minutes.saturating_mul(60).saturating_add(i64::from(self.second));
        Timestamp::from_second(seconds).ok()
    }

    /// As DOS packs it: date of years since 1980 (7 bits), month (4), day (5); time of hours (5),
    /// minutes (6), seconds halved (5).
    pub(crate) fn of_dos(date: u16, time: u16) -> Self {
        let bits = |value: u16, from: u32, mask: u16| {
            u8::try_from(value.checked_shr(from).unwrap_or(0) & mask).unwrap_or(0)
        };
        Self {
            year: u16::from(bits(date, 9, 0x7f)).saturating_add(1980),
            month: bits(date, 5, 0x0f),
            day: bits(date, 0, 0x1f),
            hour: bits(time, 11, 0x1f),
            minute: bits(time, 5, 0x3f),
            second: bits(time, 0, 0x1f).saturating_mul(2),
            offset_minutes: 0,
        }
    }
}

/// Days from 1970 to a date.
pub(super) fn days(year: i64, month: i64, day: i64) -> i64 {
    // Counted from 0000-03-01, so that the leap day is the last of its year.
    let year = if month > 2 { year } else { year.saturating_sub(1) };
    let from_march = if month > 2 { month.saturating_sub(3) } else { month.saturating_add(9) };
    let leaps = (year / 4).saturating_sub(year / 100).saturating_add(year / 400);
    let before = from_march.saturating_mul(153).saturating_add(2) / 5;
    year.saturating_mul(365)
        .saturating_add(leaps)
        .saturating_add(before)
        .saturating_add(day)
        .saturating_sub(719_469)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_become_moments() {
        let at = |year, month, day, hour, minute, second, offset_minutes| {
            Civil { year, month, day, hour, minute, second, offset_minutes }
                .timestamp()
                .map(|moment| moment.as_second())
        };
        assert_eq!(at(1970, 1, 1, 0, 0, 0, 0), Some(0));
        assert_eq!(at(2000, 2, 29, 12, 0, 0, 0), Some(951_825_600));
        assert_eq!(at(2020, 9, 13, 14, 26, 40, 120), Some(1_600_000_000));
        assert_eq!(at(2020, 13, 1, 0, 0, 0, 0), None);
        let dos = Civil::of_dos((40 << 9) | (9 << 5) | 13, (12 << 11) | (26 << 5) | 20);
        assert_eq!(dos.timestamp().map(|moment| moment.as_second()), Some(1_600_000_000));
    }
}
