//! A key and a value on each line: dotenv, INI, TOML, properties, run-control files, lists kept by
//! hand; sections in brackets, blocks in braces.

use super::format::{Format, Source};
use super::key::Key;
use super::pair::{Form, Pairs};
use super::reader::{Reader, trim, unquote};
use std::ops::Range;

/// Settings by the line.
pub(super) struct Lines;

/// Longer lines are no settings.
const LONGEST_LINE: usize = 16 << 10;

const ENDINGS: [&str; 40] = [
    "env",
    "ini",
    "conf",
    "cfg",
    "cnf",
    "toml",
    "properties",
    "config",
    "txt",
    "tf",
    "tfvars",
    "hcl",
    "npmrc",
    "reg",
    "rdp",
    "credentials",
    "pref",
    "prefs",
    "remmina",
    "ovpn",
    "pcf",
    "inf",
    "rc",
    "secrets",
    "nmconnection",
    "service",
    "desktop",
    "login",
    "passwords",
    "list",
    "log",
    "boto",
    "my",
    "hosts",
    "repo",
    "netrc",
    "dist",
    "example",
    "sample",
    "template",
];

const NAMES: [&str; 24] = [
    "credentials",
    "config",
    "passwords",
    "password",
    "secrets",
    "environment",
    "pip.conf",
    "gitconfig",
    "s3cfg",
    "wgetrc",
    "curlrc",
    "muttrc",
    "msmtprc",
    "esmtprc",
    "fetchmailrc",
    "pypirc",
    "my.cnf",
    "odbc.ini",
    "sysconfig",
    "proftpd.conf",
    "vpnc.conf",
    "options",
    "settings",
    "logins",
];

impl Format for Lines {
    fn fits(&self, source: &Source<'_>) -> bool {
        if source.ends(&ENDINGS)
            || source.is_named(&NAMES)
            || source.name.starts_with('.')
            || source.name.starts_with("env.")
            || source.name.contains(".env")
        {
            return true;
        }
        let spoken = ["passw", "kennw", "zugang", "credential", "login", "secret"];
        let plain = source.ending.is_empty() || source.ending == "md" || source.ending == "bak";
        (plain && spoken.iter().any(|word| source.name.contains(word)))
            // No ending, and a setting on its first line.
            || (source.ending.is_empty() && starts_with_setting(source.start()))
    }

    fn read<'t>(&self, source: &Source<'t>, pairs: &mut Pairs<'t>) {
        read_part(source.text, 0..source.text.len(), &[], 0, pairs);
    }
}

fn starts_with_setting(start: &str) -> bool {
    let comment =
        |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with(['#', ';']);
    let Some(line) = start.lines().find(comment) else { return false };
    let line = line.trim();
    (line.starts_with('[') && line.ends_with(']'))
        || line.split_once('=').is_some_and(|(key, value)| {
            let key = key.trim();
            !key.is_empty()
                && key.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
                && !value.trim_start().starts_with('=')
        })
}

/// A section or a block that is open.
struct Block<'t> {
    name: &'t str,
    group: usize,
    braced: bool,
}

/// Reads a part of a text by its lines.
pub(super) fn read_part<'t>(
    text: &'t str,
    part: Range<usize>,
    around: &[&'t str],
    group: usize,
    pairs: &mut Pairs<'t>,
) {
    let mut blocks: Vec<Block<'t>> = Vec::new();
    let mut at = part.start;
    let Some(body) = text.get(part) else { return };
    for line in body.split_inclusive('\n') {
        let whole = at..at.saturating_add(line.len());
        at = whole.end;
        if line.len() > LONGEST_LINE {
            continue;
        }
        let range = trim(text, whole);
        let line = text.get(range.clone()).unwrap_or("");
        if line.is_empty() || line.starts_with(['#', ';', '!']) || line.starts_with("//") {
            // `//registry.example.com/:_authToken=...` is no comment.
            if !(line.starts_with("//") && line.contains("/:_")) {
                continue;
            }
        }
        let outer = blocks.last().map_or(group, |block| block.group);
        if let Some(name) = section(line) {
            blocks.clear();
            let group = pairs.group(group);
            blocks.push(Block { name, group, braced: false });
            continue;
        }
        if line.ends_with('{') {
            if blocks.len() < 32 {
                let group = pairs.group(outer);
                blocks.push(Block { name: block_name(line), group, braced: true });
            }
            continue;
        }
        if line.starts_with('}') && blocks.last().is_some_and(|block| block.braced) {
            blocks.pop();
            continue;
        }
        let mut names: Vec<&'t str> = around.to_vec();
        names.extend(blocks.iter().map(|block| block.name));
        setting(text, range, &names, outer, pairs);
    }
}

