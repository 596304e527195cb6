//! What some backups say of themselves: machine, job, whether they are encrypted.

use super::product::{Facts, State};
use crate::detector::View;
use lidless_io::{Cursor, ReadAt as _, read_vec};
use regex::Regex;
use serde_json::Value;

/// The trailer of a Macrium file: offset of its metadata, and a mark.
const TRAILER: u64 = 20;
const LARGEST_JSON: u64 = 4 << 20;

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) host: Option<String>,
    pub(super) state: Option<State>,
    /// More for the detail of the finding.
    pub(super) more: Vec<(&'static str, String)>,
}

/// Reads what a backup says of itself.
pub(super) fn read(facts: Facts, view: &View<'_>) -> Read {
    match facts {
        Facts::Macrium => macrium(view).unwrap_or_default(),
        Facts::Veeam => veeam(view),
        Facts::MobileSync => mobile_sync(view),
        Facts::Android => android(view.head),
        Facts::Borg => {
            let keyed = memchr::memmem::find(view.head, b"\nkey =").is_some();
            Read { state: keyed.then_some(State::Encrypted), ..Read::default() }
        }
    }
}

fn first(text: &str, pattern: &str) -> Option<String> {
    let found = Regex::new(pattern).ok()?.captures(text)?;
    found.get(1).map(|group| group.as_str().chars().take(200).collect())
}

/// The XML beside restore points names the job and the machines.
fn veeam(view: &View<'_>) -> Read {
    let head = String::from_utf8_lossy(view.head);
    let text = view.text.map_or(&*head, |text| text.as_str());
    let job = first(text, r#"\bJobName="([^"]+)""#);
    let host = first(text, r#"<Host\b[^>]*?\bName="([^"]+)""#)
        .or_else(|| first(text, r#"<Object\b[^>]*?\bName="([^"]+)""#));
    Read { host, state: None, more: job.map(|job| ("job", job)).into_iter().collect() }
}

fn mobile_sync(view: &View<'_>) -> Read {
    let text = String::from_utf8_lossy(view.head);
    let host = first(&text, r"<key>Device Name</key>\s*<string>([^<]+)</string>");
    // The list of files is a database, and noise where the backup is encrypted.
    let list = view.artifact.sibling("Manifest.db");
    let list = list.and_then(|list| read_vec(&*list.bytes, 0, 16).ok());
    let encrypted = list.is_some_and(|head| !head.starts_with(b"SQLite format 3"));
    Read { host, state: encrypted.then_some(State::Encrypted), more: Vec::new() }
}

/// `ANDROID BACKUP`, version, compressed or not, the kind of encryption; a line each.
fn android(head: &[u8]) -> Read {
    let kind = head.split(|byte| *byte == b'\n').nth(3);
    let encrypted = kind.is_some_and(|kind| kind != b"none");
    Read { state: encrypted.then_some(State::Encrypted), ..Read::default() }
}

/// Macrium Reflect X, as its maker publishes it: the last 20 bytes are the offset of the metadata
/// and `MACRIUM_FILE`; blocks of a name (8 bytes), a length (4), a digest (16), flags (1: `2`
/// compressed, `4` encrypted) and padding (3) follow there, the first of them JSON.
fn macrium(view: &View<'_>) -> Option<Read> {
    let bytes = &view.artifact.bytes;
    let trailer = read_vec(&**bytes, bytes.len().checked_sub(TRAILER)?, TRAILER).ok()?;
    let mut cursor = Cursor::new(&trailer);
    let at = cursor.u64_le().ok()?;
    if cursor.remaining() != b"MACRIUM_FILE" {
        return None;
    }
    let block = read_vec(&**bytes, at, LARGEST_JSON.min(64 << 10)).ok()?;
    let mut cursor = Cursor::new(&block);
    let name = cursor.take(8).ok()?;
    let length = u64::from(cursor.u32_le().ok()?);
    cursor.skip(16).ok()?;
    let flags = cursor.u8().ok()?;
    if !name.starts_with(b"$JSON") || flags & 6 != 0 || length > LARGEST_JSON {
        return Some(Read::default());
    }
    let json = read_vec(&**bytes, at.checked_add(32)?, length).ok()?;
    let json: Value = serde_json::from_slice(&json).ok()?;
    let text = |path: &str| json.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let host = ["/_header/netbios_name", "/_header/machine_name", "/_header/host_name"];
    let host = host.iter().find_map(|path| text(path));
    let encrypted = json.pointer("/_encryption/enable").and_then(Value::as_bool);
    let state = encrypted.filter(|on| *on).map(|_| State::Encrypted);
    Some(Read { host, state, more: Vec::new() })
}
