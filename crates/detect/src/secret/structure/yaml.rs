//! YAML by its lines and their indents: maps, lists, quoted values, blocks of text.

use super::format::{Format, Source};
use super::json;
use super::key::{Key, Meaning};
use super::lines;
use super::pair::{Form, Pairs};
use super::reader::{Reader, trim, unquote};
use std::ops::Range;

/// YAML, whole or broken.
pub(super) struct Yaml;

const DEEPEST: usize = 64;
const LONGEST_LINE: usize = 16 << 10;

impl Format for Yaml {
    fn fits(&self, source: &Source<'_>) -> bool {
        if source.ends(&["yml", "yaml", "eyaml", "sls", "raml"]) {
            return true;
        }
        let start = source.start();
        let plain = source.ending.is_empty() || source.name.starts_with('.');
        let first = start.lines().find(|line| {
            let line = line.trim();
            !line.is_empty() && !line.starts_with('#')
        });
        let mapped = first.is_some_and(|line| {
            line.split_once(':').is_some_and(|(key, rest)| {
                !key.is_empty()
                    && key.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
                    && (rest.trim().is_empty() || rest.starts_with(' '))
            })
        });
        start.starts_with("---\n")
            || start.starts_with("---\r")
            || start.starts_with("#cloud-config")
            || (source.ends(&["conf", "config"]) && start.starts_with("apiVersion:"))
            || (plain && mapped)
    }

    fn read<'t>(&self, source: &Source<'t>, pairs: &mut Pairs<'t>) {
        let mut document = Document::new(source.text, pairs.group(0));
        let mut at = 0_usize;
        let mut block: Option<Block<'t>> = None;
        for line in source.text.split_inclusive('\n') {
            let whole = at..at.saturating_add(line.len());
            at = whole.end;
            let indent = line.len().saturating_sub(line.trim_start_matches(' ').len());
            let blank = line.trim().is_empty();
            if let Some(open) = &mut block {
                if blank || indent > open.indent {
                    open.text.end = whole.end;
                    continue;
                }
                if let Some(open) = block.take() {
                    document.close(open, pairs);
                }
            }
            if blank || line.len() > LONGEST_LINE || line.trim_start().starts_with('#') {
                continue;
            }
            if line.starts_with("---") {
                document = Document::new(source.text, pairs.group(0));
                continue;
            }
            block = document.line(indent, trim(source.text, whole), pairs);
        }
        if let Some(open) = block {
            document.close(open, pairs);
        }
    }
}

struct Level<'t> {
    indent: usize,
    key: &'t str,
    group: usize,
}

/// A block of text that goes on.
struct Block<'t> {
    indent: usize,
    text: Range<usize>,
    around: Vec<&'t str>,
    key: &'t str,
    group: usize,
}

struct Document<'t> {
    text: &'t str,
    root: usize,
    levels: Vec<Level<'t>>,
    /// The value of the last `name`, and in which group.
    named: Option<(usize, &'t str)>,
    /// Under `data` every value is a secret.
    is_secret: bool,
}

impl<'t> Document<'t> {
    fn new(text: &'t str, root: usize) -> Self {
        Self { text, root, levels: Vec::new(), named: None, is_secret: false }
    }

