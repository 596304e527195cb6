//! What a sweep keeps of a record, in few bytes: a volume of a million files has to fit into
//! memory beside everything else.
//!
//! Numbers are written 7 bits a byte, lowest first, the highest bit set while more follow.

use super::record::{Attribute, Body, DATA, Elsewhere, Name, REPARSE, Record, Reference};
use lidless_io::Cursor;

/// How much of a reparse point is kept: its tag and how the file is compressed.
const REPARSE_BYTES: usize = 32;

const IN_USE: u64 = 1;
const DIRECTORY: u64 = 2;
const EXTENSION: u64 = 4;
const DATED: u64 = 8;

const RESIDENT: u64 = 0;
const LEFT: u64 = 1;
const ELSEWHERE: u64 = 2;
const IS_REPARSE: u64 = 4;

/// Packs names, streams and the reparse point of a record. Content that lies in the record is
/// kept when `keeps_content`.
pub(super) fn pack(record: &Record, keeps_content: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(96);
    let flag = |is: bool, flag: u64| if is { flag } else { 0 };
    let flags = flag(record.in_use, IN_USE)
        | flag(record.is_directory, DIRECTORY)
        | flag(record.base.is_some(), EXTENSION)
        | flag(record.modified.is_some(), DATED);
    number(&mut out, flags);
    number(&mut out, u64::from(record.sequence));
    if let Some(base) = record.base {
        reference(&mut out, base);
    }
    if let Some(modified) = record.modified {
        out.extend(modified.to_le_bytes());
    }
    let long = record.names.iter().any(|name| !name.is_short);
    let names = record.names.iter().filter(|name| !long || !name.is_short);
    count(&mut out, names.clone().count());
    for name in names {
        number(&mut out, flag(name.is_short, 1));
        reference(&mut out, name.parent);
        bytes(&mut out, name.name.as_bytes());
    }
    let kept = record.attributes.iter().filter(|one| matches!(one.kind, DATA | REPARSE));
    count(&mut out, kept.clone().count());
    for attribute in kept {
        let kind = flag(attribute.kind == REPARSE, IS_REPARSE);
        let form = match &attribute.body {
            Body::Resident(_) if keeps_content || attribute.kind == REPARSE => RESIDENT,
            Body::Resident(_) | Body::Left(_) => LEFT,
            Body::Elsewhere(_) => ELSEWHERE,
        };
        number(&mut out, kind | form);
        number(&mut out, u64::from(attribute.flags));
        bytes(&mut out, attribute.name.as_bytes());
        match &attribute.body {
            Body::Resident(content) if form == RESIDENT => {
                let most = if kind == 0 { content.len() } else { REPARSE_BYTES };
                bytes(&mut out, content.get(..most).unwrap_or(content));
            }
            Body::Resident(content) => count(&mut out, content.len()),
            Body::Left(length) => number(&mut out, *length),
            Body::Elsewhere(body) => {
                number(&mut out, body.first_vcn);
                number(&mut out, body.length);
                number(&mut out, body.length.wrapping_sub(body.initialised));
                number(&mut out, u64::from(body.unit));
                bytes(&mut out, &body.pairs);
            }
        }
    }
    out
}

