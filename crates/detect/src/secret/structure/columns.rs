//! Columns between colons: shadow and passwd files, htpasswd, dumps of Windows hashes, pgpass.

use super::format::{Format, Source};
use super::hash;
use super::key::Meaning;
use super::pair::{Form, Pairs};
use std::ops::Range;

/// Users with their hashes.
pub(super) struct Passwd;

/// Databases with their passwords.
pub(super) struct Pgpass;

/// The columns of a line, with a backslash before a colon that is none.
fn columns(text: &str, line: Range<usize>) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut columns = Vec::new();
    let mut start = line.start;
    let mut at = line.start;
    while at < line.end && columns.len() < 12 {
        match bytes.get(at) {
            Some(b'\\') => at = at.saturating_add(1),
            Some(b':') => {
                columns.push(start..at);
                start = at.saturating_add(1);
            }
            _ => {}
        }
        at = at.saturating_add(1);
    }
    columns.push(start..line.end);
    columns
}

fn each_line(text: &str, mut see: impl FnMut(Range<usize>)) {
    let mut at = 0_usize;
    for line in text.split_inclusive('\n') {
        let start = at;
        at = at.saturating_add(line.len());
        let body = line.trim_end();
        if !body.is_empty() && !body.starts_with('#') && body.len() < 4096 {
            see(start..start.saturating_add(body.len()));
        }
    }
}

fn is_user(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name.chars().all(|c| c.is_alphanumeric() || "_.-@$+\\ ".contains(c))
}

/// `name:hash` with any known hash.
fn has_hash(line: &str) -> bool {
    let mut parts = line.splitn(3, ':');
    parts.next().is_some_and(is_user)
        && parts.next().is_some_and(|value| hash::kind(value).is_some())
}

impl Format for Passwd {
    fn fits(&self, source: &Source<'_>) -> bool {
        let named =
            ["shadow", "gshadow", "shadow-", "shadow.bak", "master.passwd", "passwd", "passwd-"];
        source.is_named(&named)
            || source.name.contains("htpasswd")
            || (matches!(
                source.ending,
                "" | "txt" | "passwd" | "users" | "bak" | "auth" | "pwdump" | "hashes"
            ) && source.start().lines().any(has_hash))
    }

    fn is_always_read(&self) -> bool {
        true
    }

    fn read<'t>(&self, source: &Source<'t>, pairs: &mut Pairs<'t>) {
        let text = source.text;
        let sure = source.name.contains("passwd") || source.name.contains("shadow");
        let web = source.name.contains("htpasswd");
        each_line(text, |line| {
            let columns = columns(text, line);
            let column =
                |at: usize| columns.get(at).and_then(|range| text.get(range.clone())).unwrap_or("");
            if !is_user(column(0)) {
                return;
            }
            let mut add = |at: usize, meaning: Meaning| {
                let (Some(user), Some(span)) = (columns.first(), columns.get(at)) else { return };
                let group = pairs.group(0);
                pairs.push_as(Meaning::User, "user", user.clone(), group, Form::Store);
                pairs.push_as(meaning, "password of a user", span.clone(), group, Form::Store);
            };
            let value = column(1);
            let bare = hash::bare(column(3)).is_some() && column(3).len() == 32;
            if bare && column(1).bytes().all(|byte| byte.is_ascii_digit()) && columns.len() >= 6 {
                // Name, number, the two hashes of Windows.
                add(3, Meaning::Hash);
            } else if hash::kind(value).is_some() || (sure && hash::is_des(value)) {
                add(1, Meaning::Hash);
            } else if web && columns.len() == 2 && value.len() >= 3 {
                add(1, Meaning::Password);
            }
        });
    }
}

impl Format for Pgpass {
    fn fits(&self, source: &Source<'_>) -> bool {
        source.name.ends_with("pgpass") || source.name == "pgpass.conf"
    }

    fn is_always_read(&self) -> bool {
        true
    }

    fn read<'t>(&self, source: &Source<'t>, pairs: &mut Pairs<'t>) {
        let text = source.text;
        each_line(text, |line| {
            let columns = columns(text, line);
            if let [host, _, _, user, password] = columns.as_slice() {
                let group = pairs.group(0);
                pairs.push_as(Meaning::Host, "host", host.clone(), group, Form::Store);
                pairs.push_as(Meaning::User, "user", user.clone(), group, Form::Store);
                pairs.push_as(Meaning::Password, "password", password.clone(), group, Form::Store);
            }
        });
    }
}
