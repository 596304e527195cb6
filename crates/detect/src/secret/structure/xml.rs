//! XML as programs keep settings in it: elements, attributes, and pairs of `name` and `value`.

use super::format::{Format, Source};
use super::pair::{Form, Pairs};
use super::reader::Reader;
use std::ops::Range;

/// XML, whole or broken.
pub(super) struct Xml;

const DEEPEST: usize = 64;

impl Format for Xml {
    fn fits(&self, source: &Source<'_>) -> bool {
        let start = source.start();
        if source.ends(&["html", "htm", "svg", "php", "jsp", "vue", "erb", "xhtml", "xlf", "xliff"])
        {
            return false;
        }
        start.starts_with("<?xml")
            || start.starts_with("<!--")
            || (start.starts_with('<')
                && !start.starts_with("<?")
                && !start.starts_with("<!")
                && !start.get(..5).is_some_and(|tag| tag.eq_ignore_ascii_case("<html")))
    }

    fn read<'t>(&self, source: &Source<'t>, pairs: &mut Pairs<'t>) {
        let text = source.text;
        let mut reader = Reader::new(text, 0..text.len());
        let mut open: Vec<Element<'t>> = Vec::new();
        while !reader.is_done() {
            let from = reader.at();
            reader.skip_to(b'<');
            let content = from..reader.at();
            if reader.starts("</") {
                close(&mut reader, &mut open, content, pairs);
            } else if reader.eat("<!--") {
                skip_past(&mut reader, "-->");
            } else if reader.eat("<![CDATA[") {
                let start = reader.at();
                skip_past(&mut reader, "]]>");
                let end = reader.at().saturating_sub(3).max(start);
                if let Some(element) = open.last_mut() {
                    element.data = Some(start..end);
                }
            } else if reader.starts("<?") || reader.starts("<!") {
                skip_past(&mut reader, ">");
            } else {
                start(&mut reader, &mut open, pairs);
            }
        }
    }
}

struct Element<'t> {
    name: &'t str,
    /// What its attributes call it, when they do: `<option name="password">`.
    called: Option<&'t str>,
    group: usize,
    data: Option<Range<usize>>,
}

fn skip_past(reader: &mut Reader<'_>, end: &str) {
    let first = end.bytes().next().unwrap_or(b'>');
    while !reader.is_done() && !reader.eat(end) {
        reader.bump();
        reader.skip_to(first);
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':') || byte >= 0x80
}

fn names<'t>(open: &[Element<'t>]) -> Vec<&'t str> {
    let skip = open.len().saturating_sub(4);
    open.iter().skip(skip).map(|element| element.called.unwrap_or(element.name)).collect()
}

fn start<'t>(reader: &mut Reader<'t>, open: &mut Vec<Element<'t>>, pairs: &mut Pairs<'t>) {
    reader.bump();
    let range = reader.take_while(is_name);
    let name = reader.slice(&range);
    if name.is_empty() {
        return;
    }
    let outer = open.last().map_or(0, |element| element.group);
    let group = pairs.group(outer);
    let mut attributes: Vec<(&'t str, Range<usize>)> = Vec::new();
    let mut closed = false;
    while let Some(byte) = reader.peek() {
        match byte {
            b'>' => {
                reader.bump();
                break;
            }
            b'/' if reader.starts("/>") => {
                reader.eat("/>");
                closed = true;
                break;
            }
            // A tag that was never closed.
            b'<' => break,
            byte if is_name(byte) => {
                let range = reader.take_while(is_name);
                let key = reader.slice(&range);
                reader.skip_space();
                if !reader.eat("=") {
                    continue;
                }
                reader.skip_space();
                let Some(quote @ (b'"' | b'\'')) = reader.peek() else { continue };
                reader.bump();
                let value = reader.at();
                reader.skip_to(quote);
                let span = value..reader.at();
                reader.bump();
                if attributes.len() < 64 {
                    attributes.push((key, span));
                }
            }
            _ => {
                reader.bump();
            }
        }
    }
    let value_of = |names: &[&str]| {
        attributes.iter().find(|(key, _)| names.contains(key)).map(|(_, span)| span.clone())
    };
    let called = value_of(&["name", "key", "Name", "Key", "id"]).map(|span| reader.slice(&span));
    let called = called.filter(|called| !called.is_empty() && called.len() < 100);
    let mut path = names(open);
    if let (Some(called), Some(span)) = (called, value_of(&["value", "Value", "val"])) {
        // Beside its brothers: `<option name="user" value=..>` and `<option name="password" ..>`.
        pairs.push(&path, called, span, outer, Form::Setting);
    }
    path.push(name);
    for (key, span) in attributes {
        if !matches!(key, "name" | "key" | "id" | "type" | "class" | "value" | "Value" | "val")
            || called.is_none() && key == "value"
        {
            pairs.push(&path, key, span, group, Form::Setting);
        }
    }
    if !closed && open.len() < DEEPEST {
        open.push(Element { name, called, group, data: None });
    }
}

fn close<'t>(
    reader: &mut Reader<'t>,
    open: &mut Vec<Element<'t>>,
    content: Range<usize>,
    pairs: &mut Pairs<'t>,
) {
    reader.eat("</");
    let range = reader.take_while(is_name);
    let name = reader.slice(&range);
    skip_past(reader, ">");
    // A tag closes the nearest of its name; those inside were never closed.
    let Some(at) = open.iter().rposition(|element| element.name == name) else { return };
    let innermost = at.saturating_add(1) == open.len();
    let element = open.drain(at..).next();
    if let (true, Some(element)) = (innermost, element) {
        let group = pairs.parent(element.group);
        let path = names(open);
        let span = element.data.unwrap_or(content);
        pairs.push(
            &path,
            element.called.unwrap_or(element.name),
            span.clone(),
            group,
            Form::Setting,
        );
        if element.called.is_some() {
            pairs.push(&path, element.name, span, group, Form::Setting);
        }
    }
}