/// Unpacks what [`pack`] packed.
pub(super) fn unpack(packed: &[u8]) -> Option<Record> {
    let mut rest = Cursor::new(packed);
    let flags = take(&mut rest)?;
    let sequence = u16::try_from(take(&mut rest)?).ok()?;
    let base = if flags & EXTENSION != 0 { Some(take_reference(&mut rest)?) } else { None };
    let modified = if flags & DATED != 0 { Some(rest.u64_le().ok()?) } else { None };
    let mut names = Vec::new();
    for _ in 0..take(&mut rest)? {
        let is_short = take(&mut rest)? != 0;
        let parent = take_reference(&mut rest)?;
        names.push(Name { parent, is_short, name: take_text(&mut rest)? });
    }
    let mut attributes = Vec::new();
    for _ in 0..take(&mut rest)? {
        let form = take(&mut rest)?;
        let kind = if form & IS_REPARSE != 0 { REPARSE } else { DATA };
        let flags = u16::try_from(take(&mut rest)?).ok()?;
        let name = take_text(&mut rest)?;
        let body = match form & !IS_REPARSE {
            RESIDENT => Body::Resident(take_bytes(&mut rest)?.to_vec()),
            LEFT => Body::Left(take(&mut rest)?),
            _ => {
                let first_vcn = take(&mut rest)?;
                let length = take(&mut rest)?;
                let initialised = length.wrapping_sub(take(&mut rest)?);
                let unit = u8::try_from(take(&mut rest)?).ok()?;
                let pairs = take_bytes(&mut rest)?.to_vec();
                Body::Elsewhere(Elsewhere { first_vcn, length, initialised, unit, pairs })
            }
        };
        attributes.push(Attribute { kind, name, flags, body });
    }
    Some(Record {
        sequence,
        in_use: flags & IN_USE != 0,
        is_directory: flags & DIRECTORY != 0,
        base,
        modified,
        names,
        attributes,
        is_broken: false,
    })
}

fn number(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            out.push(low & 0x7f);
            return;
        }
        out.push(low | 0x80);
    }
}

fn count(out: &mut Vec<u8>, value: usize) {
    number(out, u64::try_from(value).unwrap_or(0));
}

fn bytes(out: &mut Vec<u8>, value: &[u8]) {
    count(out, value.len());
    out.extend_from_slice(value);
}

fn reference(out: &mut Vec<u8>, value: Reference) {
    number(out, value.number);
    number(out, u64::from(value.sequence));
}

fn take(rest: &mut Cursor) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64u32).step_by(7) {
        let byte = rest.u8().ok()?;
        value |= u64::from(byte & 0x7f).wrapping_shl(shift);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn take_bytes<'a>(rest: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let length = usize::try_from(take(rest)?).ok()?;
    rest.take(length).ok()
}

fn take_text(rest: &mut Cursor) -> Option<String> {
    take_bytes(rest).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

fn take_reference(rest: &mut Cursor) -> Option<Reference> {
    Some(Reference { number: take(rest)?, sequence: u16::try_from(take(rest)?).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_is_unpacked_and_small() {
        let name = |name: &str, is_short| Name {
            parent: Reference { number: 123_456, sequence: 3 },
            is_short,
            name: name.into(),
        };
        let stream = |name: &str, body| Attribute { kind: DATA, name: name.into(), flags: 1, body };
        let elsewhere = Elsewhere {
            first_vcn: 0,
            length: 70_000,
            initialised: 70_000,
            unit: 4,
            pairs: vec![0x31, 18, 1, 2, 3],
        };
        let mut record = Record {
            sequence: 7,
            in_use: true,
            is_directory: false,
            base: Some(Reference { number: 1 << 47, sequence: 65_535 }),
            modified: Some(5),
            names: vec![name("naïve.txt", false)],
            attributes: vec![
                stream(
                    "",
                    Body::Elsewhere(Elsewhere { initialised: u64::MAX, ..elsewhere.clone() }),
                ),
                stream("s", Body::Resident(b"content".to_vec())),
                Attribute {
                    kind: REPARSE,
                    name: String::new(),
                    flags: 0,
                    body: Body::Resident(vec![9; 8]),
                },
            ],
            is_broken: false,
        };
        assert_eq!(unpack(&pack(&record, true)), Some(record.clone()));
        let left = unpack(&pack(&record, false)).unwrap();
        assert_eq!(left.attributes[1].body, Body::Left(7));
        record.attributes = vec![stream("", Body::Elsewhere(elsewhere))];
        record.base = None;
        record.names.push(name("NAVE~1.TXT", true));
        let packed = pack(&record, true);
        assert!(packed.len() <= 48, "{}", packed.len());
        assert_eq!(unpack(&packed).unwrap().names.len(), 1);
        lidless_kit::cut_and_flip(&packed, |bytes| {
            let _ = unpack(bytes);
        });
    }
}
