//! Numbers, sizes and times as a person reads them.

use lidless_core::Timestamp;

/// A count with thousands separated by commas.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && digits.len().wrapping_sub(index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count with its noun, in the plural unless it is one.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A size in decimal units: `38.2 TB`, `41 MB`, `812 B`. One decimal below 100, from kB on.
pub(crate) fn bytes(number: u64) -> String {
    const UNITS: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    let mut unit = 0_usize;
    let mut scale = 1_u64;
    // 999,950 would be rounded to 1000.0 kB: it belongs to the next unit.
    while number.checked_div(scale).unwrap_or(0) >= 1000
        || (unit > 0 && tenths(number, scale) >= 10_000)
    {
        let Some(next) = scale.checked_mul(1000) else { break };
        scale = next;
        unit = unit.saturating_add(1);
    }
    let name = UNITS.get(unit).copied().unwrap_or("EB");
    let tenths = tenths(number, scale);
    if unit == 0 {
        format!("{number} {name}")
    } else if tenths < 1000 {
        format!("{}.{} {name}", tenths / 10, tenths % 10)
    } else {
        format!("{} {name}", tenths.saturating_add(5) / 10)
    }
}

fn tenths(number: u64, scale: u64) -> u64 {
    let exact = u128::from(number).saturating_mul(10).saturating_add(u128::from(scale / 2));
    u64::try_from(exact.checked_div(u128::from(scale)).unwrap_or(0)).unwrap_or(u64::MAX)
}

/// Part of a whole in percent, never rounded to nothing or to everything.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 || part >= whole {
        return if part >= whole && whole > 0 { "100 %".into() } else { "–".into() };
    }
    let tenths = u128::from(part).saturating_mul(1000).checked_div(u128::from(whole)).unwrap_or(0);
    match tenths {
        0 if part == 0 => "0 %".into(),
        0 => "under 0.1 %".into(),
        1..=99 => format!("{}.{} %", tenths / 10, tenths % 10),
        _ => format!("{} %", tenths / 10),
    }
}

/// The day of an instant, in UTC.
pub(crate) fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

/// An instant to the minute, in UTC.
pub(crate) fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// How long between two instants, in the largest unit that says it: `3 years`, `8.4 s`. Zero
/// when `to` is not after `from`.
pub(crate) fn span(from: Timestamp, to: Timestamp) -> String {
    const DAY: i64 = 86_400;
    let milliseconds = to.as_millisecond().saturating_sub(from.as_millisecond()).max(0);
    let seconds = milliseconds / 1000;
    let plural =
        |number: i64, one: &str, many: &str| counted(u64::try_from(number).unwrap_or(0), one, many);
    match seconds {
        0..60 => format!("{}.{} s", seconds, milliseconds % 1000 / 100),
        60..7200 => plural(seconds / 60, "minute", "minutes"),
        7200..172_800 => plural(seconds / 3600, "hour", "hours"),
        172_800..5_184_000 => plural(seconds / DAY, "day", "days"),
        5_184_000..63_072_000 => plural(seconds / (DAY * 365 / 12), "month", "months"),
        _ => plural(seconds / (DAY * 36_525 / 100), "year", "years"),
    }
}

/// A score without needless decimals.
pub(crate) fn score(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_decimal_and_never_show_a_thousand_of_a_unit() {
        let shown = |number| bytes(number);
        assert_eq!(shown(0), "0 B");
        assert_eq!(shown(999), "999 B");
        assert_eq!(shown(1000), "1.0 kB");
        assert_eq!(shown(999_999), "1.0 MB");
        assert_eq!(shown(41_000_000), "41.0 MB");
        assert_eq!(shown(38_200_000_000_000), "38.2 TB");
        assert_eq!(shown(412_400_000_000), "412 GB");
        assert_eq!(shown(u64::MAX), "18.4 EB");
    }

    #[test]
    fn counts_have_separators() {
        assert_eq!(count(7), "7");
        assert_eq!(count(1_283_411), "1,283,411");
        assert_eq!(counted(1, "object", "objects"), "1 object");
        assert_eq!(counted(100_000, "object", "objects"), "100,000 objects");
    }

    #[test]
    fn percentages_are_never_rounded_to_nothing_or_everything() {
        assert_eq!(percent(1, 1_000_000), "under 0.1 %");
        assert_eq!(percent(999_999, 1_000_000), "99 %");
        assert_eq!(percent(0, 5), "0 %");
        assert_eq!(percent(5, 5), "100 %");
        assert_eq!(percent(0, 0), "–");
        assert_eq!(percent(42, 1000), "4.2 %");
    }

    #[test]
    fn spans_use_the_unit_that_says_it() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let from = at("2023-06-22T00:00:00Z");
        assert_eq!(span(from, at("2023-06-22T00:00:08.43Z")), "8.4 s");
        assert_eq!(span(from, at("2023-06-24T00:00:00Z")), "2 days");
        assert_eq!(span(from, at("2051-10-06T00:00:00Z")), "28 years");
        assert_eq!(span(from, at("2020-10-06T00:00:00Z")), "0.0 s");
        assert_eq!(span(from, at("2024-06-22T00:00:00Z")), "12 months");
    }
}
