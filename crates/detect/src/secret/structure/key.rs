//! What a key means, by the words it is made of.

/// What stands under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// What a person or a program logs in with.
    Password,
    /// A key or a token: drawn at random.
    Token,
    /// A word that is a token in some files and anything in others.
    Vague,
    /// The hash of a password.
    Hash,
    /// A name and a password in one, in base64.
    Login,
    /// A password that is said to be encrypted.
    Sealed,
    /// A user.
    User,
    /// A host, or a link to one.
    Host,
}

/// A key, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) meaning: Meaning,
    /// Its words without those that say what it means: `db` of `DB_PASSWORD`.
    pub(crate) stem: String,
    /// All of it in small letters, without what stands between the words.
    pub(crate) whole: String,
}

/// Names that say nothing themselves: what stands around them does.
const HOLLOW: [&str; 10] =
    ["value", "string", "text", "data", "default", "content", "val", "v", "plaintext", "values"];

/// Last words of names that are about a secret and hold none.
const ABOUT: [&str; 104] = [
    "file",
    "files",
    "path",
    "dir",
    "directory",
    "url",
    "uri",
    "name",
    "names",
    "id",
    "ids",
    "length",
    "len",
    "policy",
    "policies",
    "regex",
    "pattern",
    "field",
    "fields",
    "type",
    "types",
    "hint",
    "label",
    "prompt",
    "min",
    "max",
    "expire",
    "expires",
    "expired",
    "expiry",
    "expiration",
    "placeholder",
    "required",
    "reset",
    "strength",
    "timeout",
    "class",
    "ref",
    "arn",
    "changed",
    "change",
    "confirm",
    "confirmation",
    "error",
    "errors",
    "message",
    "msg",
    "title",
    "description",
    "help",
    "count",
    "size",
    "format",
    "enabled",
    "disabled",
    "encoder",
    "validator",
    "validators",
    "manager",
    "provider",
    "service",
    "store",
    "column",
    "input",
    "box",
    "form",
    "view",
    "link",
    "page",
    "template",
    "mode",
    "method",
    "algorithm",
    "version",
    "date",
    "time",
    "age",
    "attempts",
    "limit",
    "rules",
    "score",
    "visibility",
    "encryption",
    "encoding",
    "scheme",
    "handler",
    "callback",
    "endpoint",
    "source",
    "command",
    "cmd",
    "selector",
    "xpath",
    "attribute",
    "param",
    "parameter",
    "header",
    "prefix",
    "suffix",
    "location",
    "env",
    "var",
    "variable",
    "authentication",
];

/// First words of names that ask about a secret.
const ASKING: [&str; 34] = [
    "show",
    "hide",
    "forgot",
    "forgotten",
    "reset",
    "change",
    "confirm",
    "has",
    "is",
    "no",
    "require",
    "requires",
    "ask",
    "prompt",
    "save",
    "allow",
    "enable",
    "disable",
    "force",
    "verify",
    "check",
    "validate",
    "invalid",
    "missing",
    "wrong",
    "bad",
    "min",
    "max",
    "use",
    "remember",
    "enter",
    "incorrect",
    "generate",
    "lost",
];

/// Words for a password, in the languages that configuration is written in.
const PASSWORD: [&str; 22] = [
    "password",
    "passwd",
    "passwort",
    "passphrase",
    "pwd",
    "pass",
    "pw",
    "kennwort",
    "contrasena",
    "contraseña",
    "senha",
    "motdepasse",
    "mdp",
    "haslo",
    "wachtwoord",
    "parola",
    "passw",
    "psk",
    "passcode",
    "пароль",
    "cpassword",
    "authtok",
];

/// What a word may end with and be one for a password: `dbpasswd`, `requirepass`, `bindpw`.
const ENDINGS: [&str; 8] =
    ["password", "passwd", "passwort", "passphrase", "pwd", "pass", "pw", "authtok"];

/// Words that end so and have nothing to do with it.
const OTHER_WORDS: [&str; 14] = [
    "bypass",
    "compass",
    "encompass",
    "trespass",
    "surpass",
    "overpass",
    "underpass",
    "onepass",
    "multipass",
    "singlepass",
    "twopass",
    "prepass",
    "renderpass",
    "subpass",
];

/// What may stand after the word for a secret and change nothing.
const TRAILING: [&str; 22] = [
    "old",
    "new",
    "prod",
    "production",
    "dev",
    "development",
    "staging",
    "stage",
    "live",
    "default",
    "value",
    "plain",
    "text",
    "clear",
    "cleartext",
    "plaintext",
    "string",
    "primary",
    "secondary",
    "main",
    "backup",
    "local",
];

