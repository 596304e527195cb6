//! One judge: what a key means, what its value looks like, and what stands beside them.

use super::hash;
use super::issued;
use super::key::{Key, Meaning};
use super::pair::{Form, Pair, Pairs};
use super::surroundings::{Beside, Surroundings, is_sample_by_path};
use super::value::{Look, look};
use crate::secret::placeholder::entropy;
use base64::Engine as _;
use lidless_core::Confidence;

/// What a pair is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A password in clear.
    Password,
    /// A key or token in clear.
    Token,
    /// The hash of a password, and how it is made.
    Hash(&'static str),
    /// A password that only something else opens, and what.
    Sealed(&'static str),
    /// A password inside a link or a connection string.
    Connection,
}

/// A pair that is a secret.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judged {
    pub(crate) kind: Kind,
    pub(crate) confidence: Confidence,
    /// Who and where, when it stands beside and gives nothing away.
    pub(crate) beside: Beside,
}

/// Why a pair is no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    Empty,
    Placeholder,
    Reference,
    Boolean,
    Number,
    Path,
    Prose,
    Code,
    Label,
    NotRandom,
    Identifier,
}

impl Reason {
    /// The reason as a report counts it; none where nobody would have taken the value for a
    /// secret.
    pub(crate) fn for_report(self) -> Option<lidless_core::Reason> {
        use lidless_core::Reason as Told;
        match self {
            Self::Placeholder => Some(Told::Placeholder),
            Self::Reference | Self::Path | Self::Code => Some(Told::Reference),
            Self::Prose | Self::Label => Some(Told::Word),
            Self::NotRandom => Some(Told::LowEntropy),
            Self::Empty | Self::Boolean | Self::Number | Self::Identifier => None,
        }
    }
}

/// Judges a pair; none when it is only there to stand beside others.
pub(crate) fn judge(
    pair: &Pair<'_>,
    pairs: &Pairs<'_>,
    surroundings: &Surroundings,
) -> Option<Result<Judged, Reason>> {
    if matches!(pair.key.meaning, Meaning::User | Meaning::Host) {
        return None;
    }
    let beside = surroundings.beside(pair, pairs);
    Some(decide(pair, &beside, surroundings).map(|(kind, confidence)| {
        let shows = surroundings.is_sample || is_for_show(&pair.key.whole);
        let confidence = if shows { lower(confidence) } else { confidence };
        let kind =
            if pair.form == Form::Link && kind == Kind::Password { Kind::Connection } else { kind };
        Judged { kind, confidence, beside: beside.without(&pair.value) }
    }))
}

fn decide(
    pair: &Pair<'_>,
    beside: &Beside,
    surroundings: &Surroundings,
) -> Result<(Kind, Confidence), Reason> {
    let value = pair.value.as_ref();
    let plain: String =
        value.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let seen = look(value);
    match seen {
        Look::Empty => return Err(Reason::Empty),
        Look::Placeholder => return Err(Reason::Placeholder),
        Look::Reference => return Err(Reason::Reference),
        Look::Boolean => return Err(Reason::Boolean),
        Look::Path => return Err(Reason::Path),
        // A passphrase is a sentence by its nature.
        Look::Prose if pair.key.whole.ends_with("passphrase") && beside.is_account() => {}
        Look::Prose => return Err(Reason::Prose),
        Look::Hash(kind) => return Ok((Kind::Hash(kind), Confidence::High)),
        Look::Sealed(kind) => return Ok((Kind::Sealed(kind), Confidence::Medium)),
        Look::Number if pair.form != Form::Store => return Err(Reason::Number),
        // Brackets stand in passwords too: where a value is quoted in settings it is meant.
        Look::Code if !matches!(pair.form, Form::Store) => return Err(Reason::Code),
        _ => {}
    }
    // `"password": "password"` is a label, unless someone logs in with it somewhere.
    let label = !pair.key.whole.is_empty() && plain == pair.key.whole;
    let program = matches!(pair.form, Form::Literal | Form::Call);
    // `PASSWORD = PASSWORD` names itself; `"Old password:"` is asked.
    let named = label && value.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    if named || (program && value.ends_with([':', '?']) && value.contains(char::is_alphabetic)) {
        return Err(Reason::Label);
    }
    match pair.key.meaning {
        Meaning::Password if label && !beside.is_account() => Err(Reason::Label),
        Meaning::Password => Ok(password(pair, seen, beside)),
        Meaning::Token if is_public_half(pair, surroundings) => Err(Reason::Identifier),
        Meaning::Token => token(pair, value, seen, 0).ok_or(Reason::NotRandom),
        Meaning::Vague => token(pair, value, seen, 16).ok_or(Reason::NotRandom),
        Meaning::Hash => match hash::bare(value) {
            Some(kind) => Ok((Kind::Hash(kind), Confidence::Medium)),
            None => Err(Reason::NotRandom),
        },
        Meaning::Sealed if seen == Look::Random => {
            Ok((Kind::Sealed("its program"), Confidence::Low))
        }
        Meaning::Sealed => Err(Reason::NotRandom),
        Meaning::Login => login(value).ok_or(Reason::NotRandom),
        Meaning::User | Meaning::Host => Err(Reason::Identifier),
    }
}

