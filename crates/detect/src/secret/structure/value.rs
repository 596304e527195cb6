//! What a value looks like.

use super::hash;
use crate::secret::placeholder::entropy;

/// The shape of a value, before anything is known of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// Nothing in it, or one mark.
    Empty,
    /// What people write where a secret should go.
    Placeholder,
    /// The name of a variable, a vault or a place where the secret is kept.
    Reference,
    /// Yes or no.
    Boolean,
    /// A number too short to be anything else.
    Number,
    /// A place in a file system, or a link.
    Path,
    /// A sentence.
    Prose,
    /// A piece of a program.
    Code,
    /// The hash of a password.
    Hash(&'static str),
    /// Encrypted, and says so.
    Sealed(&'static str),
    /// A word that people start out with: `admin`.
    Weak,
    /// A word of letters.
    Word,
    /// Letters with digits or marks, short.
    Mixed,
    /// Letters with digits or marks, long.
    Strong,
    /// Drawn at random, to all appearance.
    Random,
}

const PLACEHOLDER: [&str; 42] = [
    "changeme",
    "change_me",
    "change-me",
    "changethis",
    "change_this",
    "example.",
    "placeholder",
    "your_",
    "your-",
    "your ",
    "yourpass",
    "yoursecret",
    "yourtoken",
    "yourkey",
    "yourapi",
    "yourown",
    "xxxx",
    "****",
    "....",
    "####",
    "redacted",
    "replace",
    "insert",
    "todo",
    "fixme",
    "tbd",
    "undefined",
    "not-a-real",
    "notareal",
    "foobar",
    "notasecret",
    "goes_here",
    "goes-here",
    "_here",
    "-here",
    "sensitive",
    "<",
    "dummy",
    "sample",
    "my_secret",
    "my-secret",
    "lorem",
];

const REFERENCE: [&str; 32] = [
    "${",
    "{{",
    "$(",
    "#{",
    "<%",
    "%(",
    "vault:",
    "op://",
    "ssm:",
    "arn:",
    "@microsoft.keyvault",
    "env(",
    "env:",
    "env.",
    "process.env",
    "os.environ",
    "getenv",
    "keyring:",
    "secretref:",
    "secretkeyref",
    "secretsmanager",
    "!vault",
    "!ref",
    "!sub",
    "var.",
    "local.",
    "data.",
    "file:",
    "ref+",
    "keychain:",
    "awssm:",
    "gcpsm:",
];

/// Words in front of or in place of a password in thousands of installations.
const WEAK: [&str; 40] = [
    "user",
    "username",
    "pass",
    "passw",
    "password",
    "passwd",
    "passwort",
    "pwd",
    "admin",
    "administrator",
    "root",
    "test",
    "testing",
    "guest",
    "secret",
    "token",
    "postgres",
    "mysql",
    "string",
    "key",
    "default",
    "demo",
    "login",
    "letmein",
    "welcome",
    "qwerty",
    "none",
    "null",
    "nil",
    "bar",
    "foo",
    "baz",
    "abc",
    "private",
    "public",
    "example",
    "nobody",
    "sa",
    "kennwort",
    "auth",
];

/// Looks at a value.
pub(crate) fn look(value: &str) -> Look {
    let value = value.trim();
    let lower = value.to_ascii_lowercase();
    if value.len() < 2 || matches!(lower.as_str(), "\"\"" | "''" | "*" | "!" | "!!" | "-" | "x") {
        return Look::Empty;
    }
    if matches!(
        lower.as_str(),
        "true"
            | "false"
            | "yes"
            | "no"
            | "on"
            | "off"
            | "enabled"
            | "disabled"
            | "null"
            | "none"
            | "nil"
            | "undefined"
            | "required"
            | "optional"
            | "prompt"
            | "never"
            | "always"
    ) {
        return Look::Boolean;
    }
    if value.len() < 6 && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Look::Number;
    }
    if let Some(kind) = hash::kind(value) {
        return Look::Hash(kind);
    }
    if let Some(kind) = sealed(value, &lower) {
        return Look::Sealed(kind);
    }
    if is_reference(value, &lower) {
        return Look::Reference;
    }
    // Services write EXAMPLE into the keys that they show.
    if PLACEHOLDER.iter().any(|word| lower.contains(word))
        || value.contains("EXAMPLE")
        || is_monotone(&lower)
    {
        return Look::Placeholder;
    }
    if lower.contains("://") || is_path(value) {
        return Look::Path;
    }
    let words = value.split_whitespace().count();
    if words > 3 || (words > 1 && value.chars().all(|c| c.is_alphabetic() || c.is_whitespace())) {
        return Look::Prose;
    }
    shape(value, &lower)
}

