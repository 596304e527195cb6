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
    // Links stand in programs and in settings.
    let told = pairs.list().iter().find(|pair| pair.form != Form::Link);
    let program = told.map_or_else(
        || is_program(path),
        |pair| is_prose(path) || matches!(pair.form, Form::Literal | Form::Call),
    );
    has_name_of_sample(path) || (program && stands_by_tests(path))
}

/// The same, by the path alone.
pub(super) fn is_sample_by_path(path: &str) -> bool {
    has_name_of_sample(path) || (is_program(path) && stands_by_tests(path))
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or("")
}

fn has_name_of_sample(path: &str) -> bool {
    let name = file_name(path);
    ["example", "sample", "template", ".dist", ".tmpl", "skeleton", "testdata", "_tests."]
        .iter()
        .any(|word| name.contains(word))
        || name.starts_with("test_")
        || name.starts_with("test-")
}

fn is_prose(path: &str) -> bool {
    [".txt", ".rst", ".md", ".adoc"].iter().any(|end| path.ends_with(end))
}

/// A program, or a text about one.
fn is_program(path: &str) -> bool {
    let endings = [
        ".py", ".js", ".ts", ".jsx", ".tsx", ".go", ".rs", ".java", ".rb", ".php", ".c", ".h",
        ".cc", ".cpp", ".cs", ".kt", ".scala", ".swift", ".ex", ".pl",
    ];
    is_prose(path) || endings.iter().any(|end| path.ends_with(end))
}

fn stands_by_tests(path: &str) -> bool {
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
    let name = file_name(path);
    path.split('/').any(|part| folders.contains(&part))
        || ["_test.", ".test.", "_spec.", ".spec.", "test_"].iter().any(|word| name.contains(word))
}
