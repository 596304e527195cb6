//! Programs: constants, fields, entries of maps, defaults, and calls that log in. Only the places
//! where a word speaks of a secret are looked at, each for a few hundred bytes.

use super::format::{Format, Source};
use super::key::Meaning;
use super::pair::{Form, Pairs};
use super::reader::Reader;
use super::words::{self, Words};
use lidless_core::{Holds, Pieces};
use std::ops::Range;
use std::sync::LazyLock;

/// A program in any language, and every text that is nothing else.
pub(super) struct Code;

/// How long a name and how long a value may be.
const LONGEST_NAME: usize = 60;
const LONGEST_VALUE: usize = 400;
/// How much space may stand between a name and what is before it.
const LONGEST_SPACE: usize = 200;

/// What names of users and hosts hold: the first in a line counts.
static WHO: LazyLock<Words> = LazyLock::new(|| {
    let words = ["user", "User", "USER", "host", "Host", "HOST", "server", "Server", "SERVER"];
    Words::new(words.into_iter().chain(["email", "Email", "EMAIL"]))
});
/// How far from the beginning of its line.
const WHO_WITHIN: usize = 200;

impl Format for Code {
    fn fits(&self, _source: &Source<'_>) -> bool {
        true
    }

    fn is_program(&self) -> bool {
        true
    }

    fn read<'t>(&self, source: &Source<'t>, pairs: &mut Pairs<'t>) {
        // Programs whose only purpose is to hold settings.
        let settings = source.is_named(&[
            "config.php",
            "wp-config.php",
            "configuration.php",
            "settings.php",
            "localsettings.php",
            "database.php",
            "config.inc.php",
            "parameters.php",
            "local.php",
            "settings.py",
            "local_settings.py",
            "config.py",
            "secrets.py",
            "credentials.py",
            "config.js",
            "secrets.js",
            "config.ts",
            "database.js",
            "env.php",
            "db.php",
            "connect.php",
            "connection.php",
            "secrets.rb",
            "gitlab.rb",
        ]);
        let form = if settings { Form::Setting } else { Form::Literal };
        let all = 0..source.text.len();
        match source.pieces {
            None => read_as(source.text, all, 0, form, pairs),
            Some(pieces) => read_pieces(source.text, pieces, form, pairs),
        }
    }
}

/// Reads a part of a text as a program.
pub(super) fn read_part<'t>(
    text: &'t str,
    part: Range<usize>,
    group: usize,
    pairs: &mut Pairs<'t>,
) {
    read_as(text, part, group, Form::Literal, pairs);
}

/// Each name is looked at for a bounded time; so many are data, not a program.
const MOST_NAMES: usize = 200_000;

/// Names around words that speak of a secret, from one part of a text to the next.
#[derive(Default)]
struct Names {
    done: usize,
    /// The word, and the name around it.
    found: Vec<(usize, Range<usize>)>,
}

impl Names {
    /// Adds those of a range inside the part that is read; words before `first` only tell where
    /// a name ends that goes on behind it.
    fn add(
        &mut self,
        text: &str,
        range: Range<usize>,
        first: usize,
        part: &Range<usize>,
        pieces: Option<&Pieces>,
    ) {
        let Some(body) = text.get(range.clone()) else { return };
        self.done = self.done.max(range.start);
        words::each(body, |at| {
            let at = range.start.saturating_add(at);
            if let Some(pieces) = pieces {
                pieces.note(Holds::WORD, &(at..at.saturating_add(1)));
            }
            if at >= self.done {
                let name = name_around(text, at, part);
                self.done = name.end.max(at.saturating_add(1));
                if at >= first {
                    self.found.push((at, name));
                }
            }
            self.found.len() < MOST_NAMES
        });
    }
}

fn read_as<'t>(text: &'t str, part: Range<usize>, group: usize, form: Form, pairs: &mut Pairs<'t>) {
    let mut names = Names::default();
    names.add(text, part.clone(), part.start, &part, None);
    read_names(text, names.found, part, group, form, pairs, &mut |_| {});
}

/// Reads only the pieces that may hold a pair.
fn read_pieces<'t>(text: &'t str, pieces: &Pieces, form: Form, pairs: &mut Pairs<'t>) {
    let all = 0..text.len();
    let mut names = Names::default();
    for range in pieces.parts(Holds::PAIR) {
        let mut from = range.start.saturating_sub(LONGEST_NAME.saturating_mul(2));
        while !text.is_char_boundary(from) {
            from = from.saturating_sub(1);
        }
        names.add(text, from..range.end, range.start, &all, Some(pieces));
    }
    if names.found.len() >= MOST_NAMES {
        pieces.note_cut_short();
    }
    read_names(text, names.found, all, 0, form, pairs, &mut |at| {
        pieces.note(Holds::PAIR, &(at..at.saturating_add(1)));
    });
}

