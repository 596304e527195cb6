//! What stands where a secret would stand, and is none.

/// Words that people write in place of a secret.
const WORDS: [&str; 30] = [
    "changeme",
    "change_me",
    "change-me",
    "password",
    "passwort",
    "example",
    "placeholder",
    "your",
    "xxxx",
    "****",
    "....",
    "<",
    "${",
    "{{",
    "$(",
    "%(",
    "dummy",
    "sample",
    "redacted",
    "replace",
    "insert",
    "todo",
    "none",
    "null",
    "undefined",
    "secret_name",
    "not-a-real",
    "foobar",
    "notasecret",
    "process.env",
];

/// True when a value is a placeholder, a reference or a word.
pub(crate) fn is_placeholder(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let lower = lower.trim_matches(|c| matches!(c, '"' | '\'' | '`'));
    if lower.len() < 3 || WORDS.iter().any(|word| lower.contains(word)) {
        return true;
    }
    if [
        "user", "pass", "pwd", "admin", "root", "test", "guest", "secret", "token", "postgres",
        "mysql", "true", "false", "string", "key",
    ]
    .contains(&lower)
    {
        return true;
    }
    let first = lower.chars().next().unwrap_or(' ');
    if matches!(first, '$' | '%' | '@' | '*' | '&') && !lower.contains(|c: char| c.is_ascii_digit())
    {
        return true;
    }
    // One or two characters over and over.
    let distinct: std::collections::BTreeSet<char> = lower.chars().collect();
    distinct.len() <= 2 || is_run(lower)
}

/// True when a value of a fixed form is filled with what people write in examples; `closely` also
/// looks for rows of letters and digits, for rules that only a name near the value tells.
pub(crate) fn is_filler(value: &str, closely: bool) -> bool {
    let lower = value.to_ascii_lowercase();
    if ["xxxx", "your", "...", "example"].iter().any(|word| lower.contains(word)) {
        return true;
    }
    closely
        && ["12345", "abcde", "00000", "11111", "fffff", "dummy", "changeme", "test_"]
            .iter()
            .any(|word| lower.contains(word))
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
        for value in
            ["changeme", "${PASS}", "<password>", "xxxxxxxx", "12345678", "%PASS%", "your-key"]
        {
            assert!(is_placeholder(value), "{value}");
        }
        for value in ["tr0ub4dor-horse", "hunter2!", "S3cr!t9zq", "correcthorsebattery"] {
            assert!(!is_placeholder(value), "{value}");
        }
        assert!(entropy("aaaaaaaa") < 1.0 && entropy("Zq3v9KxT2mW8bR5n") > 3.5);
    }
}
