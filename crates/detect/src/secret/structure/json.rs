//! JSON, with comments, trailing commas, plain keys and single quotes; notebooks, states of
//! Terraform, logins of Docker, package managers and editors. What does not fit is stepped over.

use super::code;
use super::format::{Format, Source};
use super::lines;
use super::pair::{Form, Pairs};
use super::reader::Reader;
use std::ops::Range;

/// JSON and what looks like it.
pub(super) struct Json;

/// Deeper nesting than any program writes; below it values are read as if they stood here.
const DEEPEST: usize = 64;

impl Format for Json {
    fn fits(&self, source: &Source<'_>) -> bool {
        let start = source.start();
        let opens = start.starts_with('{')
            || start.starts_with('[')
            || start.starts_with("//")
            || start.starts_with("/*");
        if source.ends(&["json", "json5", "jsonc", "ipynb", "tfstate", "webmanifest", "hjson"])
            || source.path.contains(".tfstate")
        {
            return opens;
        }
        // `.dockercfg`, `.ftpconfig`: an object with a quoted name first.
        let rest = start.strip_prefix('{').map(str::trim_start);
        !source.ends(&["js", "ts", "jsx", "tsx", "py", "php", "rb", "go", "rs", "tf"])
            && rest.is_some_and(|rest| rest.starts_with('"') || rest.is_empty())
    }

    fn read<'t>(&self, source: &Source<'t>, pairs: &mut Pairs<'t>) {
        read_part(source.text, 0..source.text.len(), &[], 0, pairs);
    }
}

/// An object or a list that is open.
struct Open<'t> {
    key: &'t str,
    group: usize,
    is_list: bool,
    /// The value of `name` or `key` beside a `value`: they make one pair.
    named: Option<&'t str>,
    valued: Option<Range<usize>>,
}

/// Reads a part of a text as JSON; `around` are the names it stands under.
pub(super) fn read_part<'t>(
    text: &'t str,
    part: Range<usize>,
    around: &[&'t str],
    group: usize,
    pairs: &mut Pairs<'t>,
) {
    let mut reader = Reader::new(text, part);
    let mut stack: Vec<Open<'t>> = Vec::new();
    let mut key: Option<&'t str> = None;
    while let Some(byte) = reader.peek() {
        match byte {
            b'{' | b'[' => {
                reader.bump();
                if stack.len() < DEEPEST {
                    let outer = stack.last().map_or(group, |open| open.group);
                    let inherited =
                        stack.last().map_or("", |open| if open.is_list { open.key } else { "" });
                    let is_list = byte == b'[';
                    let group = if is_list { outer } else { pairs.group(outer) };
                    let key = key.take().unwrap_or(inherited);
                    stack.push(Open { key, group, is_list, named: None, valued: None });
                }
            }
            b'}' | b']' => {
                reader.bump();
                key = None;
                if let Some(open) = stack.pop()
                    && let (Some(name), Some(span)) = (open.named, open.valued)
                {
                    pairs.push(&names(around, &stack), name, span, open.group, Form::Setting);
                }
            }
            b'"' | b'\'' => {
                reader.bump();
                let Some(range) = reader.quoted(byte, true) else { continue };
                take(&mut reader, range, &mut key, &mut stack, (around, group), pairs);
            }
            b'/' if reader.starts("//") => reader.skip_to(b'\n'),
            b'#' => reader.skip_to(b'\n'),
            b'/' if reader.starts("/*") => {
                reader.eat("/*");
                while !reader.is_done() && !reader.eat("*/") {
                    reader.bump();
                    reader.skip_to(b'*');
                }
            }
            b',' => {
                reader.bump();
                key = None;
            }
            byte if byte.is_ascii_alphanumeric()
                || matches!(byte, b'_' | b'$' | b'-')
                || byte >= 0x80 =>
            {
                let range = reader.take_while(|b| {
                    b.is_ascii_alphanumeric() || b"_$-.+@%/".contains(&b) || b >= 0x80
                });
                take(&mut reader, range, &mut key, &mut stack, (around, group), pairs);
            }
            _ => {
                reader.bump();
            }
        }
    }
}

/// A string or a bare word: a key when a colon follows, else a value.
fn take<'t>(
    reader: &mut Reader<'t>,
    range: Range<usize>,
    key: &mut Option<&'t str>,
    stack: &mut [Open<'t>],
    (around, group): (&[&'t str], usize),
    pairs: &mut Pairs<'t>,
) {
    let in_object = stack.last().is_none_or(|open| !open.is_list);
    if key.is_none() && in_object {
        let mut ahead = reader.clone();
        ahead.skip_space();
        if ahead.peek() == Some(b':') {
            ahead.bump();
            reader.go(ahead.at());
            *key = Some(reader.slice(&range));
            return;
        }
    }
    let value = reader.slice(&range);
    let name = key.take();
    let path = names(around, stack);
    let Some(open) = stack.last_mut() else {
        if let Some(name) = name {
            pairs.push(&path, name, range, group, Form::Setting);
        }
        return;
    };
    let inside = open.group;
    if open.is_list {
        // Lines of a program in a notebook; a list of passwords.
        if matches!(open.key, "source" | "text") && value.len() > 4 {
            code::read_part(reader.text(), range, inside, pairs);
        } else if lines::is_setting(value) {
            lines::setting(reader.text(), range, &path, inside, pairs);
        } else {
            let outer = path.get(..path.len().saturating_sub(1)).unwrap_or(&[]);
            pairs.push(outer, open.key, range, inside, Form::Setting);
        }
        return;
    }
    let Some(name) = name else { return };
    if ["name", "key", "Name", "Key", "ParameterKey", "option"].contains(&name) && value.len() < 100
    {
        open.named = Some(value);
    } else if ["value", "Value", "ParameterValue", "val"].contains(&name) {
        open.valued = Some(range.clone());
    }
    if name == "source" && value.len() > 4 {
        code::read_part(reader.text(), range, inside, pairs);
        return;
    }
    pairs.push(&path, name, range, inside, Form::Setting);
}

fn names<'t>(around: &[&'t str], stack: &[Open<'t>]) -> Vec<&'t str> {
    let skip = stack.len().saturating_sub(4);
    around.iter().copied().chain(stack.iter().skip(skip).map(|open| open.key)).collect()
}
