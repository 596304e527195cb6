//! Passwords by what they are called: keys and values of configuration in any of its languages.

use super::placeholder::{entropy, is_placeholder};
use lidless_core::Confidence;
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// A password with the name it stands under.
pub(crate) struct Password {
    pub(crate) key: String,
    pub(crate) span: Range<usize>,
    pub(crate) confidence: Confidence,
}

/// `key = value`, `"key": "value"`, `key=>value`, `<key>value</key>`, `define('key', 'value')`.
static PAIR: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?im)(?:^|[\s,{(;\[<$])["']?([a-z0-9_.\-]{0,40}(?:passw(?:or)?d|passwort|passwd|passphrase|pwd|secret|api[_\-]?key|access[_\-]?key|auth[_\-]?token|access[_\-]?token|client[_\-]?secret|private[_\-]?token|kennwort)[a-z0-9_.\-]{0,30})["']?\s{0,10}(?:=>|:=|[:=>,]|\s+is\s+)\s{0,10}(?:"([^"\n]{4,200})"|'([^'\n]{4,200})'|([^\s"'`#,;<>(){}\[\]]{4,200}))"#,
    )
    .ok()
});

/// Files in which a bare value after a name is meant as one.
const CONFIGURATION: [&str; 22] = [
    ".env",
    ".ini",
    ".conf",
    ".cfg",
    ".cnf",
    ".toml",
    ".yaml",
    ".yml",
    ".properties",
    ".json",
    ".xml",
    ".config",
    ".txt",
    ".php",
    ".ps1",
    ".sh",
    ".tf",
    ".tfvars",
    ".npmrc",
    ".reg",
    ".rdp",
    "credentials",
];

/// Every password in a text that is called one.
pub(crate) fn find(path: &str, text: &str) -> Vec<Password> {
    let Some(regex) = PAIR.as_ref() else { return Vec::new() };
    let lower = path.to_ascii_lowercase();
    let name = lower.rsplit('/').next().unwrap_or("");
    let configuration = CONFIGURATION.iter().any(|end| name.ends_with(end))
        || name.starts_with(".env")
        || name.starts_with('.');
    let list = ["passw", "kennw", "zugang", "credential", "login"].iter().any(|w| name.contains(w));
    let mut found = Vec::new();
    for captures in regex.captures_iter(text) {
        let Some(key) = captures.get(1) else { continue };
        let quoted = captures.get(2).or_else(|| captures.get(3));
        let Some(value) = quoted.or_else(|| captures.get(4)) else { continue };
        if quoted.is_none() && !configuration && !list {
            continue;
        }
        let Some(confidence) = judge(key.as_str(), value.as_str(), configuration || list) else {
            continue;
        };
        found.push(Password { key: key.as_str().to_owned(), span: value.range(), confidence });
    }
    found
}

/// How sure it is that a value is a password; none when it is not.
fn judge(key: &str, value: &str, configuration: bool) -> Option<Confidence> {
    let value = value.trim();
    let low = key.to_ascii_lowercase();
    // Names about passwords that hold none.
    let about = [
        "_file",
        "_path",
        "_url",
        "_name",
        "_id",
        "_length",
        "policy",
        "hash",
        "regex",
        "_field",
        "_type",
        "_hint",
        "_label",
        "prompt",
        "_min",
        "_max",
        "expire",
        "placeholder",
        "required",
        "reset",
        "strength",
        "timeout",
        "_class",
        "_ref",
        "keyvault",
        "_arn",
        "changed",
        "encryptedpassword",
    ];
    if about.iter().any(|part| low.contains(part)) || value.eq_ignore_ascii_case(key) {
        return None;
    }
    if is_placeholder(value) || value.contains("://") || value.starts_with(['/', '.', '\\']) {
        return None;
    }
    let code =
        value.contains(['(', ')', '{', '}', '[', ']', '<', '>', '|']) || value.contains("::");
    let letters =
        value.chars().all(|c| c.is_alphabetic() || c.is_whitespace() || c == '.' || c == '_');
    let has_digit = value.chars().any(|c| c.is_ascii_digit());
    let has_symbol =
        value.chars().any(|c| c.is_ascii_punctuation() && c != '_' && c != '.' && c != '-');
    // Words alone are messages and labels, except where a long random one can be told.
    if letters
        && !(value.len() >= 16 && !value.contains(char::is_whitespace) && entropy(value) > 3.8)
    {
        return None;
    }
    if value.split_whitespace().count() > 3 {
        return None;
    }
    if code && !configuration {
        return None;
    }
    let long = value.len() >= 8;
    Some(match (configuration, has_digit || has_symbol, long) {
        (true, true, true) => Confidence::High,
        (true, true, false) => Confidence::Medium,
        (false, true, true) if entropy(value) > 3.0 => Confidence::Medium,
        _ => Confidence::Low,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(path: &str, text: &str) -> Vec<String> {
        find(path, text)
            .into_iter()
            .filter(|one| one.confidence > Confidence::Low)
            .map(|one| one.key)
            .collect()
    }

    #[test]
    fn passwords_are_found_in_every_language_of_configuration() {
        for (path, text) in [
            (".env", "DB_PASSWORD=tr0ub4dor-horse\n"),
            ("a.ini", "[db]\npassword = tr0ub4dor-horse\n"),
            ("a.yaml", "db:\n  password: \"tr0ub4dor-horse\"\n"),
            ("a.json", "{\"password\": \"tr0ub4dor-horse\"}"),
            ("a.xml", "<add key=\"x\"/><password>tr0ub4dor-horse</password>"),
            ("wp-config.php", "define('DB_PASSWORD', 'tr0ub4dor-horse');"),
            ("a.properties", "spring.datasource.password=tr0ub4dor-horse\n"),
            ("passwords.txt", "mail password: tr0ub4dor-horse\n"),
            ("a.py", "password = 'tr0ub4dor-h0rse!'\n"),
        ] {
            assert_eq!(keys(path, text).len(), 1, "{path}: {text}");
        }
    }

    #[test]
    fn talk_about_passwords_is_none() {
        for (path, text) in [
            ("de.json", "{\"password\": \"Passwort\", \"secret\": \"Geheimnis der Woche\"}"),
            ("a.py", "password = os.environ['DB_PASSWORD']\nsecret = get_secret('x')\n"),
            ("a.yaml", "password: ${DB_PASSWORD}\nsecretName: my-tls-secret\n"),
            ("README.md", "Set the password: it has to be long.\n"),
            (".env.example", "DB_PASSWORD=changeme\nAPI_KEY=<your key>\n"),
            ("a.js", "if (password === confirmPassword) { token = null }\n"),
            ("a.ini", "password_file = /run/secrets/db\npassword_policy = strong9\n"),
        ] {
            assert!(keys(path, text).is_empty(), "{path}: {text}: {:?}", keys(path, text));
        }
    }
}
