//! Payment cards and accounts.

use super::digits::{Number, luhn};

/// Numbers that payment services publish for tests: they belong to nobody.
const TEST_CARDS: [u64; 18] = [
    4_111_111_111_111_111,
    4_242_424_242_424_242,
    4_012_888_888_881_881,
    4_000_056_655_665_556,
    4_000_000_000_000_002,
    4_000_000_000_000_077,
    4_000_002_500_003_155,
    5_555_555_555_554_444,
    5_105_105_105_105_100,
    5_200_828_282_828_210,
    2_223_003_122_003_222,
    378_282_246_310_005,
    371_449_635_398_431,
    6_011_111_111_111_117,
    6_011_000_990_139_424,
    3_056_930_009_020_004,
    3_566_002_020_360_505,
    30_569_309_025_904,
];

/// The scheme of a payment card: by its beginning and length, with a true check digit. None for
/// numbers that are published for tests, and for those of one digit.
pub(super) fn card(number: &Number<'_>) -> Option<&'static str> {
    let digits = number.digits();
    let value = number.value();
    let head = |count: usize| {
        digits
            .iter()
            .take(count)
            .fold(0u32, |head, digit| head.wrapping_mul(10).wrapping_add(u32::from(*digit)))
    };
    let scheme = match (digits.len(), head(4)) {
        (13 | 16 | 19, 4000..=4999) => "Visa",
        (16, 5100..=5599 | 2221..=2720) => "Mastercard",
        (15, 3400..=3499 | 3700..=3799) => "American Express",
        (16, 6011 | 6440..=6599) => "Discover",
        (16, 3528..=3589) => "JCB",
        (14, 3000..=3059 | 3600..=3699 | 3800..=3999) => "Diners Club",
        (16..=19, 6200..=6299) => "UnionPay",
        _ => return None,
    };
    let rest = digits.get(1..).unwrap_or(&[]);
    let plain = rest.iter().all(|digit| Some(digit) == rest.first());
    // Groups of cards are separated by one kind of character, or not at all.
    let marks: std::collections::BTreeSet<char> =
        number.written.chars().filter(|one| !one.is_ascii_digit()).collect();
    let known = value.is_some_and(|value| TEST_CARDS.contains(&value));
    (luhn(digits)
        && !plain
        && !known
        && marks.len() <= 1
        && !marks.contains(&'/')
        && !marks.contains(&'.'))
    .then_some(scheme)
}

/// Countries of IBANs with the length of one (SWIFT, IBAN registry).
const LENGTHS: [(&str, usize); 77] = [
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BR", 29),
    ("BY", 28),
    ("CH", 21),
    ("CR", 22),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DK", 18),
    ("DO", 28),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GL", 18),
    ("GR", 27),
    ("GT", 28),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IQ", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LC", 32),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("LY", 25),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MR", 27),
    ("MT", 31),
    ("MU", 30),
    ("NL", 18),
    ("NO", 15),
    ("PK", 24),
    ("PL", 28),
    ("PS", 29),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("SA", 24),
    ("SC", 31),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("ST", 25),
    ("SV", 28),
    ("TL", 23),
    ("TN", 24),
    ("TR", 26),
    ("UA", 29),
    ("VA", 22),
    ("XK", 20),
];

/// Every IBAN in a text, without its spaces: a known country, its length, a true remainder of 97.
pub(super) fn ibans(text: &str, found: &mut dyn FnMut(String)) {
    let bytes = text.as_bytes();
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
    let mut from = 0;
    while let Some(at) = next_start(bytes, from) {
        from = at.saturating_add(1);
        let before = at.checked_sub(1).map_or(0, byte);
        let starts = byte(at).is_ascii_uppercase()
            && byte(at.saturating_add(1)).is_ascii_uppercase()
            && byte(at.saturating_add(2)).is_ascii_digit()
            && byte(at.saturating_add(3)).is_ascii_digit()
            && !before.is_ascii_alphanumeric();
        if !starts {
            continue;
        }
        let country = text.get(at..at.saturating_add(2)).unwrap_or("");
        let Some((_, length)) = LENGTHS.iter().find(|(known, _)| *known == country) else {
            continue;
        };
        let mut iban = String::with_capacity(*length);
        let mut end = at;
        while iban.len() < *length {
            let here = byte(end);
            if here.is_ascii_uppercase() || here.is_ascii_digit() {
                iban.push(char::from(here));
            } else if here != b' ' || byte(end.saturating_add(1)) == b' ' {
                break;
            }
            end = end.saturating_add(1);
        }
        if iban.len() == *length && !byte(end).is_ascii_alphanumeric() && mod_97(&iban) == 1 {
            found(iban);
        }
    }
}

/// The next place at which a letter or digit may have two digits behind the one after it.
///
/// Of two digits next to each other one stands at an even place, so that half of all bytes are
/// enough to dismiss most text.
fn next_start(bytes: &[u8], from: usize) -> Option<usize> {
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut at = from;
    loop {
        // The two digits of a start at `at` or `at + 1` hold the place `at + 3`.
        let here = bytes.get(at.checked_add(3)?)?;
        if here.is_ascii_digit() {
            if digit(at.saturating_add(2)) {
                return Some(at);
            }
            if digit(at.saturating_add(4)) {
                return at.checked_add(1);
            }
        }
        at = at.checked_add(2)?;
    }
}

/// The remainder of 97 with the first four characters moved to the end (ISO 13616).
fn mod_97(iban: &str) -> u32 {
    let (head, tail) = iban.split_at_checked(4).unwrap_or((iban, ""));
    tail.chars().chain(head.chars()).fold(0u32, |rest, one| {
        let value = one.to_digit(36).unwrap_or(0);
        let shift = if value > 9 { 100 } else { 10 };
        rest.wrapping_mul(shift).wrapping_add(value) % 97
    })
}

#[cfg(test)]
mod tests {
    use super::super::digits::numbers;
    use super::*;

    fn cards(text: &str) -> Vec<&'static str> {
        let mut found = Vec::new();
        numbers(text, &mut |number| found.extend(card(&number)));
        found
    }

    #[test]
    fn cards_need_their_scheme_their_length_and_their_check_digit() {
        assert_eq!(cards("4539 1488 0343 6467"), ["Visa"]);
        assert_eq!(cards("5425233430109903;2221000000000009"), ["Mastercard", "Mastercard"]);
        assert_eq!(cards("374245455400126"), ["American Express"]);
        for none in [
            "4539 1488 0343 6468",
            "4111111111111111",
            "4000 0000 0000 0002",
            "1234567812345670",
            "4539-1488 0343 6467",
            "0000000000000000",
        ] {
            assert!(cards(none).is_empty(), "{none}");
        }
    }

    #[test]
    fn ibans_need_their_country_their_length_and_their_check() {
        let all = |text: &str| {
            let mut found = Vec::new();
            ibans(text, &mut |iban| found.push(iban));
            found
        };
        // The examples of the registry.
        let text = "a DE89 3704 0044 0532 0130 00, GB29NWBK60161331926819;CH9300762011623852957 x";
        assert_eq!(
            all(text),
            ["DE89370400440532013000", "GB29NWBK60161331926819", "CH9300762011623852957"]
                .into_iter()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        );
        for none in [
            "DE88370400440532013000",
            "XX89370400440532013000",
            "DE8937040044053201300",
            "ADE89370400440532013000",
            "DE893704004405320130001",
            "",
        ] {
            assert!(all(none).is_empty(), "{none}");
        }
    }
}