/// Reads what names are given, and calls for the word of each that is given something.
fn read_names<'t>(
    text: &'t str,
    names: Vec<(usize, Range<usize>)>,
    part: Range<usize>,
    group: usize,
    form: Form,
    pairs: &mut Pairs<'t>,
    given: &mut dyn FnMut(usize),
) {
    // Who and where, only when there is something to stand beside.
    let mut candidates = false;
    for (at, name) in names {
        let before = pairs.seen();
        // Links have rules of their own.
        if !call(text, at, &name, &part, group, pairs) {
            named(text, name, &part, group, form, pairs);
        }
        if pairs.seen() > before {
            candidates = true;
            given(at);
        }
    }
    if candidates {
        beside(text, &part, group, form, pairs);
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// The name around a word.
fn name_around(text: &str, at: usize, part: &Range<usize>) -> Range<usize> {
    let bytes = text.as_bytes();
    let mut start = at;
    while start > part.start
        && at.saturating_sub(start) < LONGEST_NAME
        && bytes.get(start.saturating_sub(1)).is_some_and(|byte| is_name(*byte))
    {
        start = start.saturating_sub(1);
    }
    let mut end = at;
    while end < part.end
        && end.saturating_sub(at) < LONGEST_NAME
        && bytes.get(end).is_some_and(|byte| is_name(*byte))
    {
        end = end.saturating_add(1);
    }
    start..end
}

/// A name and the literal that is given to it.
fn named<'t>(
    text: &'t str,
    name: Range<usize>,
    part: &Range<usize>,
    group: usize,
    form: Form,
    pairs: &mut Pairs<'t>,
) {
    if name.is_empty() {
        return;
    }
    let bytes = text.as_bytes();
    // A quote in front of the part is not of the program.
    let before = name.start.checked_sub(1).filter(|at| *at >= part.start);
    let before = before.and_then(|at| bytes.get(at)).copied();
    let reach = name.end.saturating_add(LONGEST_VALUE).min(part.end);
    let mut reader = Reader::new(text, name.end..reach);
    let quoted = matches!(before, Some(b'"' | b'\'' | b'`'));
    if quoted {
        reader.eat("\\");
        if !matches!(reader.bump(), Some(b'"' | b'\'' | b'`')) {
            return;
        }
    }
    reader.skip_blanks();
    reader.eat("]");
    reader.skip_blanks();
    // `f("password", "..")`, and not the next of a list.
    let ahead = bytes.get(part.start..name.start.saturating_sub(1)).unwrap_or(&[]);
    let mut ahead = ahead.iter().rev().take(LONGEST_SPACE);
    let first = ahead.find(|byte| !b" \t\r\n".contains(byte)) == Some(&b'(');
    let Some(given) = operator(&mut reader, quoted, first) else { return };
    reader.skip_blanks();
    if reader.starts("\r\n") || reader.starts("\n") {
        reader.skip_space();
    }
    let Some(span) = literal(&mut reader) else { return };
    reader.skip_blanks();
    // Put together of pieces, or the start of more.
    if reader.starts("+")
        || reader.starts("%")
        || (reader.starts(".") && !reader.starts(".."))
        || reader.starts("\" \"")
    {
        return;
    }
    let ends = match given {
        Given::Assigned => true,
        Given::Second => reader.starts(")") || reader.starts(","),
        Given::Alone => reader.starts(")"),
    };
    if !ends {
        return;
    }
    let name = reader.slice(&name);
    // `password("..")` and `setPassword("..")` take one; `read_with_password("..")` a file;
    // `getPassword("..")` the words that a person is asked with, or a name.
    if given == Given::Alone {
        let called = super::key::words(name.rsplit('.').next().unwrap_or(""));
        let asks = called.first().is_some_and(|verb| {
            [
                "get", "ask", "prompt", "read", "find", "fetch", "load", "lookup", "getpass",
                "validate",
            ]
            .contains(&verb.as_str())
        });
        if called.len() > 3 || asks {
            return;
        }
    }
    // `self.password`, `config.db.password`: the last two are its name.
    let name = name
        .rsplitn(3, '.')
        .take(2)
        .last()
        .map_or(name, |first| name.find(first).and_then(|at| name.get(at..)).unwrap_or(name));
    pairs.push(&[], name, span, group, form);
}

/// How a name gets its value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Given {
    /// `=`, `:`, `=>`
    Assigned,
    /// `get("name", "value")`
    Second,
    /// `setName("value")`
    Alone,
}

