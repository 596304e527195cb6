//! Numbers as they are written: runs of digits with single separators between them.

use std::ops::Range;

/// The most digits a number of people has.
const MOST: usize = 20;
/// Groups that are looked at together: more are a table of numbers.
const GROUPS: usize = 64;

/// A number in a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number<'t> {
    /// As it stands, separators included.
    pub(super) written: &'t str,
    /// Its digits, 0 to 9 each; only the first `count` count.
    digits: [u8; MOST],
    count: usize,
    /// A plus sign stood in front of it.
    pub(super) plus: bool,
    /// Nothing that could belong to it stands beside it.
    pub(super) whole: bool,
}

impl<'t> Number<'t> {
    /// The number at a range; none when it has not 6 to 19 digits.
    fn of(text: &'t str, range: Range<usize>, plus: bool, whole: bool) -> Option<Self> {
        let written = text.get(range)?;
        let mut digits = [0u8; MOST];
        let mut count = 0usize;
        for byte in written.bytes().filter(u8::is_ascii_digit) {
            *digits.get_mut(count)? = byte.wrapping_sub(b'0');
            count = count.saturating_add(1);
        }
        (6..MOST).contains(&count).then_some(Self { written, digits, count, plus, whole })
    }

    /// Its digits.
    pub(super) fn digits(&self) -> &[u8] {
        self.digits.get(..self.count).unwrap_or(&[])
    }

    /// Its digits as one number; none above 18 digits.
    pub(super) fn value(&self) -> Option<u64> {
        (self.count <= 18).then(|| {
            self.digits()
                .iter()
                .fold(0u64, |value, digit| value.wrapping_mul(10).wrapping_add(u64::from(*digit)))
        })
    }
}

/// Every number of 6 to 19 digits that stands alone: no letter, digit or underscore touches it.
/// Groups are joined over single spaces, dashes, dots and slashes, as people write them; where
/// that makes more than 19 digits, several numbers stand side by side, and each run of groups
/// that could be one is given, not as `whole`.
pub(super) fn numbers(text: &str, found: &mut dyn FnMut(Number<'_>)) {
    let bytes = text.as_bytes();
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
    let touches = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
    let mut at = 0;
    let mut groups: Vec<Range<usize>> = Vec::new();
    while let Some(start) = next_digit(bytes, at) {
        groups.clear();
        let mut end = start;
        loop {
            let rest = bytes.get(end..).unwrap_or(&[]);
            let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            groups.push(end..end.saturating_add(length));
            end = end.saturating_add(length);
            let goes_on = matches!(byte(end), b' ' | b'-' | b'.' | b'/')
                && byte(end.saturating_add(1)).is_ascii_digit();
            if !goes_on || groups.len() >= GROUPS {
                break;
            }
            end = end.saturating_add(1);
        }
        at = end;
        let before = start.checked_sub(1).map_or(0, byte);
        if touches(before) || touches(byte(end)) {
            continue;
        }
        let plus = before == b'+';
        if let Some(number) = Number::of(text, start..end, plus, true) {
            found(number);
            continue;
        }
        for (first, group) in groups.iter().enumerate() {
            let mut digits = 0usize;
            for last in groups.iter().skip(first) {
                digits = digits.saturating_add(last.len());
                if digits >= MOST {
                    break;
                }
                let alone = last.start == group.start && last.len() >= 9;
                if (alone || digits >= 13)
                    && let Some(number) = Number::of(text, group.start..last.end, false, alone)
                {
                    found(number);
                }
            }
        }
    }
}

/// The next digit from a place on that may begin a number of six digits or more; the place must
/// not lie inside a number.
///
/// No two bytes next to each other in a number are both separators. So two bytes that are no
/// digits, five places on, end or follow whatever begins before them and is too short: most text
/// is dismissed by looking at one byte in three.
fn next_digit(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let pair = bytes.get(at.checked_add(4)?..at.checked_add(6)?)?;
        if pair.iter().any(u8::is_ascii_digit) {
            let step = bytes.get(at..)?.iter().position(u8::is_ascii_digit)?;
            return at.checked_add(step);
        }
        at = at.checked_add(6)?;
    }
}

