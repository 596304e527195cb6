//! Passwords inside values: links with a user, connection strings of databases.

use super::key::{Key, Meaning};
use super::pair::{Form, Pairs};
use std::ops::Range;

/// Whether a value can hold one, told cheaply.
pub(super) fn may_hold(value: &str) -> bool {
    let bytes = value.as_bytes();
    if memchr::memchr(b'@', bytes).is_some()
        && (value.contains("://") || value.starts_with("jdbc:"))
    {
        return true;
    }
    memchr::memchr(b'=', bytes).is_some() && {
        let lower = value.to_ascii_lowercase();
        lower.contains("pass") || lower.contains("pwd") || lower.contains("key=")
    }
}

/// Adds what a value holds; false when it holds nothing of the kind.
pub(super) fn expand(
    pairs: &mut Pairs<'_>,
    around: &[&str],
    name: &str,
    span: &Range<usize>,
    group: usize,
) -> bool {
    let text = pairs.text();
    let Some(value) = text.get(span.clone()) else { return false };
    let inner = pairs.group(group);
    let mut path: Vec<&str> = around.to_vec();
    path.push(name);
    let found = user_info(pairs, &path, value, span.start, inner)
        || oracle(pairs, &path, value, span.start, inner);
    listed(pairs, &path, value, span.start, inner) || found
}

/// `scheme://user:password@host`; user and password may hold `@` themselves.
fn user_info(pairs: &mut Pairs<'_>, path: &[&str], value: &str, at: usize, group: usize) -> bool {
    let Some(scheme_end) = value.find("://") else { return false };
    let start = scheme_end.saturating_add(3);
    if value.contains(char::is_whitespace) {
        return false;
    }
    let rest = value.get(start..).unwrap_or("");
    // The last `@` with a host after it.
    let Some(split) = rest.rfind('@').filter(|split| {
        let host = rest.get(split.saturating_add(1)..).unwrap_or("");
        let host = host.split(['/', '?', '#']).next().unwrap_or("");
        !host.is_empty() && host.chars().all(|c| c.is_alphanumeric() || ".-_:[],".contains(c))
    }) else {
        return false;
    };
    let info = rest.get(..split).unwrap_or("");
    // A path before the `@`: the link has no user, something behind it has.
    let Some(colon) =
        info.find(':').filter(|colon| !info.get(..*colon).unwrap_or("").contains('/'))
    else {
        return false;
    };
    let word = path.join(".");
    let place = |range: Range<usize>| {
        let from = at.saturating_add(start);
        from.saturating_add(range.start)..from.saturating_add(range.end)
    };
    let host_start = split.saturating_add(1);
    let host_end = rest
        .get(host_start..)
        .and_then(|host| host.find(['/', '?', '#']))
        .map_or(rest.len(), |length| host_start.saturating_add(length));
    pairs.push_as(Meaning::User, &word, place(0..colon), group, Form::Link);
    pairs.push_as(Meaning::Host, &word, place(host_start..host_end), group, Form::Link);
    let secret = place(colon.saturating_add(1)..split);
    pairs.push_as(Meaning::Password, &word, secret, group, Form::Link);
    true
}

/// `jdbc:oracle:thin:user/password@...`
fn oracle(pairs: &mut Pairs<'_>, path: &[&str], value: &str, at: usize, group: usize) -> bool {
    let Some(rest) = value.strip_prefix("jdbc:oracle:") else { return false };
    let Some(colon) = rest.find(':') else { return false };
    let login = rest.get(colon.saturating_add(1)..).unwrap_or("");
    let (Some(slash), Some(end)) = (login.find('/'), login.find('@')) else { return false };
    if slash == 0 || slash.saturating_add(1) >= end {
        return false;
    }
    let from = at.saturating_add(value.len().saturating_sub(login.len()));
    let word = path.join(".");
    pairs.push_as(Meaning::User, &word, from..from.saturating_add(slash), group, Form::Link);
    let secret = from.saturating_add(slash).saturating_add(1)..from.saturating_add(end);
    pairs.push_as(Meaning::Password, &word, secret, group, Form::Link);
    true
}

/// `Server=..;User Id=..;Password=..`, `?user=..&password=..`, `host=.. password=..`.
fn listed(pairs: &mut Pairs<'_>, path: &[&str], value: &str, at: usize, group: usize) -> bool {
    let (skip, separators): (usize, &[char]) = match value.find('?') {
        Some(mark) if value.contains("://") || value.starts_with("jdbc:") => {
            (mark.saturating_add(1), &['&', ';'])
        }
        _ if value.contains(';') => (0, &[';']),
        _ => (0, &[' ']),
    };
    let rest = value.get(skip..).unwrap_or("");
    if rest.matches('=').count() < 2 && skip == 0 {
        return false;
    }
    // Arguments of a call stand behind a bracket, with commas between them.
    let call = value.split('=').next().is_some_and(|ahead| ahead.contains('('))
        || rest.split(' ').any(|part| part.contains('=') && part.ends_with(','));
    if skip == 0 && separators == [' '] && call {
        return false;
    }
    let mut found = Vec::new();
    let mut secret = false;
    let mut offset = at.saturating_add(skip);
    for part in rest.split(separators).take(64) {
        if let Some((name, inner)) = part.split_once('=') {
            let name = name.trim();
            let from = offset.saturating_add(part.len().saturating_sub(inner.len()));
            let key = Key::read(name, &[]);
            secret |= key.as_ref().is_some_and(|key| {
                matches!(key.meaning, Meaning::Password | Meaning::Token | Meaning::Vague)
            });
            // A name with spaces or marks in it is no name of a setting.
            let plain =
                name.len() <= 40 && name.chars().all(|c| c.is_alphanumeric() || " _-.".contains(c));
            if let (Some(key), true) = (key, plain) {
                found.push((key.meaning, name, from..from.saturating_add(inner.len())));
            }
            if name.eq_ignore_ascii_case("data source") {
                found.push((Meaning::Host, name, from..from.saturating_add(inner.len())));
            }
        }
        offset = offset.saturating_add(part.len()).saturating_add(1);
    }
    if !secret {
        return false;
    }
    for (meaning, name, span) in found {
        let span = super::reader::unquote(pairs.text(), super::reader::trim(pairs.text(), span));
        let mut word = path.join(".");
        word.push('.');
        word.push_str(name);
        pairs.push_as(meaning, &word, span, group, Form::Link);
    }
    true
}
