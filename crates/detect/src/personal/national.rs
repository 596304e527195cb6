//! National identification numbers: their shape, their check, and the words around them.
//!
//! A check digit alone is right by chance one time in ten. A kind is reported when the text names
//! it, or when nearly every number of its shape passes a check that chance rarely passes.

use super::digits::{Number, is_month_day, luhn, two, weighted};

/// One kind of number.
pub(super) struct Kind {
    /// `de_steuer_id`.
    pub(super) id: &'static str,
    /// What it is called.
    pub(super) title: &'static str,
    /// Words, lower case, of which one stands near such numbers.
    pub(super) words: &'static [&'static str],
    /// Chance passes its check less than one time in thirty.
    pub(super) is_strong: bool,
    /// Whether a number has its shape, and then whether it passes its check.
    pub(super) check: fn(&Number<'_>) -> Option<bool>,
}

/// The kinds made of digits alone.
pub(super) const KINDS: [Kind; 24] = [
    kind(
        "us_ssn",
        "US social security number",
        &["ssn", "social security", "social_security"],
        false,
        us_ssn,
    ),
    kind(
        "de_steuer_id",
        "German tax id",
        &["steuer-id", "steuer id", "steuerid", "steuer_id", "idnr", "tin", "tax_id", "tax id"],
        true,
        de_tax,
    ),
    kind(
        "fr_nir",
        "French social security number",
        &["nir", "sécurité sociale", "securite sociale", "numéro de sécu", "insee"],
        true,
        fr_nir,
    ),
    kind("pl_pesel", "Polish PESEL", &["pesel"], true, pl_pesel),
    kind(
        "be_rrn",
        "Belgian national number",
        &["rijksregister", "registre national", "nrn", "insz", "niss"],
        true,
        be_rrn,
    ),
    kind("nl_bsn", "Dutch BSN", &["bsn", "burgerservice", "sofi"], false, nl_bsn),
    kind(
        "se_personnummer",
        "Swedish personal number",
        &["personnummer", "personnr", "pnr"],
        true,
        se_pin,
    ),
    kind(
        "no_fodselsnummer",
        "Norwegian birth number",
        &["fødselsnummer", "fodselsnummer", "fnr"],
        true,
        no_fnr,
    ),
    kind("dk_cpr", "Danish CPR number", &["cpr"], false, dk_cpr),
    kind("uk_nhs", "UK NHS number", &["nhs"], false, uk_nhs),
    kind("br_cpf", "Brazilian CPF", &["cpf"], true, br_cpf),
    kind(
        "cn_rin",
        "Chinese resident id",
        &["身份证", "resident id", "id card", "idcard", "id_card"],
        true,
        cn_rin,
    ),
    kind("in_aadhaar", "Indian Aadhaar number", &["aadhaar", "aadhar", "uidai"], false, in_aadhaar),
    kind(
        "kr_rrn",
        "Korean resident number",
        &["주민", "rrn", "resident registration"],
        true,
        kr_rrn,
    ),
    kind("tr_tckn", "Turkish identity number", &["tckn", "tc kimlik", "kimlik"], true, tr_tckn),
    kind("za_id", "South African id", &["id number", "id_number", "rsa id", "said"], true, za_id),
    kind(
        "ca_sin",
        "Canadian social insurance number",
        &["social insurance", "sin number", "nas"],
        false,
        ca_sin,
    ),
    kind("au_tfn", "Australian tax file number", &["tfn", "tax file"], false, au_tfn),
    kind(
        "ch_ahv",
        "Swiss social security number",
        &["ahv", "avs", "sozialversicherung"],
        true,
        ch_ahv,
    ),
    kind(
        "at_svnr",
        "Austrian social security number",
        &["svnr", "sv-nr", "sozialversicherung"],
        true,
        at_svnr,
    ),
    kind(
        "cz_rc",
        "Czech or Slovak birth number",
        &["rodné číslo", "rodne cislo", "rodné", "rč"],
        true,
        cz_rc,
    ),
    kind("hr_oib", "Croatian OIB", &["oib"], false, hr_oib),
    kind("pt_nif", "Portuguese NIF", &["nif", "contribuinte"], false, pt_nif),
    kind("ro_cnp", "Romanian CNP", &["cnp", "cod numeric"], true, ro_cnp),
];

const fn kind(
    id: &'static str,
    title: &'static str,
    words: &'static [&'static str],
    is_strong: bool,
    check: fn(&Number<'_>) -> Option<bool>,
) -> Kind {
    Kind { id, title, words, is_strong, check }
}

