//! E-mail addresses and telephone numbers.

use super::digits::Number;

/// Every e-mail address in a text, in lower case: local part and domain.
pub(super) fn addresses(text: &str, found: &mut dyn FnMut(&str, &str)) {
    let bytes = text.as_bytes();
    let local = |byte: u8| byte.is_ascii_alphanumeric() || b"._%+-'".contains(&byte);
    let host = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    for at in memchr::memchr_iter(b'@', bytes) {
        let before = bytes.get(..at).unwrap_or(&[]);
        let length = before.iter().rev().take(64).take_while(|byte| local(**byte)).count();
        let after = bytes.get(at.saturating_add(1)..).unwrap_or(&[]);
        let reach = after.iter().take(253).take_while(|byte| host(**byte)).count();
        let name = text.get(at.saturating_sub(length)..at).unwrap_or("");
        let domain = text.get(at.saturating_add(1)..at.saturating_add(1).saturating_add(reach));
        let domain = domain.unwrap_or("").trim_end_matches(['.', '-']);
        let name = name.trim_start_matches(['.', '-', '\'']);
        let Some((above, top)) = domain.rsplit_once('.') else { continue };
        let named = !name.is_empty()
            && !above.is_empty()
            && (2..=24).contains(&top.len())
            && top.bytes().all(|byte| byte.is_ascii_alphabetic())
            && !domain.contains("..");
        // `user@host` in URLs and remotes (`git@`, `://u:p@`) names no person.
        let ahead = before.get(..before.len().saturating_sub(length)).unwrap_or(&[]);
        let in_url =
            ahead.ends_with(b"/") || (ahead.ends_with(b":") && !ahead.ends_with(b"mailto:"));
        let file = ["png", "jpg", "js", "css", "svg", "gif"].contains(&top);
        if named && !in_url && !file && !["git", "noreply", "no-reply"].contains(&name) {
            found(&name.to_ascii_lowercase(), &domain.to_ascii_lowercase());
        }
    }
}

/// Whether a number is a telephone number as it is written: with a plus sign, or in groups that
/// begin with zero.
pub(super) fn is_phone(number: &Number<'_>) -> bool {
    let digits = number.digits();
    let groups = number.written.split([' ', '-', '.', '/']).count();
    if number.plus {
        return (8..=15).contains(&digits.len()) && digits.first() != Some(&0);
    }
    (9..=13).contains(&digits.len()) && digits.first() == Some(&0) && (2..=5).contains(&groups)
}

#[cfg(test)]
mod tests {
    use super::super::digits::numbers;
    use super::*;

    #[test]
    fn addresses_are_those_of_people() {
        let mut all = Vec::new();
        let text = "Ann <Ann.Lee@Example.com>, bob+x@mail.example.org. git@forge.example.com:a/b \
                    https://u:p@example.com a@b @c.de x@y.z icon@2x.png mailto:c@example.net \
                    noreply@example.com";
        addresses(text, &mut |name, domain| all.push(format!("{name}@{domain}")));
        assert_eq!(all, ["ann.lee@example.com", "bob+x@mail.example.org", "c@example.net"]);
    }

    #[test]
    fn phones_are_written_as_phones() {
        let all = |text: &str| {
            let mut count = 0;
            numbers(text, &mut |number| count += u32::from(is_phone(&number)));
            count
        };
        assert_eq!(all("+49 30 1234567, +1-202-555-0143; 030/123 45 67"), 3);
        assert_eq!(all("2021-03-02 1234567890 0123456789 20210302"), 0);
    }
}