/// `[name]`, `[[name]]`, `[remote "origin"]`.
fn section(line: &str) -> Option<&str> {
    let inner = line.strip_prefix('[')?;
    let end = inner.rfind(']')?;
    let rest = inner.get(end.saturating_add(1)..)?.trim_start();
    let plain = !inner.contains(['=', ',']) && (rest.is_empty() || rest.starts_with(['#', ';']));
    plain.then(|| inner.get(..end).unwrap_or("").trim_matches(['[', ']', ' ']))
}

/// `variable "db_password" {`, `server = {`
fn block_name(line: &str) -> &str {
    let head = line.trim_end_matches('{').trim_end().trim_end_matches(['=', ':', '(']).trim_end();
    let last = head.split_whitespace().next_back().unwrap_or("");
    last.trim_matches(['"', '\''])
}

/// What stands before a name and says nothing of it.
const BEFORE: [&str; 12] = [
    "export ",
    "set ",
    "setenv ",
    "SET ",
    "ENV ",
    "ARG ",
    "local ",
    "readonly ",
    "declare -x ",
    "let ",
    "- ",
    "$",
];

/// One line.
pub(super) fn setting<'t>(
    text: &'t str,
    range: Range<usize>,
    names: &[&'t str],
    group: usize,
    pairs: &mut Pairs<'t>,
) {
    let mut range = range;
    let mut line = text.get(range.clone()).unwrap_or("");
    for word in BEFORE {
        if let Some(rest) = line.strip_prefix(word) {
            range.start = range.end.saturating_sub(rest.len());
            range = trim(text, range);
            line = text.get(range.clone()).unwrap_or("");
        }
    }
    // A line that is a link.
    let first = line.split_whitespace().next().unwrap_or("");
    if first.contains("://") && !first.contains('=') && first.contains('@') {
        let scheme = first.split("://").next().unwrap_or("");
        if scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c)) {
            let end = range.start.saturating_add(first.len());
            pairs.push(names, "link", range.start..end, group, Form::Setting);
            return;
        }
    }
    let Some((key_end, value_start)) = split(line) else {
        words(text, &range, line, names, group, pairs);
        return;
    };
    let key = line.get(..key_end).unwrap_or("").trim().trim_matches(['"', '\'']);
    // A call, or marked-up text.
    if key.contains(['(', '`']) {
        return;
    }
    let start = range.start.saturating_add(value_start);
    let span = value(text, start..range.end);
    let inner = text.get(span.clone()).unwrap_or("");
    if inner.starts_with('{') && inner.ends_with('}') && inner.contains('=') {
        // `{ user = "a", password = "b" }`
        let mut names = names.to_vec();
        names.push(key);
        let group = pairs.group(group);
        let mut at = span.start.saturating_add(1);
        for part in inner.get(1..inner.len().saturating_sub(1)).unwrap_or("").split(',').take(64) {
            let next = at.saturating_add(part.len());
            if !part.contains('{') {
                setting(text, trim(text, at..next), &names, group, pairs);
            }
            at = next.saturating_add(1);
        }
        return;
    }
    pairs.push(names, key, span, group, Form::Setting);
}

/// Whether an item of a list is a setting: `MYSQL_PASSWORD=..`.
pub(super) fn is_setting(item: &str) -> bool {
    item.split_once('=').is_some_and(|(name, value)| {
        !name.is_empty()
            && !value.is_empty()
            && name.len() <= 80
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
    })
}