fn shape(value: &str, lower: &str) -> Look {
    let digit = value.chars().any(|c| c.is_ascii_digit());
    let letter = value.chars().any(char::is_alphabetic);
    let mark = value.chars().any(|c| c.is_ascii_punctuation() && !matches!(c, '_' | '.' | '-'));
    let length = value.chars().count();
    if is_code(value) {
        return Look::Code;
    }
    if !digit && !mark {
        if length >= 16 && entropy(value) > 3.8 && !is_words(value) {
            return Look::Random;
        }
        let bare: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
        return if WEAK.contains(&bare.as_str()) || is_weak_pair(&bare) {
            Look::Weak
        } else {
            Look::Word
        };
    }
    let random = length >= 16 && digit && letter && entropy(value) > 3.0 && !is_words(value);
    match length {
        _ if random => Look::Random,
        0..=7 => Look::Mixed,
        _ => Look::Strong,
    }
}

/// Two weak words in a row: `adminpassword`.
fn is_weak_pair(bare: &str) -> bool {
    WEAK.iter().any(|word| {
        bare.strip_prefix(word).is_some_and(|rest| WEAK.contains(&rest))
            || (word.len() > 3 && bare.strip_prefix("my") == Some(word))
    })
}

/// Words joined by marks or capitals: `some-setting-name`, `SomeClassName`, `my_key_2`.
fn is_words(value: &str) -> bool {
    let words = super::key::words(value);
    let letters = |word: &String| word.chars().all(char::is_alphabetic) && word.len() >= 3;
    let digits = |word: &String| word.len() <= 3 && word.bytes().all(|b| b.is_ascii_digit());
    let plain = value.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' '));
    let long = words.iter().filter(|word| letters(word)).count();
    plain
        && long >= 2
        && words.iter().all(|word| letters(word) || digits(word) || word.len() <= 2)
        && long.saturating_mul(2) > words.len()
        && words.iter().filter(|word| letters(word)).all(|word| has_vowel(word))
}

fn has_vowel(word: &str) -> bool {
    word.contains(['a', 'e', 'i', 'o', 'u', 'y'])
}

fn is_reference(value: &str, lower: &str) -> bool {
    if REFERENCE.iter().any(|start| lower.starts_with(start))
        || value.contains("${")
        || value.contains("{{")
        || value.contains("$(")
        || value.contains("<%")
        // `setting:`NAME`` of marked-up text
        || (value.contains(":`") && value.ends_with('`'))
    {
        return true;
    }
    let name = |rest: &str| {
        !rest.is_empty()
            && rest.chars().all(|c| c.is_ascii_alphanumeric() || "_.:-[]'\"".contains(c))
    };
    let variable =
        |rest: &str| name(rest) && rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if let Some(rest) = value.strip_prefix('$') {
        // `$ecret9` is a password, `$SECRET` and `$secret` are names.
        return variable(rest) && (rest == rest.to_ascii_uppercase() || !has_digit(rest));
    }
    if let Some(rest) = value.strip_prefix('%') {
        return rest.strip_suffix('%').is_some_and(name) || (variable(rest) && !has_digit(rest));
    }
    if let Some(rest) = value.strip_prefix(['@', '&', '*', ':']) {
        return variable(rest) && !has_digit(rest);
    }
    if let (Some(rest), true) = (value.strip_prefix("__"), value.ends_with("__")) {
        return name(rest);
    }
    // `SOME_VARIABLE_NAME` as a value is one more name.
    value.len() > 6
        && value.contains('_')
        && value.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

fn has_digit(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
}

fn sealed(value: &str, lower: &str) -> Option<&'static str> {
    if lower.starts_with("enc(") || lower.starts_with("enc[") {
        return Some("jasypt or sops");
    }
    if lower.starts_with("{cipher}") {
        return Some("config server");
    }
    if value.starts_with("$ANSIBLE_VAULT") {
        return Some("ansible vault");
    }
    if lower.starts_with("{aes}") || lower.starts_with("{xor}") || lower.starts_with("{aqaaab") {
        return Some("program's own key");
    }
    // Maven: `{base64}`.
    if let Some(inner) = value.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'))
        && inner.len() >= 20
        && inner.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='))
    {
        return Some("maven");
    }
    // NSS: a sequence that starts with the identifier of the key, sixteen bytes from f8.
    let nss = value.len() >= 60 && value.starts_with('M') && value.get(3..7) == Some("EEPg");
    nss.then_some("browser")
}

