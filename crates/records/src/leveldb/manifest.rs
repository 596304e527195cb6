//! Manifests: which files a database consists of.

use super::log::records;
use super::varint::{prefixed, varint};
use crate::error::RecordError;
use lidless_io::ReadAt;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// How many numbers after the last one that a manifest says was given out a log may have.
const LATER: u64 = 8;
/// How many logs are looked for.
const LOGS: usize = 32;
/// No database has more tables.
const MOST: usize = 65_536;

/// The files of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiveFiles {
    /// Numbers of tables: `000005.ldb`.
    pub tables: BTreeSet<u64>,
    /// Numbers that logs that count can have: `000006.log`. Logs made after the manifest was last
    /// written are not named in it; most of these numbers have no file.
    pub logs: BTreeSet<u64>,
}

/// The name of the manifest that a `CURRENT` file names; none when it names none.
#[must_use]
pub fn current_manifest(current: &[u8]) -> Option<&str> {
    let name = std::str::from_utf8(current).ok()?.trim_end();
    let digits = name.strip_prefix("MANIFEST-")?;
    let is_number = (1..=20).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then_some(name)
}

/// Reads which files a database consists of.
///
/// # Errors
/// `Read`, and `Limit` when it names more files than any database has.
pub fn live_files(manifest: &dyn ReadAt) -> Result<LiveFiles, RecordError> {
    let mut files = LiveFiles::default();
    let mut log = None;
    let mut before = None;
    let mut next = 0;
    records(manifest, &mut |edit| {
        let _ = apply(edit, &mut files.tables, &mut log, &mut before, &mut next);
        if files.tables.len() > MOST { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    if files.tables.len() > MOST {
        return Err(RecordError::Limit("a LevelDB database of more files than any has"));
    }
    let first = log.unwrap_or(0);
    let later = first..next.max(first).saturating_add(LATER);
    let numbers = before.into_iter().chain(later.take(LOGS));
    let is_log = |number: &u64| *number > 0 && !files.tables.contains(number);
    files.logs = numbers.filter(is_log).collect();
    Ok(files)
}

/// One change: tags with their content, in any order.
fn apply(
    mut rest: &[u8],
    tables: &mut BTreeSet<u64>,
    log: &mut Option<u64>,
    before: &mut Option<u64>,
    next: &mut u64,
) -> Option<()> {
    while !rest.is_empty() {
        let (tag, after) = varint(rest)?;
        rest = match tag {
            1 => prefixed(after)?.1,
            2 => {
                let (number, after) = varint(after)?;
                *log = Some(number);
                after
            }
            3 => {
                let (number, after) = varint(after)?;
                *next = number;
                after
            }
            4 => varint(after)?.1,
            5 => prefixed(varint(after)?.1)?.1,
            6 => {
                let (number, after) = varint(varint(after)?.1)?;
                tables.remove(&number);
                after
            }
            7 => {
                let (number, after) = varint(varint(after)?.1)?;
                tables.insert(number);
                let after = varint(after)?.1;
                prefixed(prefixed(after)?.1)?.1
            }
            9 => {
                let (number, after) = varint(after)?;
                *before = Some(number);
                after
            }
            _ => return None,
        };
    }
    Some(())
}