fn password(pair: &Pair<'_>, seen: Look, beside: &Beside) -> (Kind, Confidence) {
    let known = beside.user.is_some() && beside.host.is_some();
    let confidence = match (pair.form, seen) {
        // Another field of its kind, or the address that a guest gives.
        (Form::Literal, _) if is_name_of_one(&pair.value) || is_address(&pair.value) => {
            Confidence::Low
        }
        // `user:password@host` is how links are explained.
        (Form::Link, Look::Weak) => Confidence::Low,
        (Form::Store, Look::Weak | Look::Word | Look::Number) => Confidence::Medium,
        (Form::Store, _) => Confidence::High,
        (Form::Setting | Form::Command | Form::Link, Look::Strong | Look::Random) => {
            Confidence::High
        }
        (Form::Setting | Form::Command | Form::Link, Look::Mixed) => Confidence::Medium,
        (Form::Setting | Form::Link, _) if known && beside.is_account() => Confidence::Medium,
        (Form::Setting, Look::Word) if beside.is_placed() => Confidence::Medium,
        (Form::Literal, Look::Strong | Look::Random) if entropy(&pair.value) > 3.0 => {
            Confidence::Medium
        }
        (Form::Literal, Look::Mixed) if known => Confidence::Medium,
        (Form::Call, Look::Strong | Look::Random | Look::Mixed) => Confidence::Medium,
        (Form::Call, Look::Word) if beside.user.as_deref().is_some_and(|u| u.contains('@')) => {
            Confidence::Medium
        }
        _ => Confidence::Low,
    };
    (Kind::Password, confidence)
}

fn token(pair: &Pair<'_>, value: &str, seen: Look, least: usize) -> Option<(Kind, Confidence)> {
    // Long keys of some programs have spaces among their signs; messages have, too.
    let spaced = value.contains(char::is_whitespace);
    if value.len() < least || (spaced && (seen != Look::Random || value.len() < 32)) {
        return None;
    }
    let setting = matches!(pair.form, Form::Setting | Form::Store | Form::Command | Form::Link);
    let confidence = match seen {
        Look::Random if issued::is_cut(value) => Confidence::Low,
        Look::Random if setting && issued::is_long(value) => Confidence::High,
        Look::Random if setting || entropy(value) > 3.2 => Confidence::Medium,
        _ if least > 0 => return None,
        Look::Weak => return None,
        _ => Confidence::Low,
    };
    Some((Kind::Token, confidence))
}

/// How sure it is that the password of a link, found by its form alone, is one. Documentation
/// explains links with `user:secret@host`, and tests take the first word that comes.
pub(crate) fn in_link(value: &str, path: &str) -> Confidence {
    let confidence = match look(value) {
        Look::Strong | Look::Random | Look::Hash(_) | Look::Sealed(_) => Confidence::High,
        Look::Mixed | Look::Word | Look::Path | Look::Prose | Look::Code => Confidence::Medium,
        _ => Confidence::Low,
    };
    let shows = is_sample_by_path(&path.to_ascii_lowercase());
    if shows { lower(confidence) } else { confidence }
}

/// `new_password2`, `dbPassword`: the name of a password, as its value.
fn is_name_of_one(value: &str) -> bool {
    let plain = value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    plain && digits < 2 && Key::read(value, &[]).is_some_and(|key| key.meaning == Meaning::Password)
}

/// `someone@example.com`
fn is_address(value: &str) -> bool {
    value.split_once('@').is_some_and(|(user, host)| {
        let plain = |part: &str, marks: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || marks.contains(c))
        };
        let end = host.rsplit('.').next().unwrap_or("");
        plain(user, "._+-")
            && plain(host, ".-")
            && host.contains('.')
            && end.len() >= 2
            && end.bytes().all(|byte| byte.is_ascii_lowercase())
    })
}

/// `access_key` where a `secret_key` stands beside it is the half that everyone may know.
fn is_public_half(pair: &Pair<'_>, surroundings: &Surroundings) -> bool {
    pair.key.whole.ends_with("accesskey")
        && !pair.key.whole.ends_with("secretaccesskey")
        && surroundings.has_secret_key(pair.group)
}

/// A name and a password in base64, or a token in their place.
fn login(value: &str) -> Option<(Kind, Confidence)> {
    let body = value.trim_end_matches('=');
    let bytes = base64::engine::general_purpose::STANDARD_NO_PAD.decode(body).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (user, password) = text.split_once(':')?;
    let fits = !user.is_empty() && password.len() >= 2 && !text.contains(char::is_control);
    (fits && !matches!(look(password), Look::Placeholder | Look::Reference))
        .then_some((Kind::Password, Confidence::High))
}

/// `TEST_PASSWORD`, `example_salt`.
fn is_for_show(name: &str) -> bool {
    ["test", "example", "sample", "dummy", "fake", "mock"].iter().any(|word| name.starts_with(word))
}

fn lower(confidence: Confidence) -> Confidence {
    match confidence {
        Confidence::High => Confidence::Medium,
        Confidence::Medium | Confidence::Low => Confidence::Low,
    }
}
