//! A LevelDB database as browsers keep IndexedDB in it: one log, its manifest, and the values of
//! a chat program's messages ("leveldb log format", V8's value serialiser).

use super::block::{Block, count, small};
use super::disk::crc32c;

const BLOCK: usize = 32 << 10;

/// A chat message: its fields by name.
pub(in super::super) type Message = Vec<(&'static str, String)>;

/// The files of the database, by name.
pub(in super::super) fn database(messages: &[Message]) -> Vec<(&'static str, Vec<u8>)> {
    let mut batch = Block::new(12);
    batch.u64(0, 1).u32(8, small(count(messages.len())));
    for (number, message) in messages.iter().enumerate() {
        // Database 1, object store 1, index 1, then a key of its own.
        let mut key = vec![0, 1, 1, 1, 1];
        key.extend(count(number).to_be_bytes());
        batch.push(&[1]).push(&prefixed(&key)).push(&prefixed(&value(message)));
    }
    let mut edit = vec![1];
    edit.extend(prefixed(b"idb_cmp1"));
    // Log number, previous log, next file, last sequence.
    edit.extend([2, 3, 9, 0, 3, 4, 4]);
    edit.extend(varint(count(messages.len())));
    vec![
        ("CURRENT", b"MANIFEST-000001\n".to_vec()),
        ("MANIFEST-000001", log(&[edit])),
        ("000003.log", log(&[batch.into_bytes()])),
    ]
}

/// A value: a version, then an object of texts.
fn value(message: &Message) -> Vec<u8> {
    let mut bytes = vec![1, 0xff, 0x14, 0xff, 0x0f, b'o'];
    for (name, text) in message {
        for part in [*name, text] {
            bytes.push(b'"');
            bytes.extend(prefixed(part.as_bytes()));
        }
    }
    bytes.push(b'{');
    bytes.extend(varint(count(message.len())));
    bytes
}

fn prefixed(bytes: &[u8]) -> Vec<u8> {
    let mut out = varint(count(bytes.len()));
    out.extend(bytes);
    out
}

/// Seven bits a byte, the lowest first.
fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(small::<u8>(value & 0x7f) | 0x80);
        value >>= 7;
    }
    bytes.push(small(value));
    bytes
}

/// Records in blocks of 32 KiB, each part with a checksum, its length and its kind.
fn log(records: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Block::default();
    for record in records {
        let mut rest: &[u8] = record;
        let mut first = true;
        loop {
            let left = BLOCK.saturating_sub(out.len() % BLOCK);
            if left < 7 {
                out.align(BLOCK);
                continue;
            }
            let take = rest.len().min(left.saturating_sub(7));
            let (now, later) = rest.split_at_checked(take).unwrap_or((rest, &[]));
            let kind = match (first, later.is_empty()) {
                (true, true) => 1,
                (true, false) => 2,
                (false, false) => 3,
                (false, true) => 4,
            };
            let sum = crc32c(&[&[kind], now].concat());
            let masked = sum.rotate_right(15).wrapping_add(0xa282_ead8);
            out.push(&masked.to_le_bytes()).push(&small::<u16>(count(take)).to_le_bytes());
            out.push(&[kind]).push(now);
            (first, rest) = (false, later);
            if rest.is_empty() {
                break;
            }
        }
    }
    out.into_bytes()
}