/// Words of letters, digits, `-` and `+` that hold six digits or six capitals in a row, and some
/// others.
pub(super) fn coded_words(text: &str, found: &mut dyn FnMut(&str)) {
    let bytes = text.as_bytes();
    let in_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+');
    let mut at = 0usize;
    // Six in a row that begin here or at one of the next five places hold this one.
    while let Some(middle) = at.checked_add(5).filter(|middle| *middle < bytes.len()) {
        let is_code =
            bytes.get(middle).is_some_and(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
        if !is_code {
            at = middle.saturating_add(1);
            continue;
        }
        let before = bytes.get(..middle).unwrap_or(&[]);
        let start = before.iter().rposition(|byte| !in_word(byte));
        let start = start.map_or(0, |last| last.saturating_add(1));
        let after = bytes.get(middle..).unwrap_or(&[]);
        let length = after.iter().position(|byte| !in_word(byte)).unwrap_or(after.len());
        at = middle.saturating_add(length);
        found(text.get(start..at).unwrap_or(""));
    }
}

/// The check of payment cards and many ids (ISO/IEC 7812-1, annex B).
pub(super) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(*digit);
            if place.is_multiple_of(2) {
                digit
            } else {
                let double = digit.wrapping_mul(2);
                if double > 9 { double.wrapping_sub(9) } else { double }
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// The sum of digits times weights; lengths have to be equal.
pub(super) fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| u32::from(*digit).wrapping_mul(*weight)).sum()
}

/// Whether two digits each are a month and a day.
pub(super) fn is_month_day(month: u32, day: u32) -> bool {
    (1..=12).contains(&month) && (1..=31).contains(&day)
}

/// Two digits as a number.
pub(super) fn two(digits: &[u8], at: usize) -> u32 {
    let one = |at: usize| digits.get(at).map_or(0, |digit| u32::from(*digit));
    one(at).wrapping_mul(10).wrapping_add(one(at.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_is_stepped_over() {
        for before in 0..20 {
            for number in ["123456", "1 2-3.4/5 6", "12 34 56", "+4930123456"] {
                for after in ["", " ", ". ", " x y z"] {
                    for filler in ["x ", "1 x", ", ", "12.é"] {
                        let text = format!("{} {number}{after}", filler.repeat(before));
                        let mut count = 0;
                        numbers(&text, &mut |found| {
                            count += usize::from(number.ends_with(found.written));
                        });
                        assert_eq!(count, 1, "{text:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_word_with_six_digits_or_capitals_is_seen_once() {
        for before in 0..20 {
            for word in ["ABCDEF", "x123456-7", "abABCDEF85-", "000000", "12345678Z"] {
                let text = format!("{}{word},é {word}", "xé ".repeat(before));
                let mut count = 0;
                coded_words(&text, &mut |found| count += usize::from(found == word));
                assert_eq!(count, 2, "{text:?}");
            }
        }
    }

    #[test]
    fn numbers_stand_alone_however_they_are_grouped() {
        let mut found = Vec::new();
        let text = "4111 1111-1111.1111, x123456789 123456_ +49 30 1234567; a 12345 x 00112233";
        numbers(text, &mut |number| {
            found.push((number.written.to_owned(), number.digits().len(), number.plus));
        });
        assert_eq!(
            found,
            [
                ("4111 1111-1111.1111".to_owned(), 16, false),
                ("49 30 1234567".to_owned(), 11, true),
                ("00112233".to_owned(), 8, false),
            ]
        );
        let mut found = Vec::new();
        let two = "4539148803436467 5425233430109903";
        numbers(two, &mut |number| found.push((number.written.to_owned(), number.whole)));
        assert_eq!(found, two.split(' ').map(|one| (one.to_owned(), true)).collect::<Vec<_>>());
        let mut found = Vec::new();
        numbers("4539 1488 0343 6467 5425 2334 3010 9903", &mut |number| {
            found.push((number.written.to_owned(), number.whole));
        });
        assert!(found.contains(&("4539 1488 0343 6467".to_owned(), false)), "{found:?}");
        assert!(luhn(&[4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]));
        assert!(!luhn(&[4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2]));
    }
}