/// Where the name ends and where the value starts.
fn split(line: &str) -> Option<(usize, usize)> {
    let equals = line.find('=');
    let colon = line.find(':');
    let is_key = |end: usize| {
        let key = line.get(..end).unwrap_or("").trim();
        !key.is_empty() && key.len() <= 120 && key.split_whitespace().count() <= 4
    };
    let spaced =
        |at: usize| line.as_bytes().get(at.saturating_add(1)).is_none_or(u8::is_ascii_whitespace);
    let at = match (equals, colon) {
        // `key: a=b` is a colon's, `//host/:_key=b` an equals sign's.
        (Some(equals), Some(colon)) if colon < equals && spaced(colon) => colon,
        (Some(equals), _) => equals,
        // `hostname smtp.example.com:587` has its value behind the space.
        (None, Some(colon))
            if !spaced(colon)
                && line
                    .get(..colon)
                    .is_some_and(|key| key.trim().contains(char::is_whitespace)) =>
        {
            return None;
        }
        (None, Some(colon)) => colon,
        (None, None) => return None,
    };
    if !is_key(at) {
        return None;
    }
    let mut start = at.saturating_add(1);
    let mut end = at;
    let bytes = line.as_bytes();
    if matches!(bytes.get(start), Some(b'>' | b'=')) {
        if bytes.get(start) == Some(&b'=') {
            return None;
        }
        start = start.saturating_add(1);
    }
    if matches!(bytes.get(end.wrapping_sub(1)), Some(b':' | b'+' | b'?'))
        && bytes.get(at) == Some(&b'=')
    {
        end = end.saturating_sub(1);
    }
    if matches!(bytes.get(end.wrapping_sub(1)), Some(b'!' | b'<' | b'>')) {
        return None;
    }
    Some((end, start))
}

/// The value without its quotes, or without the comment after it.
fn value(text: &str, range: Range<usize>) -> Range<usize> {
    let range = trim(text, range);
    let mut reader = Reader::new(text, range.clone());
    if let Some(quote @ (b'"' | b'\'' | b'`')) = reader.peek() {
        reader.bump();
        if reader.starts(char::from(quote).to_string().repeat(2).as_str()) {
            // Three quotes: what follows on this line.
            reader.bump();
            reader.bump();
        }
        if let Some(inner) = reader.quoted(quote, false) {
            return inner;
        }
    }
    let inner = text.get(range.clone()).unwrap_or("");
    let mut end = inner.len();
    for mark in [" #", "\t#", " ;", "\t;", " //", "\t//"] {
        end = end.min(inner.find(mark).unwrap_or(end));
    }
    let cut = inner.get(..end).unwrap_or("").trim_end();
    let cut = cut.strip_suffix([',', ';']).unwrap_or(cut);
    unquote(text, trim(text, range.start..range.start.saturating_add(cut.len())))
}

/// `password "a"`, `requirepass a`, `user a password b`.
fn words<'t>(
    text: &'t str,
    range: &Range<usize>,
    line: &'t str,
    names: &[&'t str],
    group: usize,
    pairs: &mut Pairs<'t>,
) {
    let words = super::shell::words(text, range.clone());
    // A sentence has more words, and none of them in the place of a value.
    if words.len() > 8 || line.ends_with(['.', '?', ',']) {
        return;
    }
    let mut inner = group;
    let mut at = 0;
    while let (Some(name), Some(span)) = (words.get(at), words.get(at.saturating_add(1))) {
        let name = text.get(name.clone()).unwrap_or("");
        let plain = name.chars().all(|c| c.is_alphanumeric() || "_.-".contains(c));
        // Manuals have columns too: what is asked, marked or listed in them is no setting.
        if !plain || Key::read(name, &[]).is_none() {
            if at == 0 {
                return;
            }
            break;
        }
        if words.len() > 3 && inner == group {
            inner = pairs.group(group);
        }
        // `password 7 0a1b2c`: how it is written, then what.
        let way = text.get(span.clone()).is_some_and(|way| way.len() == 1);
        let next = words.get(at.saturating_add(2)).filter(|_| way);
        let span = next.unwrap_or(span).clone();
        let value = text.get(span.clone()).unwrap_or("");
        if value.starts_with(['*', '[', '<', '(', '`']) || value.ends_with(['?', ',', ':']) {
            break;
        }
        at = at.saturating_add(if next.is_some() { 3 } else { 2 });
        pairs.push(names, name, unquote(text, span), inner, Form::Setting);
    }
}