/// Two last words that together name a key or a token.
const TOKENS: [(&str, &str); 36] = [
    ("api", "key"),
    ("secret", "key"),
    ("access", "key"),
    ("auth", "token"),
    ("access", "token"),
    ("client", "secret"),
    ("private", "token"),
    ("oauth", "token"),
    ("api", "token"),
    ("account", "key"),
    ("storage", "key"),
    ("encryption", "key"),
    ("signing", "key"),
    ("master", "key"),
    ("shared", "key"),
    ("app", "key"),
    ("application", "key"),
    ("auth", "key"),
    ("private", "key"),
    ("api", "secret"),
    ("app", "secret"),
    ("consumer", "secret"),
    ("webhook", "secret"),
    ("refresh", "token"),
    ("bearer", "token"),
    ("bot", "token"),
    ("service", "key"),
    ("session", "secret"),
    ("cookie", "secret"),
    ("jwt", "secret"),
    ("key", "base"),
    ("subscription", "key"),
    ("deploy", "key"),
    ("admin", "key"),
    ("rest", "key"),
    ("license", "key"),
];

/// Words before `token` that make it a place in a list, a number of a request or a word of a parser:
/// nobody gets in with one of these.
const HANDLES: [&str; 22] = [
    "next",
    "page",
    "pagination",
    "continuation",
    "starting",
    "cursor",
    "input",
    "output",
    "request",
    "idempotency",
    "idempotent",
    "action",
    "sync",
    "change",
    "cancel",
    "cancellation",
    "verification",
    "dkim",
    "unexpected",
    "expected",
    "csrf",
    "grant",
];

/// A name of more words is a sentence.
const MOST_WORDS: usize = 8;

impl Key {
    /// A key of one word that means this.
    pub(super) fn plain(meaning: Meaning) -> Self {
        Self { meaning, stem: String::new(), whole: String::new() }
    }

    /// What a name means; a hollow one means what the name around it does.
    pub(crate) fn read(name: &str, around: &[&str]) -> Option<Self> {
        let words = words(name);
        if let [only] = words.as_slice()
            && HOLLOW.contains(&only.as_str())
        {
            let outer = around.iter().rev().find(|part| !part.is_empty())?;
            return Self::of(self::words(outer));
        }
        let own = Self::of(words);
        if own.is_none()
            && name.contains('.')
            && let Some(outer) = around.last()
        {
            // `"github-oauth": {"example.com": ".."}`, `passwords: {"db.example.com": ".."}`
            return Self::of(self::words(outer)).filter(|key| {
                matches!(key.meaning, Meaning::Password | Meaning::Token | Meaning::Vague)
            });
        }
        own
    }

    fn of(mut words: Vec<String>) -> Option<Self> {
        let whole: String = words.concat();
        // Numbers and the like at the end: `password1`, `DB_PASSWORD_PROD`.
        while words.len() > 1
            && words.last().is_some_and(|last| {
                TRAILING.contains(&last.as_str()) || last.bytes().all(|b| b.is_ascii_digit())
            })
        {
            words.pop();
        }
        if words.len() > MOST_WORDS {
            return None;
        }
        let last = words.last()?.as_str();
        let first = words.first()?.as_str();
        let before = words.len().checked_sub(2).and_then(|at| words.get(at)).map(String::as_str);
        let stem_of = |count: usize| -> String {
            words.get(..words.len().saturating_sub(count)).unwrap_or(&[]).concat()
        };
        let key = |meaning, stem: String| Some(Self { meaning, stem, whole: whole.clone() });
        let secret_word = |word: &str| PASSWORD.contains(&word) || word == "secret";

        if last == "hash" || last == "hashed" || last == "digest" {
            return match before {
                Some(before) if secret_word(before) || before == "pw" => {
                    key(Meaning::Hash, stem_of(2))
                }
                _ => None,
            };
        }
        if whole == "pwhash" || whole == "passwordhash" {
            return key(Meaning::Hash, String::new());
        }
        if let Some(meaning) = who_or_where(last, before) {
            let count = if before == Some("user") && last != "host" { 2 } else { 1 };
            let stem = match split_ending(last, &["username", "user", "hostname", "host", "login"])
            {
                Some(rest) => [stem_of(1).as_str(), rest].concat(),
                None => stem_of(count),
            };
            return key(meaning, stem);
        }
        if matches!(last, "token" | "tokens") && before.is_some_and(|word| HANDLES.contains(&word))
        {
            return None;
        }
        if ABOUT.contains(&last) || (words.len() > 1 && ASKING.contains(&first)) {
            return None;
        }
        if PASSWORD.contains(&last) {
            let sealed =
                words.iter().any(|w| matches!(w.as_str(), "encrypted" | "enc" | "crypted"));
            let meaning = if sealed { Meaning::Sealed } else { Meaning::Password };
            return key(meaning, stem_of(1));
        }
        if let Some(rest) = split_ending(last, &ENDINGS)
            && !OTHER_WORDS.contains(&last)
        {
            return key(Meaning::Password, [stem_of(1).as_str(), rest].concat());
        }
        if last == "auth" && (words.len() == 1) {
            return key(Meaning::Login, String::new());
        }
        if let Some(before) = before
            && TOKENS.contains(&(before, last))
        {
            return key(Meaning::Token, stem_of(2));
        }
        if matches!(last, "apikey" | "secretkey" | "authtoken" | "accesstoken" | "apitoken") {
            return key(Meaning::Token, stem_of(1));
        }
        if matches!(last, "oauth" | "tokens" | "secrets") {
            return key(Meaning::Vague, stem_of(1));
        }
        if matches!(last, "passwords" | "passwds" | "kennwörter" | "passwörter") {
            return key(Meaning::Password, stem_of(1));
        }
        if matches!(last, "token" | "secret" | "authkey" | "accesskey") {
            let meaning = if words.len() > 1 { Meaning::Token } else { Meaning::Vague };
            return key(meaning, stem_of(1));
        }
        // `AUTH_KEY` and `AUTH_SALT` of several programs.
        if matches!(last, "salt" | "pepper") && words.len() > 1 {
            return key(Meaning::Vague, stem_of(1));
        }
        None
    }
}

