//! Hashes of passwords, by how they are written.

/// What kind of hash a value is; none when it is none.
pub(crate) fn kind(value: &str) -> Option<&'static str> {
    // Fields may follow, as in `{SSHA}` of directories; a hash itself has no white space.
    if value.len() < 13 || value.len() > 512 || value.contains(char::is_whitespace) {
        return None;
    }
    const STARTS: [(&str, &str, usize); 24] = [
        ("$6$", "sha512crypt", 90),
        ("$5$", "sha256crypt", 45),
        ("$1$", "md5crypt", 25),
        ("$apr1$", "apr1", 30),
        ("$2a$", "bcrypt", 59),
        ("$2b$", "bcrypt", 59),
        ("$2y$", "bcrypt", 59),
        ("$2x$", "bcrypt", 59),
        ("$y$", "yescrypt", 40),
        ("$gy$", "gost-yescrypt", 40),
        ("$7$", "scrypt", 40),
        ("$sha1$", "sha1crypt", 30),
        ("$md5", "sunmd5", 25),
        ("$argon2", "argon2", 40),
        ("$P$", "phpass", 34),
        ("$H$", "phpass", 34),
        ("$S$", "drupal", 50),
        ("$pbkdf2", "pbkdf2", 40),
        ("pbkdf2_sha", "pbkdf2", 40),
        ("pbkdf2:sha", "pbkdf2", 40),
        ("scrypt:", "scrypt", 60),
        ("{SSHA", "ssha", 30),
        ("{SHA", "sha", 25),
        ("{CRYPT}", "crypt", 20),
    ];
    STARTS
        .iter()
        .find(|(start, _, least)| value.starts_with(start) && value.len() >= *least)
        .map(|(_, name, _)| *name)
        .or_else(|| {
            // MySQL since 4.1: a star and 40 digits.
            let digits = value.strip_prefix('*')?;
            (digits.len() == 40 && is_hex(digits)).then_some("mysql")
        })
}

/// A value of hexadecimal digits alone, of the length of a common digest.
pub(crate) fn bare(value: &str) -> Option<&'static str> {
    if !is_hex(value) {
        return None;
    }
    match value.len() {
        32 => Some("md5 or ntlm"),
        40 => Some("sha1"),
        64 => Some("sha256"),
        96 => Some("sha384"),
        128 => Some("sha512"),
        _ => None,
    }
}

/// `crypt` of old: thirteen characters, told only where nothing else can stand.
pub(super) fn is_des(value: &str) -> bool {
    value.len() == 13
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/'))
}

fn is_hex(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_told_by_their_starts_and_lengths() {
        let body = "Zq3v9KxT2mW8bR5nYc7LdP4sHf6JgA1e";
        for (value, expected) in [
            (format!("$2y$10${body}{}", "abcdefghijklmnopqrstu"), Some("bcrypt")),
            (format!("$apr1$saltsalt${}", &body[..22]), Some("apr1")),
            (format!("*{}", "AB12".repeat(10)), Some("mysql")),
            ("$2y$10$short".to_owned(), None),
            ("$6 and more".to_owned(), None),
        ] {
            assert_eq!(kind(&value), expected, "{value}");
        }
        assert_eq!(bare(&"0a".repeat(16)), Some("md5 or ntlm"));
        assert!(is_des("rl.3StKT.4T8M"[..13].as_ref()) && !is_des("short"));
    }
}
