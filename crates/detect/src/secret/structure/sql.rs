//! Dumps of databases: rows with the names of their columns, users with what identifies them.

use super::format::{Format, Source};
use super::key::{Key, Meaning};
use super::pair::{Form, Pairs};
use super::reader::{Reader, trim, unquote};
use std::ops::Range;

/// SQL text.
pub(super) struct Sql;

/// A dump has a million rows of users: the first thousand tell what it is.
const MOST_ROWS: usize = 1000;
const MOST_COLUMNS: usize = 200;

impl Format for Sql {
    fn fits(&self, source: &Source<'_>) -> bool {
        source.ends(&["sql", "dump", "mysql", "pgsql", "ddl"])
            || source.start().starts_with("-- MySQL dump")
            || source.start().starts_with("--\n-- PostgreSQL")
    }

    fn is_always_read(&self) -> bool {
        true
    }

    fn read<'t>(&self, source: &Source<'t>, pairs: &mut Pairs<'t>) {
        let text = source.text;
        let mut tables: Vec<(&'t str, Vec<&'t str>)> = Vec::new();
        let mut reader = Reader::new(text, 0..text.len());
        let mut rows = 0;
        while !reader.is_done() {
            // A statement starts at a line.
            reader.skip_space();
            if word(&reader, "create table") {
                if let Some(table) = create(&mut reader)
                    && tables.len() < 1000
                {
                    tables.push(table);
                }
            } else if word(&reader, "insert into") || word(&reader, "replace into") {
                insert(&mut reader, &tables, &mut rows, pairs);
            } else if word(&reader, "copy ") {
                copy(&mut reader, &mut rows, pairs);
            } else {
                let start = reader.at();
                reader.skip_to(b'\n');
                identified(text, start..reader.at(), pairs);
            }
        }
    }
}

fn word(reader: &Reader<'_>, word: &str) -> bool {
    let end = reader.at().saturating_add(word.len());
    reader.text().get(reader.at()..end).is_some_and(|head| head.eq_ignore_ascii_case(word))
}

fn name_of(text: &str) -> &str {
    let last = text.rsplit('.').next().unwrap_or(text);
    last.trim_matches(['`', '"', '[', ']', ' ', '\''])
}

/// A statement up to its first parenthesis, which is passed; its last word.
fn head<'t>(reader: &mut Reader<'t>) -> Option<&'t str> {
    let start = reader.at();
    let range = reader.take_while(|byte| byte != b'(' && byte != b';');
    if range.len() > 400 || !reader.eat("(") {
        return None;
    }
    let head = reader.slice(&(start..range.end)).trim();
    let head = head.strip_suffix("VALUES").or(head.strip_suffix("values")).unwrap_or(head).trim();
    head.split_whitespace().next_back().map(name_of)
}

/// The names of the columns of a table, one at each line.
fn create<'t>(reader: &mut Reader<'t>) -> Option<(&'t str, Vec<&'t str>)> {
    let table = head(reader)?;
    let mut columns = Vec::new();
    while !reader.is_done() && columns.len() < MOST_COLUMNS {
        reader.skip_space();
        if reader.starts(")") || reader.starts(";") {
            break;
        }
        let start = reader.at();
        reader.skip_to(b'\n');
        let line = reader.slice(&(start..reader.at()));
        let first = line.split_whitespace().next().unwrap_or("");
        let constraint =
            ["primary", "key", "unique", "constraint", "foreign", "index", "check", "fulltext"];
        if !constraint.contains(&first.to_ascii_lowercase().as_str()) {
            columns.push(name_of(first));
        }
    }
    Some((table, columns))
}

/// `INSERT INTO t (a, b) VALUES (..), (..);`
fn insert<'t>(
    reader: &mut Reader<'t>,
    tables: &[(&'t str, Vec<&'t str>)],
    rows: &mut usize,
    pairs: &mut Pairs<'t>,
) {
    let start = reader.at();
    let Some(table) = head(reader) else {
        reader.skip_to(b'\n');
        return;
    };
    let before = reader.slice(&(start..reader.at())).to_ascii_lowercase();
    let mut columns: Vec<&'t str> = Vec::new();
    if before.trim_end_matches('(').trim_end().ends_with("values") {
        if let Some((_, known)) = tables.iter().rev().find(|(name, _)| *name == table) {
            columns.clone_from(known);
        }
        row(reader, &columns, rows, pairs);
    } else {
        let list = reader.take_while(|byte| byte != b')' && byte != b';');
        columns =
            reader.slice(&list).split(',').take(MOST_COLUMNS).map(|c| name_of(c.trim())).collect();
        reader.eat(")");
    }
    let matters = columns.iter().any(|name| Key::read(name, &[]).is_some());
    while !reader.is_done() {
        reader.take_while(|byte| !matches!(byte, b'(' | b';' | b'\'' | b'"'));
        match reader.peek() {
            Some(b'(') => {
                reader.bump();
                row(reader, if matters { &columns } else { &[] }, rows, pairs);
            }
            Some(quote @ (b'\'' | b'"')) => {
                reader.bump();
                reader.quoted(quote, true);
            }
            _ => {
                reader.bump();
                return;
            }
        }
    }
}