fn operator(reader: &mut Reader<'_>, quoted: bool, first: bool) -> Option<Given> {
    if reader.starts("==") || reader.starts("!=") || reader.starts("=~") || reader.starts("::") {
        return None;
    }
    if reader.eat("=>")
        || reader.eat(":=")
        || reader.eat("||=")
        || reader.eat("?=")
        || reader.eat("=")
    {
        return Some(Given::Assigned);
    }
    if reader.eat("||") || reader.eat("??") {
        return Some(Given::Assigned);
    }
    if reader.eat(":") {
        reader.skip_blanks();
        let mut ahead = reader.clone();
        // `password: str = "..."`, `PASSWORD: &'static str = "..."`
        let kind =
            ahead.take_while(|byte| byte.is_ascii_alphanumeric() || b"_<>&' |?.".contains(&byte));
        if kind.len() < 40
            && !kind.is_empty()
            && ahead.eat("=")
            && !ahead.starts("=")
            && !ahead.starts(">")
        {
            reader.go(ahead.at());
        }
        return Some(Given::Assigned);
    }
    if quoted {
        return (first && reader.eat(",")).then_some(Given::Second);
    }
    reader.eat("(").then_some(Given::Alone)
}

/// A quoted literal; its place without the quotes.
fn literal(reader: &mut Reader<'_>) -> Option<Range<usize>> {
    // Marks of the kind of literal; those that put variables in are no literals.
    for mark in ["b", "r", "u", "@", "N", "L", "R", "B", "U", "&", "*"] {
        let mut ahead = reader.clone();
        if ahead.eat(mark) && matches!(ahead.peek(), Some(b'"' | b'\'')) {
            reader.go(ahead.at());
        }
    }
    let escaped = reader.eat("\\");
    let quote @ (b'"' | b'\'' | b'`') = reader.bump()? else { return None };
    let range = if escaped {
        // Inside another literal: it ends where it began.
        let start = reader.at();
        let end = [b'\\', quote];
        let rest = reader.take_while(|byte| byte != b'\\' && byte != quote && byte != b'\n');
        let closed = reader.peek().is_some_and(|byte| end.contains(&byte));
        reader.bump();
        reader.bump();
        closed.then_some(start..rest.end)?
    } else {
        reader.quoted(quote, false)?
    };
    (!range.is_empty()).then_some(range)
}

/// `conn.login('user', 'password')`, `HTTPBasicAuth("a", "b")`, `mysqli_connect(h, u, p)`.
fn call<'t>(
    text: &'t str,
    at: usize,
    name: &Range<usize>,
    part: &Range<usize>,
    group: usize,
    pairs: &mut Pairs<'t>,
) -> bool {
    let word = text.get(name.clone()).unwrap_or("");
    let method = word.rsplit('.').next().unwrap_or("");
    let known = [
        "login",
        "HTTPBasicAuth",
        "BasicAuth",
        "NetworkCredential",
        "UsernamePasswordCredentials",
        "PasswordAuthentication",
        "SetBasicAuth",
        "basicAuth",
    ];
    if !known.contains(&method) || at < name.start {
        return false;
    }
    let reach = name.end.saturating_add(LONGEST_VALUE).min(part.end);
    let mut reader = Reader::new(text, name.end..reach);
    if !reader.eat("(") {
        return false;
    }
    reader.skip_space();
    let Some(user) = literal(&mut reader) else { return true };
    reader.skip_space();
    if !reader.eat(",") {
        return true;
    }
    reader.skip_space();
    let Some(secret) = literal(&mut reader) else { return true };
    reader.skip_space();
    if reader.starts(",") || reader.starts(")") {
        let group = pairs.group(group);
        pairs.push_as(Meaning::User, method, user, group, Form::Call);
        pairs.push_as(Meaning::Password, method, secret, group, Form::Call);
    }
    true
}

/// Names of users and hosts, for what was found to stand beside.
fn beside<'t>(text: &'t str, part: &Range<usize>, group: usize, form: Form, pairs: &mut Pairs<'t>) {
    let Some(body) = text.get(part.clone()) else { return };
    if body.len() > 256 << 10 {
        return;
    }
    // Where the next line begins that none was found in yet.
    let mut from = 0_usize;
    let mut found = 0_usize;
    WHO.each(body, |hit| {
        if hit < from {
            return true;
        }
        let before = body.as_bytes().get(from..hit).unwrap_or(&[]);
        let start = memchr::memrchr(b'\n', before)
            .map_or(from, |end| from.saturating_add(end).saturating_add(1));
        let rest = body.as_bytes().get(hit..).unwrap_or(&[]);
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end.saturating_add(1));
        from = hit.saturating_add(end);
        if hit.saturating_sub(start) < WHO_WITHIN {
            let name = name_around(text, part.start.saturating_add(hit), part);
            let count = pairs.list().len();
            named(text, name, part, group, form, pairs);
            found = found.saturating_add(pairs.list().len().saturating_sub(count));
        }
        found < 200
    });
}