    fn names(&self) -> Vec<&'t str> {
        let skip = self.levels.len().saturating_sub(6);
        self.levels.iter().skip(skip).map(|level| level.key).filter(|key| !key.is_empty()).collect()
    }

    fn line(
        &mut self,
        indent: usize,
        range: Range<usize>,
        pairs: &mut Pairs<'t>,
    ) -> Option<Block<'t>> {
        let mut indent = indent;
        let mut range = range;
        self.levels.retain(|level| level.indent < indent);
        while self.text.get(range.clone()).is_some_and(|line| line.starts_with("- ")) {
            let outer = self.levels.last().map_or(self.root, |level| level.group);
            if self.levels.len() < DEEPEST {
                let group = pairs.group(outer);
                self.levels.push(Level { indent, key: "", group });
            }
            let rest = range.start.saturating_add(2)..range.end;
            let inner = trim(self.text, rest);
            indent = indent.saturating_add(inner.start.saturating_sub(range.start));
            range = inner;
        }
        let group = self.levels.last().map_or(self.root, |level| level.group);
        let mut reader = Reader::new(self.text, range.clone());
        let Some(key) = key(&mut reader) else {
            // An item of a list: it is what the list is.
            let names = self.names();
            let item = unquote(self.text, range.clone());
            if self.text.get(item.clone()).is_some_and(lines::is_setting) {
                lines::setting(self.text, item, &names, group, pairs);
                return None;
            }
            if let Some((last, around)) = names.split_last() {
                let span = value(self.text, range);
                pairs.push(around, last, span, group, Form::Setting);
            }
            return None;
        };
        let rest = trim(self.text, reader.at()..range.end);
        let raw = self.text.get(rest.clone()).unwrap_or("");
        let (raw, rest) = without_marks(self.text, raw, rest);
        let names = self.names();
        if raw.is_empty() || raw.starts_with('#') {
            if self.levels.len() < DEEPEST {
                let group = pairs.group(group);
                self.levels.push(Level { indent, key, group });
            }
            return None;
        }
        if matches!(raw, "|" | ">" | "|-" | ">-" | "|+" | ">+") {
            let start = range.end.saturating_add(1).min(self.text.len());
            return Some(Block { indent, text: start..start, around: names, key, group });
        }
        if raw.starts_with(['{', '[']) && !raw.starts_with("{{") {
            let mut around = names;
            around.push(key);
            json::read_part(self.text, rest, &around, group, pairs);
            return None;
        }
        let span = value(self.text, rest);
        let inner = self.text.get(span.clone()).unwrap_or("");
        match key {
            "kind" => self.is_secret = inner == "Secret",
            "name" | "key" => self.named = Some((group, inner)),
            "value" | "default" => {
                if let Some((_, name)) = self.named.filter(|(of, _)| *of == group) {
                    pairs.push(&names, name, span, group, Form::Setting);
                    return None;
                }
            }
            _ => {}
        }
        if self.is_secret && matches!(names.as_slice(), ["data" | "stringData"]) {
            self.datum(key, span, pairs);
            return None;
        }
        pairs.push(&names, key, span, group, Form::Setting);
        None
    }

    /// A value of a Kubernetes secret, whatever its key.
    fn datum(&self, key: &'t str, span: Range<usize>, pairs: &mut Pairs<'t>) {
        let inner = self.text.get(span.clone()).unwrap_or("");
        let read = Key::read(key, &[]).map(|key| key.meaning);
        let open = matches!(read, Some(Meaning::User | Meaning::Host))
            // A certificate is for everyone.
            || inner.starts_with("LS0tLS1CRUdJTiBDRVJU");
        if !open {
            let meaning = read.unwrap_or(Meaning::Token);
            pairs.push_as(meaning, key, span, self.root, Form::Setting);
        }
    }

    /// A block of text: settings in another file's form, or one value.
    fn close(&self, block: Block<'t>, pairs: &mut Pairs<'t>) {
        let inner = self.text.get(block.text.clone()).unwrap_or("").trim();
        if block.around.last() == Some(&"chpasswd") {
            self.users(block.text, pairs);
        } else if !inner.contains('\n') {
            pairs.push(&block.around, block.key, block.text, block.group, Form::Setting);
        } else if !inner.contains("-----BEGIN") {
            let group = pairs.group(block.group);
            lines::read_part(self.text, block.text, &[], group, pairs);
        }
    }
}

impl<'t> Document<'t> {
    /// `name:password` on each line, as `chpasswd` reads them.
    fn users(&self, part: Range<usize>, pairs: &mut Pairs<'t>) {
        let mut at = part.start;
        for line in self.text.get(part).unwrap_or("").split_inclusive('\n') {
            let end = at.saturating_add(line.len());
            if let Some(colon) = line.find(':') {
                let group = pairs.group(self.root);
                let middle = at.saturating_add(colon);
                pairs.push_as(Meaning::User, "chpasswd", at..middle, group, Form::Store);
                let secret = middle.saturating_add(1)..end;
                pairs.push_as(Meaning::Password, "chpasswd", secret, group, Form::Store);
            }
            at = end;
        }
    }
}

/// A key with its colon, which is passed; none when the line is no pair.
fn key<'t>(reader: &mut Reader<'t>) -> Option<&'t str> {
    let range = match reader.peek()? {
        quote @ (b'"' | b'\'') => {
            reader.bump();
            reader.quoted(quote, false)?
        }
        _ => {
            let start = reader.at();
            loop {
                reader.skip_to(b':');
                let after = reader.peek_after(1);
                if reader.is_done() || after.is_none_or(|byte| byte.is_ascii_whitespace()) {
                    break;
                }
                reader.bump();
            }
            start..reader.at()
        }
    };
    reader.skip_blanks();
    if !reader.eat(":") || range.len() > 200 {
        return None;
    }
    let key = reader.slice(&range).trim();
    (!key.is_empty()).then_some(key)
}

/// Without anchors and tags of plain types.
fn without_marks<'t>(text: &'t str, raw: &'t str, range: Range<usize>) -> (&'t str, Range<usize>) {
    let mut raw = raw;
    let mut range = range;
    while raw.starts_with("!!") || (raw.starts_with('&') && raw.contains(' ')) {
        let Some(space) = raw.find(' ') else { break };
        range = trim(text, range.start.saturating_add(space)..range.end);
        raw = text.get(range.clone()).unwrap_or("");
    }
    (raw, range)
}

/// A value without its quotes or the comment after it.
fn value(text: &str, range: Range<usize>) -> Range<usize> {
    let mut reader = Reader::new(text, range.clone());
    if let Some(quote @ (b'"' | b'\'')) = reader.peek() {
        reader.bump();
        if let Some(inner) = reader.quoted(quote, false) {
            return inner;
        }
    }
    let inner = text.get(range.clone()).unwrap_or("");
    let end = inner.find(" #").unwrap_or(inner.len());
    unquote(text, trim(text, range.start..range.start.saturating_add(end)))
}