fn digit(digits: &[u8], at: usize) -> u32 {
    digits.get(at).map_or(0, |digit| u32::from(*digit))
}

/// The number made of `digits[from..to]`.
fn part(digits: &[u8], from: usize, to: usize) -> u64 {
    digits
        .get(from..to)
        .unwrap_or(&[])
        .iter()
        .fold(0, |value, digit| value.wrapping_mul(10).wrapping_add(u64::from(*digit)))
}

fn us_ssn(number: &Number<'_>) -> Option<bool> {
    let digits = number.digits();
    let shape: Vec<usize> = number.written.split('-').map(str::len).collect();
    if shape != [3, 2, 4] {
        return None;
    }
    let area = part(digits, 0, 3);
    Some(
        area != 0
            && area != 666
            && area < 900
            && part(digits, 3, 5) != 0
            && part(digits, 5, 9) != 0,
    )
}

/// ISO 7064, MOD 11,10.
fn mod_11_10(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else { return false };
    let product = body.iter().fold(10u32, |product, digit| {
        let sum = product.wrapping_add(u32::from(*digit)) % 10;
        (if sum == 0 { 10 } else { sum }).wrapping_mul(2) % 11
    });
    let expected = 11u32.saturating_sub(product) % 10;
    expected == u32::from(*check)
}

fn de_tax(number: &Number<'_>) -> Option<bool> {
    let digits = number.digits();
    if digits.len() != 11 || digit(digits, 0) == 0 || number.written.contains('.') {
        return None;
    }
    // Of the first ten digits exactly one stands twice or three times.
    let mut times = [0u8; 10];
    for digit in digits.iter().take(10) {
        if let Some(count) = times.get_mut(usize::from(*digit)) {
            *count = count.saturating_add(1);
        }
    }
    let doubled = times.iter().filter(|count| **count > 1).count();
    let most = times.iter().max().copied().unwrap_or(0);
    Some(doubled == 1 && most <= 3 && mod_11_10(digits))
}

fn fr_nir(number: &Number<'_>) -> Option<bool> {
    let digits = number.digits();
    let month = part(digits, 3, 5);
    let shaped = digits.len() == 15 && matches!(digit(digits, 0), 1..=4 | 7 | 8);
    if !shaped || !(matches!(month, 1..=12 | 20..=42 | 50..=99)) {
        return None;
    }
    Some(97u64.saturating_sub(part(digits, 0, 13) % 97) == part(digits, 13, 15))
}

fn pl_pesel(number: &Number<'_>) -> Option<bool> {
    let digits = number.digits();
    if digits.len() != 11 || number.written.len() != 11 {
        return None;
    }
    let sum = weighted(digits, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]);
    Some(sum.is_multiple_of(10) && is_month_day(two(digits, 2) % 20, two(digits, 4)))
}

fn be_rrn(number: &Number<'_>) -> Option<bool> {
    let digits = number.digits();
    if digits.len() != 11 || !is_month_day(two(digits, 2), two(digits, 4)) {
        return None;
    }
    let (body, check) = (part(digits, 0, 9), part(digits, 9, 11));
    let rest = |body: u64| 97u64.saturating_sub(body % 97);
    Some(rest(body) == check || rest(body.wrapping_add(2_000_000_000)) == check)
}

fn nl_bsn(number: &Number<'_>) -> Option<bool> {
    let digits = number.digits();
    if digits.len() != 9 || part(digits, 0, 9) < 1_000_000 {
        return None;
    }
    let sum = weighted(digits, &[9, 8, 7, 6, 5, 4, 3, 2]);
    Some(sum.wrapping_sub(digit(digits, 8)).is_multiple_of(11) && sum >= digit(digits, 8))
}

fn se_pin(number: &Number<'_>) -> Option<bool> {
    let digits = number.digits();
    let last = match digits.len() {
        10 => digits,
        12 if matches!(part(digits, 0, 2), 19 | 20) => digits.get(2..)?,
        _ => return None,
    };
    let day = two(last, 4);
    is_month_day(two(last, 2), if day > 60 { day.wrapping_sub(60) } else { day })
        .then(|| luhn(last))
}

fn no_fnr(number: &Number<'_>) -> Option<bool> {
    let digits = number.digits();
    if digits.len() != 11 || !is_month_day(two(digits, 2), two(digits, 0) % 40) {
        return None;
    }
    let one = weighted(digits, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]).is_multiple_of(11);
    Some(one && weighted(digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11))
}

