//! NumPy arrays: harmless unless they hold objects, which are a pickle.

use crate::detector::{Context, View};
use crate::model::format::Format;
use crate::model::found::Found;
use crate::model::pickle::judge_pickle;
use lidless_core::Entry;

/// A NumPy file of one array.
pub(crate) struct Numpy;

impl Format for Numpy {
    fn name(&self) -> &'static str {
        "numpy"
    }

    fn recognises(&self, _entry: &Entry, head: &[u8]) -> bool {
        array(head).is_some()
    }

    fn look(&self, view: &View<'_>, context: &Context, found: &mut Found) {
        if let Some(Array::Objects(start) | Array::Odd(start)) = array(view.head) {
            found.format = Some("numpy-object");
            found.judgement = Some(judge_pickle(&*view.artifact.bytes, start, &context.imports));
        }
    }
}

/// What a header says of the array behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Array {
    /// Plain numbers or text.
    Plain,
    /// Objects: a pickle that begins at this offset.
    Objects(u64),
    /// A type written in a way that NumPy's own writer never has; objects perhaps.
    Odd(u64),
}

/// Reads the header of an array; none when it is no array. Source: the NPY format, versions 1
/// to 3. The header is a Python literal, and a type in it any text that `numpy.dtype` takes: only
/// those that the writer writes are plain.
fn array(head: &[u8]) -> Option<Array> {
    if !head.starts_with(b"\x93NUMPY") {
        return None;
    }
    let version = head.get(6).copied()?;
    let (start, length) = if version == 1 {
        (10usize, usize::from(u16::from_le_bytes(head.get(8..10)?.try_into().ok()?)))
    } else {
        let length = u32::from_le_bytes(head.get(8..12)?.try_into().ok()?);
        (12usize, usize::try_from(length).ok()?)
    };
    let end = start.checked_add(length)?;
    let body = u64::try_from(end).unwrap_or(u64::MAX);
    if end > head.len() {
        // A header of more than 10,000 characters is refused by NumPy itself.
        return Some(Array::Odd(body));
    }
    let header = String::from_utf8_lossy(head.get(start..end)?).into_owned();
    let Some(descr) = descr(&header) else { return Some(Array::Odd(body)) };
    let texts = texts(descr);
    if texts.iter().any(|text| text.trim_start_matches(['|', '<', '>', '=']).starts_with('O')) {
        return Some(Array::Objects(body));
    }
    let structured = descr.trim_start().starts_with('[');
    let plain = if structured {
        // Names of fields and types take turns with shapes; no escapes, no adjacent texts.
        !descr.contains('\\')
            && !adjacent(descr)
            && texts.iter().any(|text| is_plain(text))
            && descr.matches('(').count() <= texts.len()
            && types_of_fields(descr).all(is_plain)
    } else {
        matches!(texts.as_slice(), [one] if is_plain(one)) && !descr.contains(['\\', '('])
    };
    Some(if plain { Array::Plain } else { Array::Odd(body) })
}

/// The value of `descr`, up to the key that follows it.
fn descr(header: &str) -> Option<&str> {
    let (before, rest) = header.split_once("descr")?;
    let after = rest.get(1..)?.trim_start().strip_prefix(':')?;
    let end = after.find("fortran_order").or_else(|| after.find("shape"))?;
    let keys_once = !rest.contains("descr") && !before.contains(':');
    keys_once
        .then(|| after.get(..end))
        .flatten()
        .map(|value| value.trim_end_matches(['\'', '"', ' ', ',']))
        .map(|value| {
            if value.trim_start().starts_with(['\'', '"']) {
                after.get(..value.len().saturating_add(1)).unwrap_or(value)
            } else {
                value
            }
        })
}

/// Everything between quotes.
fn texts(value: &str) -> Vec<&str> {
    value.split(['\'', '"']).skip(1).step_by(2).collect()
}

/// Two texts side by side are one to Python.
fn adjacent(value: &str) -> bool {
    let parts: Vec<&str> = value.split(['\'', '"']).collect();
    parts.iter().enumerate().any(|(at, part)| {
        at > 0 && at.saturating_add(1) < parts.len() && at % 2 == 0 && part.trim().is_empty()
    })
}

/// The types of a structured array: a field is `(name, type)` or `(name, type, shape)`.
fn types_of_fields(value: &str) -> impl Iterator<Item = &str> {
    value.split('(').skip(1).filter_map(|field| {
        let texts = texts(field);
        // A shape has no text; a field with a structure of its own has its name only.
        if texts.len() >= 2 { texts.last().copied() } else { None }
    })
}

/// `<f8`, `|S5`, `>M8[ns]`: a byte order, a kind, a width.
fn is_plain(text: &str) -> bool {
    let mut rest = text.chars();
    let order = rest.next().is_some_and(|order| "<>|=".contains(order));
    let kind = rest.next().is_some_and(|kind| "?bBiufcSUVmMa".contains(kind));
    let width = rest.as_str();
    let (digits, unit) = width.split_once('[').unwrap_or((width, "]"));
    order
        && kind
        && !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && unit.ends_with(']')
        && unit.trim_end_matches(']').bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(descr: &str) -> Option<Array> {
        let header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (3,), }}\n");
        let length = u16::try_from(header.len()).ok()?.to_le_bytes();
        array(&[b"\x93NUMPY\x01\0", &length[..], header.as_bytes()].concat())
    }

    #[test]
    fn only_types_that_the_writer_writes_are_plain() {
        for descr in [
            "'<f8'",
            "'|S5'",
            "'<M8[ns]'",
            "'<M8[25s]'",
            "'|b1'",
            "[('a', '<f4'), ('b', '<i8', (2,))]",
            "[('a', [('x', '<f4')])]",
        ] {
            assert_eq!(read(descr), Some(Array::Plain), "{descr}");
        }
        for descr in ["'|O'", "[('a', '|O')]", "'O'", "[('a', [('b', '|O')])]"] {
            assert!(matches!(read(descr), Some(Array::Objects(_))), "{descr}");
        }
        for descr in [
            "'|' 'O'",
            r"'\x7cO'",
            "'object'",
            "'(2,)O'",
            "('<f8', (2,))",
            "[('a', '|' 'O')]",
            "'f8,object'",
        ] {
            assert!(!matches!(read(descr), Some(Array::Plain)), "{descr}");
        }
        assert_eq!(array(b"no array"), None);
    }
}
