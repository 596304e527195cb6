//! Whether a random value is as services issue keys and tokens: long enough, and whole.

use base64::Engine as _;

/// What a generator of keys draws at the least. A shorter value may be chosen by hand, be cut off
/// for a text that shows it, or be a name and no key.
const BITS: usize = 128;

/// Whether a value has room for what a generator draws.
pub(super) fn is_long(value: &str) -> bool {
    if is_uuid(value) {
        return true;
    }
    let count = |wanted: fn(&u8) -> bool| value.bytes().filter(wanted).count();
    let letters = count(u8::is_ascii_alphabetic);
    let hexadecimal = count(u8::is_ascii_hexdigit);
    // In tenths of a bit a sign.
    let bits = if letters == 0 {
        count(u8::is_ascii_digit).saturating_mul(33)
    } else if count(|byte| byte.is_ascii_hexdigit() || *byte == b'-') == value.len() {
        hexadecimal.saturating_mul(40)
    } else if count(u8::is_ascii_lowercase) == 0 || count(u8::is_ascii_uppercase) == 0 {
        value.len().saturating_mul(52)
    } else {
        value.len().saturating_mul(60)
    };
    bits >= BITS.saturating_mul(10)
}

/// Whether a value is the start of something whose end is missing: half a byte of hexadecimal, a
/// UUID of another length, JSON in base64 that does not end.
pub(super) fn is_cut(value: &str) -> bool {
    let half = value.len() % 2 == 1 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    half || is_cut_uuid(value) || is_cut_json(value)
}

fn is_uuid(value: &str) -> bool {
    let lengths = value.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12])
        && value.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

fn is_cut_uuid(value: &str) -> bool {
    let hex = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts: Vec<&str> = value.split('-').collect();
    parts.windows(5).any(|five| {
        let [first, a, b, c, last] = five else { return false };
        let first = first.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or("");
        let last = last.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or("");
        first.len() == 8
            && [first, a, b, c].iter().all(|part| hex(part))
            && [a, b, c].iter().all(|part| part.len() == 4)
            && last.len() < 12
            && hex(last)
    })
}

/// A token in JSON says what it is in its first part, which is whole or nothing.
fn is_cut_json(value: &str) -> bool {
    let first = value.split('.').next().unwrap_or("");
    if !first.starts_with("eyJ") {
        return false;
    }
    let first = first.trim_end_matches('=').replace('-', "+").replace('_', "/");
    let decoded = base64::engine::general_purpose::STANDARD_NO_PAD.decode(first);
    !decoded.is_ok_and(|json| json.trim_ascii_end().ends_with(b"}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_as_services_issue_them_are_long_and_whole() {
        for value in [
            concat!("1c7e4f0a", "6b1d4a528e3f1d0b7c5a9e26"),
            concat!("9c7e4f0a-6b1d-", "4a52-8e3f-1d0b7c5a9e26"),
            concat!("Zq3v9KxT2mW8", "bR5nJc7d1a"),
            concat!("zq3v9kxt2mw8", "br5njc7d1azz9"),
            concat!("eyJhIjoxfQ", ".Zq3v9KxT2mW8bR5n"),
        ] {
            assert!(is_long(value) && !is_cut(value), "{value}");
        }
        for value in ["938b2703ccd8a916", "Zq3v9KxT2mW8bR5n", "12345678901234567890"] {
            assert!(!is_long(value), "{value}");
        }
        for value in [
            "938b2703ccd8a9162",
            "0.87d817fc-0c83-8ccf-c077-2c401",
            "eyJhIjoxLCJi.Zq3v9KxT2mW8bR5n",
        ] {
            assert!(is_cut(value), "{value}");
        }
    }
}