fn dk_cpr(number: &Number<'_>) -> Option<bool> {
    let digits = number.digits();
    let shape: Vec<usize> = number.written.split('-').map(str::len).collect();
    (shape == [6, 4]).then(|| is_month_day(two(digits, 2), two(digits, 0)))
}

fn uk_nhs(number: &Number<'_>) -> Option<bool> {
    let digits = number.digits();
    if digits.len() != 10 {
        return None;
    }
    let check = 11u32.saturating_sub(weighted(digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11;
    Some(check == digit(digits, 9))
}

fn br_cpf(number: &Number<'_>) -> Option<bool> {
    let digits = number.digits();
    let same = digits.iter().all(|digit| Some(digit) == digits.first());
    if digits.len() != 11 || same {
        return None;
    }
    let check = |count: usize| {
        let sum: u32 = digits
            .iter()
            .take(count)
            .zip((2..=u32::try_from(count).unwrap_or(0).saturating_add(1)).rev())
            .map(|(digit, weight)| u32::from(*digit).wrapping_mul(weight))
            .sum();
        let rest = sum.wrapping_mul(10) % 11;
        (if rest == 10 { 0 } else { rest }) == digit(digits, count)
    };
    Some(check(9) && check(10))
}

fn cn_rin(number: &Number<'_>) -> Option<bool> {
    let digits = number.digits();
    let dated = digits.len() == 18
        && matches!(part(digits, 6, 8), 19 | 20)
        && is_month_day(two(digits, 10), two(digits, 12));
    if !dated {
        return None;
    }
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let rest = weighted(digits, &weights) % 11;
    let check = [1, 0, 10, 9, 8, 7, 6, 5, 4, 3, 2];
    let expected = usize::try_from(rest).ok().and_then(|rest| check.get(rest).copied());
    Some(expected == Some(digit(digits, 17)))
}

/// Verhoeff's check over the dihedral group of order ten.
fn in_aadhaar(number: &Number<'_>) -> Option<bool> {
    let digits = number.digits();
    if digits.len() != 12 || digit(digits, 0) < 2 {
        return None;
    }
    const MOVED: [[u8; 10]; 8] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
        [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
        [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
        [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
        [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
        [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
        [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
    ];
    let times = |a: u8, b: u8| -> u8 {
        // Rotations are 0 to 4, reflections 5 to 9.
        let (turn_a, turn_b) = (a % 5, b % 5);
        match (a < 5, b < 5) {
            (true, true) => turn_a.wrapping_add(turn_b) % 5,
            (true, false) => (turn_a.wrapping_add(turn_b) % 5).wrapping_add(5),
            (false, true) => (turn_a.wrapping_add(5).wrapping_sub(turn_b) % 5).wrapping_add(5),
            (false, false) => turn_a.wrapping_add(5).wrapping_sub(turn_b) % 5,
        }
    };
    let sum = digits.iter().rev().enumerate().fold(0u8, |sum, (place, digit)| {
        let row = MOVED.get(place % 8);
        let moved = row.and_then(|row| row.get(usize::from(*digit))).copied().unwrap_or(0);
        times(sum, moved)
    });
    Some(sum == 0)
}

fn kr_rrn(number: &Number<'_>) -> Option<bool> {
    let digits = number.digits();
    if digits.len() != 13 || !is_month_day(two(digits, 2), two(digits, 4)) {
        return None;
    }
    let sum = weighted(digits, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]);
    Some(11u32.saturating_sub(sum % 11) % 10 == digit(digits, 12))
}

fn tr_tckn(number: &Number<'_>) -> Option<bool> {
    let digits = number.digits();
    if digits.len() != 11 || digit(digits, 0) == 0 {
        return None;
    }
    let odd = weighted(digits, &[1, 0, 1, 0, 1, 0, 1, 0, 1]);
    let even = weighted(digits, &[0, 1, 0, 1, 0, 1, 0, 1]);
    let tenth = odd.wrapping_mul(7).wrapping_add(100).wrapping_sub(even) % 10;
    let all = weighted(digits, &[1; 10]) % 10;
    Some(tenth == digit(digits, 9) && all == digit(digits, 10))
}

fn za_id(number: &Number<'_>) -> Option<bool> {
    let digits = number.digits();
    let shaped = digits.len() == 13
        && is_month_day(two(digits, 2), two(digits, 4))
        && digit(digits, 10) <= 1;
    shaped.then(|| luhn(digits))
}

fn ca_sin(number: &Number<'_>) -> Option<bool> {
    let digits = number.digits();
    (digits.len() == 9 && digit(digits, 0) > 0).then(|| luhn(digits))
}

fn au_tfn(number: &Number<'_>) -> Option<bool> {
    let digits = number.digits();
    (digits.len() == 9).then(|| weighted(digits, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11))
}

fn ch_ahv(number: &Number<'_>) -> Option<bool> {
    let digits = number.digits();
    if digits.len() != 13 || part(digits, 0, 3) != 756 {
        return None;
    }
    Some(weighted(digits, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]).is_multiple_of(10))
}

fn at_svnr(number: &Number<'_>) -> Option<bool> {
    let digits = number.digits();
    if digits.len() != 10 || digit(digits, 0) == 0 || !is_month_day(two(digits, 6), two(digits, 4))
    {
        return None;
    }
    Some(weighted(digits, &[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 == digit(digits, 3))
}

fn cz_rc(number: &Number<'_>) -> Option<bool> {
    let digits = number.digits();
    let month = two(digits, 2);
    let plain = if month > 50 { month.wrapping_sub(50) } else { month };
    if digits.len() != 10 || !is_month_day(plain % 20, two(digits, 4)) {
        return None;
    }
    Some(part(digits, 0, 10).is_multiple_of(11))
}

fn hr_oib(number: &Number<'_>) -> Option<bool> {
    let digits = number.digits();
    (digits.len() == 11 && number.written.len() == 11).then(|| mod_11_10(digits))
}

fn pt_nif(number: &Number<'_>) -> Option<bool> {
    let digits = number.digits();
    if digits.len() != 9 || !matches!(digit(digits, 0), 1..=3 | 5 | 6 | 8 | 9) {
        return None;
    }
    let rest = weighted(digits, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    let check = if rest < 2 { 0 } else { 11u32.saturating_sub(rest) };
    Some(check == digit(digits, 8))
}

fn ro_cnp(number: &Number<'_>) -> Option<bool> {
    let digits = number.digits();
    let shaped = digits.len() == 13
        && matches!(digit(digits, 0), 1..=8)
        && is_month_day(two(digits, 3), two(digits, 5));
    if !shaped {
        return None;
    }
    let rest = weighted(digits, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
    Some((if rest == 10 { 1 } else { rest }) == digit(digits, 12))
}

/// Ids with letters in them: `es_dni`, `it_codice_fiscale`, `uk_nino`, `fi_hetu`; by the whole word.
pub(super) fn lettered(word: &str) -> Option<(&'static str, &'static str)> {
    let bytes = word.as_bytes();
    let digits = |from: usize, to: usize| {
        bytes.get(from..to).is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    let letters = |from: usize, to: usize| {
        bytes.get(from..to).is_some_and(|part| part.iter().all(u8::is_ascii_uppercase))
    };
    match bytes.len() {
        9 if letters(8, 9) && digits(1, 8) && is_dni(word) => {
            Some(("es_dni", "Spanish DNI or NIE"))
        }
        9 if letters(0, 2) && digits(2, 8) && matches!(bytes.get(8), Some(b'A'..=b'D')) => {
            let first = bytes.first().is_some_and(|byte| !b"DFIQUV".contains(byte));
            let second = bytes.get(1).is_some_and(|byte| !b"DFIOQUV".contains(byte));
            let unused =
                ["BG", "GB", "NK", "KN", "TN", "NT", "ZZ"].iter().any(|one| word.starts_with(one));
            (first && second && !unused).then_some(("uk_nino", "UK national insurance number"))
        }
        11 if digits(0, 6) && digits(7, 10) && is_hetu(word) => {
            Some(("fi_hetu", "Finnish personal identity code"))
        }
        16 if letters(0, 6) && letters(8, 9) && letters(15, 16) && is_codice(bytes) => {
            Some(("it_codice_fiscale", "Italian fiscal code"))
        }
        _ => None,
    }
}

fn is_dni(word: &str) -> bool {
    let number: String = match word.chars().next() {
        Some('X') => format!("0{}", word.get(1..8).unwrap_or("")),
        Some('Y') => format!("1{}", word.get(1..8).unwrap_or("")),
        Some('Z') => format!("2{}", word.get(1..8).unwrap_or("")),
        Some(first) if first.is_ascii_digit() => word.get(..8).unwrap_or("").to_owned(),
        _ => return false,
    };
    let letter = number.parse::<usize>().ok().and_then(|n| b"TRWAGMYFPDXBNJZSQVHLCKE".get(n % 23));
    letter == word.as_bytes().get(8)
}

fn is_hetu(word: &str) -> bool {
    let bytes = word.as_bytes();
    if !matches!(bytes.get(6), Some(b'+' | b'-' | b'A'..=b'F' | b'U'..=b'Y')) {
        return false;
    }
    let digits: String = [word.get(..6), word.get(7..10)].into_iter().flatten().collect();
    let check = digits.parse::<usize>().ok();
    let letter = check.and_then(|n| b"0123456789ABCDEFHJKLMNPRSTUVWXY".get(n % 31));
    letter == bytes.get(10)
}

/// Letters and digits at odd places count by a table of their own (DM 23 December 1976).
fn is_codice(bytes: &[u8]) -> bool {
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    if !bytes.iter().all(u8::is_ascii_alphanumeric) {
        return false;
    }
    let index = |byte: u8| {
        let base = if byte.is_ascii_digit() { b'0' } else { b'A' };
        usize::from(byte.saturating_sub(base))
    };
    let sum: u32 = bytes
        .iter()
        .take(15)
        .enumerate()
        .map(|(place, byte)| {
            let index = index(*byte);
            if place.is_multiple_of(2) {
                ODD.get(index).copied().unwrap_or(0)
            } else {
                u32::try_from(index).unwrap_or(0)
            }
        })
        .sum();
    bytes.get(15).is_some_and(|byte| u32::try_from(index(*byte)).is_ok_and(|last| last == sum % 26))
}

#[cfg(test)]
mod tests {
    use super::super::digits::numbers;
    use super::*;

    fn passes(id: &str, text: &str) -> Option<bool> {
        let kind = KINDS.iter().find(|kind| kind.id == id).unwrap();
        let mut answer = None;
        numbers(text, &mut |number| answer = (kind.check)(&number));
        answer
    }

    /// Examples that the issuing offices publish, or built by the published rule.
    const TRUE: [(&str, &str); 22] = [
        ("us_ssn", "219-09-9998"),
        ("de_steuer_id", "86 095 742 719"),
        ("de_steuer_id", "47036892816"),
        ("fr_nir", "2 55 08 14 168 025 38"),
        ("pl_pesel", "44051401359"),
        ("be_rrn", "85.07.30-033 28"),
        ("nl_bsn", "111222333"),
        ("se_personnummer", "811228-9874"),
        ("no_fodselsnummer", "29029600013"),
        ("dk_cpr", "070761-4285"),
        ("uk_nhs", "943 476 5919"),
        ("br_cpf", "111.444.777-35"),
        ("cn_rin", "110101199003070070"),
        ("in_aadhaar", "2341 2341 2346"),
        ("tr_tckn", "10000000146"),
        ("za_id", "8001015009087"),
        ("ca_sin", "046 454 286"),
        ("au_tfn", "123 456 782"),
        ("ch_ahv", "756.9217.0769.85"),
        ("at_svnr", "1237 010180"),
        ("hr_oib", "69435151530"),
        ("pt_nif", "123456789"),
    ];

    #[test]
    fn published_numbers_pass_and_their_neighbours_do_not() {
        for (id, text) in TRUE {
            if id == "ca_sin" {
                // Begins with 0, which is given to nobody.
                assert_eq!(passes(id, text), None);
                continue;
            }
            assert_eq!(passes(id, text), Some(true), "{id} {text}");
            if matches!(id, "us_ssn" | "dk_cpr") {
                continue;
            }
            let last = text.chars().last().unwrap().to_digit(10).unwrap();
            let other = format!("{}{}", &text[..text.len() - 1], (last + 1) % 10);
            assert_ne!(passes(id, &other), Some(true), "{id} {other}");
        }
        assert_eq!(passes("us_ssn", "000-12-3456"), Some(false));
        assert_eq!(passes("us_ssn", "219099998"), None);
    }

    #[test]
    fn ids_with_letters_are_checked() {
        for (word, id) in [
            ("12345678Z", "es_dni"),
            ("X1234567L", "es_dni"),
            ("RSSMRA85T10A562S", "it_codice_fiscale"),
            ("AB123456C", "uk_nino"),
            ("131052-308T", "fi_hetu"),
        ] {
            assert_eq!(lettered(word).map(|found| found.0), Some(id), "{word}");
        }
        for word in ["12345678A", "RSSMRA85T10A562T", "GB123456A", "131052-308U", "ABCDEFGHI"] {
            assert_eq!(lettered(word), None, "{word}");
        }
    }
}