fn who_or_where(last: &str, before: Option<&str>) -> Option<Meaning> {
    let user = matches!(
        last,
        "user"
            | "username"
            | "login"
            | "userid"
            | "uid"
            | "usr"
            | "email"
            | "mail"
            | "account"
            | "identity"
            | "nick"
            | "uname"
    ) || (before == Some("user") && matches!(last, "name" | "id"))
        || split_ending(last, &["username", "user"]).is_some();
    if user {
        return Some(Meaning::User);
    }
    let host = matches!(
        last,
        "host"
            | "hostname"
            | "server"
            | "address"
            | "endpoint"
            | "machine"
            | "domain"
            | "site"
            | "addr"
            | "realm"
            | "url"
            | "uri"
    ) || split_ending(last, &["hostname", "host"]).is_some();
    host.then_some(Meaning::Host)
}

fn split_ending<'w>(word: &'w str, endings: &[&str]) -> Option<&'w str> {
    endings.iter().find_map(|end| word.strip_suffix(end)).filter(|rest| rest.len() >= 2)
}

/// The words of a name in small letters: `userPassword`, `DB_PASSWORD`, `mail password`.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut before = ' ';
    let mut rest = name.chars().take(120).peekable();
    while let Some(c) = rest.next() {
        if !c.is_alphanumeric() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
        } else {
            let next_small = rest.peek().is_some_and(|next| next.is_lowercase());
            let starts = (c.is_uppercase() && before.is_lowercase())
                || (c.is_uppercase() && before.is_uppercase() && next_small)
                || (c.is_ascii_digit() && before.is_alphabetic() && before.is_lowercase());
            if starts && !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            word.extend(c.to_lowercase());
        }
        before = c;
        if words.len() > 12 {
            break;
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(name: &str) -> Option<Meaning> {
        Key::read(name, &[]).map(|key| key.meaning)
    }

    #[test]
    fn names_mean_what_their_words_say() {
        for name in [
            "password",
            "DB_PASSWORD",
            "userPassword",
            "dbpasswd",
            "requirepass",
            "bindpw",
            "sshPassphrase",
            "mail password",
            "spring.datasource.password",
            "AdminPassword",
            "password2",
            "DB_PASSWORD_PROD",
            "Kennwort",
            "PGPASSWORD",
            "irc.pass",
        ] {
            assert_eq!(meaning(name), Some(Meaning::Password), "{name}");
        }
        for name in [
            "api_key",
            "SECRET_KEY",
            "apiKey",
            "client-secret",
            "oauth_token",
            "AWS_SECRET_ACCESS_KEY",
            "secret_key_base",
            "GITHUB_TOKEN",
            "APP_KEY",
            "//host/:_authToken",
        ] {
            assert_eq!(meaning(name), Some(Meaning::Token), "{name}");
        }
        assert_eq!(meaning("encryptedPassword"), Some(Meaning::Sealed));
        assert_eq!(meaning("password_hash"), Some(Meaning::Hash));
        assert_eq!(meaning("_auth"), Some(Meaning::Login));
        assert_eq!(meaning("DB_USERNAME"), Some(Meaning::User));
        assert_eq!(meaning("serverHost"), Some(Meaning::Host));
    }

    #[test]
    fn names_about_a_secret_hold_none() {
        for name in [
            "password_file",
            "passwordField",
            "promptForPass",
            "show_password",
            "secretName",
            "token_type",
            "bypass",
            "passwordPolicy",
            "AWS_ACCESS_KEY_ID",
            "compass",
            "key",
            "hash",
            "PasswordValidator",
            "save-password",
            "forgot_password",
            "primary_key",
            "NextToken",
            "clientRequestToken",
            "output_token",
            "Running_an_extra_pass_over_what_the_modules_pass",
        ] {
            assert!(
                !matches!(
                    meaning(name),
                    Some(Meaning::Password | Meaning::Token | Meaning::Vague | Meaning::Login)
                ),
                "{name}"
            );
        }
    }

    #[test]
    fn a_stem_is_what_a_name_is_about() {
        for (name, stem) in [
            ("DB_PASSWORD", "db"),
            ("dbuser", "db"),
            ("dbHost", "db"),
            ("MAIL_USERNAME", "mail"),
            ("password", ""),
        ] {
            assert_eq!(Key::read(name, &[]).unwrap().stem, stem, "{name}");
        }
        assert_eq!(Key::read("Value", &["Password"]).unwrap().meaning, Meaning::Password);
    }
}