/// The values of a row, up to its closing parenthesis.
fn row<'t>(reader: &mut Reader<'t>, columns: &[&'t str], rows: &mut usize, pairs: &mut Pairs<'t>) {
    let wanted = *rows < MOST_ROWS && !columns.is_empty();
    let group = if wanted { pairs.group(0) } else { 0 };
    let mut index = 0_usize;
    let mut start = reader.at();
    let mut any = false;
    while let Some(byte) = reader.bump() {
        match byte {
            // A string without an end takes the rest with it.
            b'\'' | b'"' if reader.quoted(byte, true).is_none() => return,
            b'\'' | b'"' => {}
            b',' | b')' => {
                let end = reader.at().saturating_sub(1);
                if let (true, Some(name)) = (wanted, columns.get(index)) {
                    let span = unquote(reader.text(), trim(reader.text(), start..end));
                    let count = pairs.list().len();
                    pairs.push(&[], name, span, group, Form::Setting);
                    any |= pairs.list().len() > count;
                }
                if byte == b')' {
                    break;
                }
                index = index.saturating_add(1);
                start = reader.at();
            }
            b'(' => {
                reader.take_while(|byte| byte != b')' && byte != b'\n');
                reader.eat(")");
            }
            _ => {}
        }
    }
    if any {
        *rows = rows.saturating_add(1);
    }
}

/// `COPY t (a, b) FROM stdin;` and rows between tabs up to `\.`.
fn copy<'t>(reader: &mut Reader<'t>, rows: &mut usize, pairs: &mut Pairs<'t>) {
    let Some(_) = head(reader) else {
        reader.skip_to(b'\n');
        return;
    };
    let list = reader.take_while(|byte| byte != b')' && byte != b'\n');
    let columns: Vec<&'t str> =
        reader.slice(&list).split(',').take(MOST_COLUMNS).map(|c| name_of(c.trim())).collect();
    let start = reader.at();
    reader.skip_to(b'\n');
    if !reader.slice(&(start..reader.at())).to_ascii_lowercase().contains("from stdin") {
        return;
    }
    reader.bump();
    let matters = columns.iter().any(|name| Key::read(name, &[]).is_some());
    while !reader.is_done() && !reader.starts("\\.") {
        let start = reader.at();
        reader.skip_to(b'\n');
        let line = start..reader.at();
        reader.bump();
        if !matters || *rows >= MOST_ROWS {
            continue;
        }
        let group = pairs.group(0);
        let count = pairs.list().len();
        let mut at = line.start;
        for (name, value) in columns.iter().zip(reader.slice(&line).split('\t')) {
            let end = at.saturating_add(value.len());
            if value != "\\N" {
                pairs.push(&[], name, at..end, group, Form::Setting);
            }
            at = end.saturating_add(1);
        }
        if pairs.list().len() > count {
            *rows = rows.saturating_add(1);
        }
    }
}

/// `CREATE USER a IDENTIFIED BY 'b'`, `ALTER ROLE a PASSWORD 'b'`.
fn identified<'t>(text: &'t str, line: Range<usize>, pairs: &mut Pairs<'t>) {
    let body = text.get(line.clone()).unwrap_or("");
    if body.len() > 4096 || body.starts_with("--") {
        return;
    }
    let lower = body.to_ascii_lowercase();
    let found = ["identified by", " password ", " password=", "as '*"]
        .iter()
        .find_map(|word| Some((lower.find(word)?, word.len())));
    let Some((at, length)) = found else { return };
    let mut reader =
        Reader::new(text, line.start.saturating_add(at).saturating_add(length)..line.end);
    reader.take_while(|byte| byte != b'\'' && byte != b';');
    if reader.eat("'")
        && let Some(span) = reader.quoted(b'\'', false)
    {
        pairs.push_as(Meaning::Password, "identified by", span, 0, Form::Setting);
    }
}
