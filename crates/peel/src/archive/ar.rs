//! ar: libraries and Debian packages (deb(5)); System V, GNU and BSD names.
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 8 | `!<arch>` and a newline, once |
//! | 0 | 16 | name, filled with spaces; GNU ends it with `/` |
//! | 16 | 12 | time of the last change, decimal |
//! | 28 | 20 | owner, group, mode |
//! | 48 | 10 | size, decimal |
//! | 58 | 2 | a backtick and a newline |
//!
//! Contents are padded to two bytes. `//` holds long names, which `/N` point into; `#1/N` says
//! that the name is the first N bytes of the content.

use super::members::{About, Members};
use super::tape::{Lying, Tape};
use crate::error::PeelError;
use crate::peeler::{Peeler, Sink};
use lidless_core::{Artifact, Limits};
use std::sync::Arc;

const HEADER: u64 = 60;
/// Tables of names larger than this are none.
const NAMES: u64 = 16 << 20;
const LONGEST_NAME: u64 = 64 << 10;

/// An ar archive.
pub(crate) struct Ar;

impl Peeler for Ar {
    fn name(&self) -> &'static str {
        "ar"
    }

    fn recognises(&self, _artifact: &Artifact, head: &[u8]) -> bool {
        head.starts_with(b"!<arch>\n") || head.starts_with(b"!<thin>\n")
    }

    fn peel(&self, artifact: &Artifact, head: &[u8], limits: &Limits, sink: &mut dyn Sink) {
        let mut members = Members::new(&artifact.entry.provenance, limits, sink);
        if head.starts_with(b"!<thin>\n") {
            let reason = "a thin ar archive, whose members lie beside it";
            members.gap(reason, None);
            return;
        }
        let mut tape = Lying::new(Arc::clone(&artifact.bytes));
        if let Err(error) = walk(&mut tape, &mut members) {
            members.fail(&error, None);
        }
        members.finish();
    }
}

fn walk(tape: &mut dyn Tape, members: &mut Members<'_>) -> Result<(), PeelError> {
    let mut at = 8u64;
    let mut names = Vec::new();
    loop {
        let header = tape.read(at, HEADER)?;
        let rest = tape.length().map(|length| length.saturating_sub(at));
        if header.is_empty() {
            return Ok(());
        }
        let size = header.get(48..58).and_then(decimal);
        let marked = header.get(58..60) == Some(b"`\n");
        let Some(size) = size.filter(|_| marked) else {
            members.gap("an ar archive that breaks off", rest);
            return Ok(());
        };
        if !members.one_more(rest) {
            return Ok(());
        }
        let body = at.saturating_add(HEADER);
        at = body.saturating_add(size.next_multiple_of(2));
        let short = String::from_utf8_lossy(header.get(..16).unwrap_or(&[])).into_owned();
        let short = short.trim_end_matches(' ');
        let (mut start, mut length) = (body, size);
        let name = match short {
            "/" | "/SYM64/" | "__.SYMDEF" | "__.SYMDEF SORTED" => continue,
            "//" => {
                names = tape.read(body, size.min(NAMES))?;
                continue;
            }
            _ => match (short.strip_prefix("#1/"), short.strip_prefix('/')) {
                (Some(length_of_name), _) => {
                    let own = length_of_name.parse::<u64>().unwrap_or(0).min(size);
                    let name = tape.read(body, own.min(LONGEST_NAME))?;
                    start = body.saturating_add(own);
                    length = size.saturating_sub(own);
                    String::from_utf8_lossy(&name).trim_end_matches('\0').to_owned()
                }
                (None, Some(offset)) => long_name(&names, offset).unwrap_or(short.to_owned()),
                (None, None) => short.trim_end_matches('/').to_owned(),
            },
        };
        if name.starts_with("__.SYMDEF") {
            continue;
        }
        let time = header.get(16..28).and_then(decimal).and_then(|time| i64::try_from(time).ok());
        let about = About::new(name, length).changed_at(time.unwrap_or(0));
        members.stored(tape, &about, start, "an ar member that breaks off")?;
    }
}

fn long_name(names: &[u8], offset: &str) -> Option<String> {
    let rest = names.get(offset.parse::<usize>().ok()?..)?;
    let end = rest.iter().position(|byte| matches!(byte, b'\n' | 0)).unwrap_or(rest.len());
    let name = String::from_utf8_lossy(rest.get(..end)?).into_owned();
    Some(name.trim_end_matches('/').to_owned()).filter(|name| !name.is_empty())
}

fn decimal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim();
    if text.is_empty() { Some(0) } else { text.parse().ok() }
}
