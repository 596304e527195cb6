//! Numbers and strings as protocol 0 writes them. Source: CPython's `int(text, 0)`, `float(text)`,
//! the `string-escape` and `raw-unicode-escape` codecs.

/// A whole number in any base Python reads; a number that is none, or no small one, is `None`.
pub(crate) fn small(text: &str) -> Option<i64> {
    let text = text.trim().trim_end_matches('L');
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase().replace('_', "");
    let number = if let Some(hex) = lower.strip_prefix("0x") {
        i64::from_str_radix(hex, 16)
    } else if let Some(octal) = lower.strip_prefix("0o") {
        i64::from_str_radix(octal, 8)
    } else if let Some(binary) = lower.strip_prefix("0b") {
        i64::from_str_radix(binary, 2)
    } else {
        lower.parse()
    }
    .ok()?;
    if negative { number.checked_neg() } else { Some(number) }
}

/// Whether a line is a number to some Python: digits in some base, or a float.
pub(crate) fn is_number(text: &str) -> bool {
    let text = text.trim().trim_end_matches('L');
    let plain = text.replace('_', "");
    let bare = plain.trim_start_matches(['-', '+']).to_ascii_lowercase();
    let hexadecimal =
        |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.parse::<f64>().is_ok()
        || ["0x", "0o", "0b"].iter().any(|mark| bare.strip_prefix(mark).is_some_and(hexadecimal))
}

/// Undoes the escapes of STRING.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match rest.next() {
            Some('a') => out.push('\u{7}'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('v') => out.push('\u{b}'),
            Some(same @ ('\\' | '\'' | '"')) => out.push(same),
            Some('x') => out.extend(code(&mut rest, 2)),
            Some(digit @ '0'..='7') => {
                let mut code = digit.to_digit(8).unwrap_or(0);
                let ahead: Vec<u32> = rest.clone().take(2).map_while(|c| c.to_digit(8)).collect();
                for digit in ahead {
                    code = code.saturating_mul(8).saturating_add(digit);
                    rest.next();
                }
                out.extend(char::from_u32(code & 0xff));
            }
            Some(other) => {
                out.push('\\');
                out.push(other);
            }
            None => {}
        }
    }
    out
}

/// Undoes the escapes of UNICODE: `\u` and `\U`, nothing else.
pub(crate) fn raw_unicode(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match rest.next() {
            Some('u') => out.extend(code(&mut rest, 4)),
            Some('U') => out.extend(code(&mut rest, 8)),
            other => {
                out.push('\\');
                out.extend(other);
            }
        }
    }
    out
}

/// Undoes the escapes of a text of Python 3.
pub(crate) fn unescape(text: &str) -> String {
    raw_unicode(&escaped(text))
}

fn code(rest: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let code: String = rest.by_ref().take(digits).collect();
    u32::from_str_radix(&code, 16).ok().and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_strings_are_read_as_python_reads_them() {
        for (text, number) in
            [("1", Some(1)), ("0x1f", Some(31)), ("-1_0L", Some(-10)), ("00", Some(0)), ("x", None)]
        {
            assert_eq!(small(text), number, "{text}");
            assert_eq!(is_number(text), number.is_some(), "{text}");
        }
        assert!(is_number("1e3") && is_number("-inf") && is_number("nan") && !is_number("0x"));
        assert_eq!(escaped(r"\x6f\163\q\\"), r"os\q\");
        assert_eq!(raw_unicode(r"\u006f\x73"), r"o\x73");
    }
}