/// One or two characters over and over, or a row of letters or digits.
fn is_monotone(lower: &str) -> bool {
    let distinct: std::collections::BTreeSet<char> = lower.chars().take(200).collect();
    let row = lower.len() >= 6
        && lower.as_bytes().windows(2).all(|pair| match pair {
            [a, b] => b.checked_sub(*a) == Some(1),
            _ => false,
        });
    distinct.len() <= 2 || row
}

fn is_path(value: &str) -> bool {
    let start = value.starts_with(['/', '~'])
        || value.starts_with("./")
        || value.starts_with("../")
        || value.starts_with("\\\\")
        || value.get(1..3) == Some(":\\");
    // `/` may start a password; a path has a name after it, and no other marks.
    let file = value.contains('/')
        && value.rsplit('.').next().is_some_and(|end| {
            (1..=4).contains(&end.len()) && end.bytes().all(|b| b.is_ascii_alphanumeric())
        })
        && value.split('/').count() > 2
        && value.contains('.');
    file || start
        && value.chars().skip(1).all(|c| c.is_alphanumeric() || "/\\._-~ @:*".contains(c))
        && value.len() > 2
        || [".pem", ".key", ".json", ".txt", ".crt", ".yml", ".yaml", ".php", ".js", ".py", ".html"]
            .iter()
            .any(|end| value.ends_with(end))
}

fn is_code(value: &str) -> bool {
    // Bytes written out.
    if value.matches("\\x").count() >= 3 || value.matches("\\u").count() >= 3 {
        return true;
    }
    let call = value.ends_with(')') && value.contains('(');
    let generic = value.contains("::") || value.contains("->") || value.contains("=>");
    let index = (value.ends_with(']') && value.contains('[')) || value.contains("].");
    // A call that goes on in the next line; what follows a literal in another.
    let open = value.strip_suffix('(').is_some_and(|name| {
        name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
            && !has_digit(name)
    });
    let follows = value.starts_with(['.', ',', ')', '+']) && value.contains('(');
    let member = value.split('.').count() > 1
        && value.split('.').all(|part| {
            part.len() > 1
                && part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                && !has_digit(part)
        });
    let block =
        value.starts_with(['{', '[', '(']) && !value.ends_with(|c: char| c.is_alphanumeric());
    call || generic || index || open || follows || member || block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_look_like_what_they_are() {
        for (value, expected) in [
            ("", Look::Empty),
            ("changeme", Look::Placeholder),
            ("<password>", Look::Placeholder),
            ("xxxxxxxx", Look::Placeholder),
            ("12345678", Look::Placeholder),
            ("${DB_PASSWORD}", Look::Reference),
            ("$DB_PASSWORD", Look::Reference),
            ("%PASS%", Look::Reference),
            ("os.environ['X']", Look::Reference),
            ("DB_PASSWORD_FROM_ENV", Look::Reference),
            ("true", Look::Boolean),
            ("22", Look::Number),
            ("/run/secrets/db", Look::Path),
            ("~/.ssh/key.pem", Look::Path),
            ("it has to be long", Look::Prose),
            ("get_secret('x')", Look::Code),
            ("settings.secret", Look::Code),
            ("forms.CharField(", Look::Code),
            ("Items[-1].Id", Look::Code),
            ("wJalrXUtnFEMIEXAMPLEKEY", Look::Placeholder),
            ("admin", Look::Weak),
            ("Passwort", Look::Weak),
            ("swordfish", Look::Word),
            ("hunter2", Look::Mixed),
            ("tr0ub4dor-horse", Look::Strong),
            ("S3cr!t9zq", Look::Strong),
            ("Zq3v9KxT2mW8bR5n", Look::Random),
            ("ENC(abcdefgh)", Look::Sealed("jasypt or sops")),
        ] {
            assert_eq!(look(value), expected, "{value}");
        }
    }
}
