//! What stands beside a pair: who logs in with it, and where.

use super::key::Meaning;
use super::pair::{Form, Pair, Pairs};
use std::collections::{BTreeMap, BTreeSet};

/// Who and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Beside {
    pub(crate) user: Option<String>,
    pub(crate) host: Option<String>,
}

impl Beside {
    /// A user and a host that is one.
    pub(super) fn is_account(&self) -> bool {
        self.user.is_some() && self.is_placed()
    }

    /// A host that is one, not the word for it in some language.
    pub(super) fn is_placed(&self) -> bool {
        self.host.as_deref().is_some_and(|host| {
            host.contains(['.', ':'])
                || host == "localhost"
                || host.bytes().any(|byte| byte.is_ascii_digit())
        })
    }

    /// Without what would give the value away.
    pub(super) fn without(mut self, value: &str) -> Self {
        let shows = |text: &String| {
            !value.is_empty() && (text.contains(value) || value.contains(text.as_str()))
        };
        self.user = self.user.filter(|user| !shows(user));
        self.host = self.host.filter(|host| !shows(host));
        self
    }
}

/// A user or a host.
#[derive(Debug)]
struct Neighbour {
    stem: String,
    value: String,
    at: usize,
}

/// Users and hosts of a text, by their groups.
#[derive(Debug, Default)]
pub(crate) struct Surroundings {
    users: BTreeMap<usize, Vec<Neighbour>>,
    hosts: BTreeMap<usize, Vec<Neighbour>>,
    secret_keys: BTreeSet<usize>,
    /// The file is there to show how it is done, or to test it.
    pub(super) is_sample: bool,
}

/// How many groups out a host may stand: a list of logins inside a connection.
const FARTHEST: usize = 3;

/// A group with more users than this is a list, and none of them is beside anything.
const MOST_BESIDE: usize = 32;

impl Surroundings {
    pub(crate) fn of(path: &str, pairs: &Pairs<'_>) -> Self {
        let mut all = Self { is_sample: is_sample(path, pairs), ..Self::default() };
        for pair in pairs.list() {
            let (known, value) = match pair.key.meaning {
                Meaning::User => (&mut all.users, shown(&pair.value, false)),
                Meaning::Host => (&mut all.hosts, shown(&pair.value, true)),
                Meaning::Token if pair.key.whole.contains("secret") => {
                    all.secret_keys.insert(pair.group);
                    continue;
                }
                _ => continue,
            };
            let list = known.entry(pair.group).or_default();
            if let Some(value) = value
                && list.len() < MOST_BESIDE
            {
                list.push(Neighbour { stem: pair.key.stem.clone(), value, at: pair.span.start });
            }
        }
        all
    }

    pub(super) fn has_secret_key(&self, group: usize) -> bool {
        self.secret_keys.contains(&group)
    }

    pub(super) fn beside(&self, pair: &Pair<'_>, pairs: &Pairs<'_>) -> Beside {
        Beside { user: nearest(&self.users, pair, pairs), host: nearest(&self.hosts, pair, pairs) }
    }
}

fn nearest(
    known: &BTreeMap<usize, Vec<Neighbour>>,
    pair: &Pair<'_>,
    pairs: &Pairs<'_>,
) -> Option<String> {
    let mut group = pair.group;
    for _ in 0..FARTHEST {
        if let Some(list) = known.get(&group) {
            // The last one before it; in a list of one thing the names need not agree, in a flat
            // file they do.
            let agrees = |one: &&Neighbour| one.stem == pair.key.stem;
            let before = |one: &&Neighbour| one.at < pair.span.start;
            let same = list.iter().filter(agrees).rfind(before);
            let same = same.or_else(|| list.iter().find(agrees));
            let any = list.first().filter(|_| group != 0 || list.len() == 1);
            if let Some(one) = same.or(any) {
                return Some(one.value.clone());
            }
        }
        let outer = pairs.parent(group);
        if outer == group {
            return None;
        }
        group = outer;
    }
    None
}

/// A user or a host as it may be shown; none when it could hold something else.
fn shown(value: &str, host: bool) -> Option<String> {
    let value = value.trim();
    let value = if host { value.split_once("://").map_or(value, |(_, rest)| rest) } else { value };
    let value = if host { value.split(['/', '?']).next().unwrap_or("") } else { value };
    let plain = value
        .chars()
        .all(|c| c.is_alphanumeric() || "._-@\\+".contains(c) || (host && ":[]".contains(c)));
    let user_in_host = host && value.contains('@');
    (plain && !user_in_host && !value.is_empty() && value.len() <= 80).then(|| value.to_owned())
}

/// `.env.example`; a program below `tests/`.
fn is_sample(path: &str, pairs: &Pairs<'_>) -> bool {
    let lower = path.to_ascii_lowercase();
    let name = lower.rsplit('/').next().unwrap_or("");
    if ["example", "sample", "template", ".dist", ".tmpl", "skeleton", "testdata", "_tests."]
        .iter()
        .any(|word| name.contains(word))
    {
        return true;
    }
    let prose = [".txt", ".rst", ".md", ".adoc"].iter().any(|end| name.ends_with(end));
    let program = prose
        || pairs.list().first().is_some_and(|pair| matches!(pair.form, Form::Literal | Form::Call));
    let folders = [
        "test",
        "tests",
        "spec",
        "specs",
        "__tests__",
        "examples",
        "example",
        "testdata",
        "fixtures",
        "samples",
        "docs",
        "doc",
        "testing",
    ];
    program
        && (lower.split('/').any(|part| folders.contains(&part))
            || ["_test.", ".test.", "_spec.", ".spec.", "test_"]
                .iter()
                .any(|word| name.contains(word)))
}
