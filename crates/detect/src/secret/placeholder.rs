//! What stands where a secret would stand, and is none: each with its reason.

use super::published::published;
use lidless_core::Reason;

/// Words that people write in place of a secret.
const WORDS: [&str; 20] = [
    "changeme",
    "change_me",
    "change-me",
    "password",
    "passwort",
    "placeholder",
    "your",
    "xxxx",
    "****",
    "....",
    "dummy",
    "redacted",
    "replace",
    "insert",
    "todo",
    "none",
    "null",
    "undefined",
    "secret_name",
    "foobar",
];

/// Words that say of themselves that nothing is meant.
const EXAMPLES: [&str; 4] = ["example", "sample", "not-a-real", "notasecret"];

/// What names a place where the secret lies.
const REFERENCES: [&str; 12] = [
    "<",
    "${",
    "{{",
    "$(",
    "%(",
    "process.env",
    "os.environ",
    "vault:",
    "keyvault",
    "op://",
    "secretsmanager",
    "ref+",
];

/// Why a value is a placeholder, a reference or a word; none when it is none of these.
pub(crate) fn placeholder(value: &str) -> Option<Reason> {
    if published(value).is_some() {
        return Some(Reason::Published);
    }
    let lower = value.to_ascii_lowercase();
    let lower = lower.trim_matches(|c| matches!(c, '"' | '\'' | '`'));
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    // `<password>` is filled in by hand, `${PASSWORD}` by a program.
    if lower.starts_with('<') && lower.ends_with('>') {
        return Some(Reason::Placeholder);
    }
    if has(&REFERENCES) {
        return Some(Reason::Reference);
    }
    if has(&EXAMPLES) {
        return Some(Reason::Example);
    }
    if lower.len() < 3 || has(&WORDS) {
        return Some(Reason::Placeholder);
    }
    if [
        "user", "pass", "pwd", "admin", "root", "test", "guest", "secret", "token", "postgres",
        "mysql", "true", "false", "string", "key",
    ]
    .contains(&lower)
    {
        return Some(Reason::Placeholder);
    }
    let first = lower.chars().next().unwrap_or(' ');
    if matches!(first, '$' | '%' | '@' | '*' | '&') && !lower.contains(|c: char| c.is_ascii_digit())
    {
        return Some(Reason::Reference);
    }
    if is_empty_uuid(lower) {
        return Some(Reason::Uuid);
    }
    // One or two characters over and over.
    let distinct: std::collections::BTreeSet<char> = lower.chars().collect();
    (distinct.len() <= 2 || is_run(lower)).then_some(Reason::Placeholder)
}

/// Why a value of a fixed form is what people write in examples; `closely` also looks for rows of
/// letters and digits, for rules that only a name near the value tells.
pub(crate) fn filler(value: &str, closely: bool) -> Option<Reason> {
    let lower = value.to_ascii_lowercase();
    if lower.contains("example") {
        return Some(Reason::Example);
    }
    if ["xxxx", "your", "..."].iter().any(|word| lower.contains(word)) {
        return Some(Reason::Placeholder);
    }
    if is_empty_uuid(&lower) {
        return Some(Reason::Uuid);
    }
    let row = ["12345", "abcde", "00000", "11111", "fffff", "dummy", "changeme", "test_"];
    (closely && row.iter().any(|word| lower.contains(word))).then_some(Reason::Placeholder)
}

/// Whether a value is written as the digest of something: `sha256-…`, or hexadecimal of the length
/// of a digest under a name that says so.
pub(crate) fn is_digest(name: &str, value: &str) -> bool {
    let value = value.trim();
    let low = value.to_ascii_lowercase();
    for start in ["sha1", "sha256", "sha384", "sha512", "md5"] {
        let rest = low.strip_prefix(start).and_then(|rest| rest.strip_prefix(['-', ':', '=']));
        if rest.is_some_and(|rest| rest.len() >= 24) {
            return true;
        }
    }
    let hex = value.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !hex || !matches!(value.len(), 32 | 40 | 56 | 64 | 96 | 128) {
        return false;
    }
    // Telegram calls a secret of its own a hash.
    let name = name.to_ascii_lowercase().replace("api_hash", "");
    [
        "hash",
        "sha1",
        "sha2",
        "sha5",
        "sha-",
        "sha_",
        "md5",
        "checksum",
        "digest",
        "integrity",
        "etag",
        "commit",
        "revision",
        "fingerprint",
        "thumbprint",
    ]
    .iter()
    .any(|word| name.contains(word))
}

/// A UUID in which nobody put anything: nil, or rows of digits.
fn is_empty_uuid(lower: &str) -> bool {
    let bytes = lower.as_bytes();
    let form = bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    if !form {
        return false;
    }
    let digits: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != b'-').collect();
    let distinct: std::collections::BTreeSet<u8> = digits.iter().copied().collect();
    distinct.len() <= 3
        || lower.starts_with("01234567-89ab-")
        || lower.starts_with("12345678-1234-")
        || lower.starts_with("11111111-2222-")
}

/// `abcdefgh`, `12345678`.
fn is_run(text: &str) -> bool {
    text.len() >= 6
        && text.as_bytes().windows(2).all(|pair| match pair {
            [a, b] => b.checked_sub(*a) == Some(1),
            _ => false,
        })
}

/// Shannon entropy in bits a character.
pub(crate) fn entropy(text: &str) -> f64 {
    let mut counts = std::collections::HashMap::new();
    let mut total = 0.0_f64;
    for character in text.chars() {
        *counts.entry(character).or_insert(0.0_f64) += 1.0;
        total += 1.0;
    }
    counts.values().map(|count| -(count / total) * (count / total).log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_no_secrets_and_secrets_are_no_words() {
        for (value, reason) in [
            ("changeme", Reason::Placeholder),
            ("${PASS}", Reason::Reference),
            ("<password>", Reason::Placeholder),
            ("xxxxxxxx", Reason::Placeholder),
            ("12345678", Reason::Placeholder),
            ("%PASS%", Reason::Reference),
            ("your-key", Reason::Placeholder),
            ("vault:secret/data/db#password", Reason::Reference),
            ("00000000-0000-0000-0000-000000000000", Reason::Uuid),
            ("sample-value-77", Reason::Example),
        ] {
            assert_eq!(placeholder(value), Some(reason), "{value}");
        }
        for value in [
            "tr0ub4dor-horse",
            "hunter2!",
            "S3cr!t9zq",
            "correcthorsebattery",
            "9c7e4f0a-6b1d-4a52-8e3f-1d0b7c5a9e26",
        ] {
            assert_eq!(placeholder(value), None, "{value}");
        }
        assert!(entropy("aaaaaaaa") < 1.0 && entropy("Zq3v9KxT2mW8bR5n") > 3.5);
    }

    #[test]
    fn a_digest_is_told_by_its_name_or_by_its_start() {
        let hex = "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d";
        assert!(is_digest("secret_sha1", hex));
        assert!(!is_digest("client_secret", hex));
        assert!(is_digest("x", "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="));
    }
}
