//! tar: ustar, GNU long names, pax. Headers are walked, contents are windows.
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 100 | name |
//! | 124 | 12 | size, octal or base-256 |
//! | 148 | 8 | checksum, octal |
//! | 156 | 1 | type |
//! | 257 | 6 | `ustar` |
//! | 345 | 155 | prefix of the name |

use crate::peeler::{Peeler, Sink};
use lidless_core::{Artifact, Entry, Gap, Layer, Limits};
use lidless_io::{BlockCache, ReadAt, Window, read_vec};
use std::sync::Arc;

/// Headers and contents come in blocks of this size.
const BLOCK: u64 = 512;
/// Names longer than this are no names.
const LONGEST_NAME: u64 = 1 << 20;

/// A tar archive.
pub(crate) struct Tar;

impl Peeler for Tar {
    fn name(&self) -> &'static str {
        "tar"
    }

    fn recognises(&self, _artifact: &Artifact, head: &[u8]) -> bool {
        head.get(..512).is_some_and(|block| {
            let marked = block.get(257..262) == Some(b"ustar");
            (marked || block.first().is_some_and(u8::is_ascii_graphic)) && has_checksum(block)
        })
    }

    fn peel(&self, artifact: &Artifact, _head: &[u8], limits: &Limits, sink: &mut dyn Sink) {
        let place = &artifact.entry.provenance;
        // Headers lie far apart: small blocks, so that a header costs little.
        let source: Arc<dyn ReadAt> =
            Arc::new(BlockCache::new(Arc::clone(&artifact.bytes), 4 << 10, 1 << 20));
        let length = source.len();
        let mut offset = 0u64;
        let mut long_name: Option<String> = None;
        let mut pax_size: Option<u64> = None;
        let mut members = 0u64;
        let rest = |offset: u64| Some(length.saturating_sub(offset));
        while offset.saturating_add(BLOCK) <= length {
            let block = match read_vec(&*source, offset, BLOCK) {
                Ok(block) => block,
                Err(error) => {
                    sink.gap(Gap::new(place, format!("could not be read: {error}"), rest(offset)));
                    return;
                }
            };
            if block.iter().all(|byte| *byte == 0) {
                return;
            }
            if !has_checksum(&block) {
                sink.gap(Gap::new(place, "a tar archive that breaks off", rest(offset)));
                return;
            }
            members = members.saturating_add(1);
            if members > limits.members {
                sink.gap(Gap::new(place, "more members than the limit", rest(offset)));
                return;
            }
            let kind = block.get(156).copied().unwrap_or(0);
            let body = offset.saturating_add(BLOCK);
            let own = number(block.get(124..136).unwrap_or(&[])).unwrap_or(0);
            let meta = matches!(kind, b'L' | b'K' | b'x' | b'g');
            let size = if meta { own } else { pax_size.take().unwrap_or(own) };
            let padded = size.div_ceil(BLOCK).saturating_mul(BLOCK);
            match kind {
                b'L' | b'x' => match read_vec(&*source, body, size.min(LONGEST_NAME)) {
                    Ok(text) if kind == b'L' => long_name = Some(cut(&text)),
                    Ok(text) => {
                        let (name, length) = pax(&text);
                        long_name = name.or(long_name);
                        pax_size = length.or(pax_size);
                    }
                    Err(_) => {}
                },
                0 | b'0' | b'7' | b'S' => {
                    let path = long_name.take().unwrap_or_else(|| name(&block));
                    let child = place.child(Layer::Member { path });
                    if kind == b'S' {
                        sink.gap(Gap::new(
                            &child,
                            "a sparse tar member, not looked into",
                            Some(size),
                        ));
                    } else {
                        if body.saturating_add(size) > length {
                            sink.gap(Gap::new(&child, "a tar member that breaks off", Some(size)));
                        }
                        let bytes = Window::new(Arc::clone(&artifact.bytes), body, size);
                        let entry = Entry::new(child, Some(bytes.len()));
                        sink.entry(Artifact::new(entry, Arc::new(bytes)));
                    }
                }
                _ => long_name = None,
            }
            offset = body.saturating_add(padded);
        }
    }
}

fn cut(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or(&[])).into_owned()
}

fn name(block: &[u8]) -> String {
    let name = cut(block.get(..100).unwrap_or(&[]));
    let prefix = if block.get(257..263) == Some(b"ustar\0") {
        cut(block.get(345..500).unwrap_or(&[]))
    } else {
        String::new()
    };
    if prefix.is_empty() { name } else { format!("{prefix}/{name}") }
}

/// An octal number, or a big-endian one marked by its first bit.
fn number(field: &[u8]) -> Option<u64> {
    let (first, rest) = field.split_first()?;
    if first & 0x80 != 0 {
        let start = u64::from(first & 0x3f);
        return rest
            .iter()
            .try_fold(start, |value, byte| value.checked_mul(256)?.checked_add(u64::from(*byte)));
    }
    let text = cut(field);
    let digits = text.trim_matches([' ', '\0']);
    if digits.is_empty() { Some(0) } else { u64::from_str_radix(digits, 8).ok() }
}

fn has_checksum(block: &[u8]) -> bool {
    let Some(wanted) = block.get(148..156).and_then(number) else { return false };
    let sum = block.iter().enumerate().fold(0u64, |sum, (index, byte)| {
        let byte = if (148..156).contains(&index) { b' ' } else { *byte };
        sum.saturating_add(u64::from(byte))
    });
    // Eight spaces alone are the checksum of an empty block.
    sum == wanted && sum > 256
}

/// `path` and `size` of a pax header: lines of `LENGTH KEY=VALUE\n`.
fn pax(text: &[u8]) -> (Option<String>, Option<u64>) {
    let (mut path, mut size) = (None, None);
    let mut rest = text;
    while let Some(space) = rest.iter().position(|byte| *byte == b' ') {
        let digits = rest.get(..space).and_then(|part| std::str::from_utf8(part).ok());
        let Some(length) = digits.and_then(|part| part.parse::<usize>().ok()) else { break };
        let Some(record) = rest.get(space.saturating_add(1)..length) else { break };
        let line = String::from_utf8_lossy(record);
        match line.trim_end_matches('\n').split_once('=') {
            Some(("path", value)) => path = Some(value.to_owned()),
            Some(("size", value)) => size = value.parse().ok(),
            _ => {}
        }
        match rest.get(length..) {
            Some(next) if length > 0 => rest = next,
            _ => break,
        }
    }
    (path, size)
}
