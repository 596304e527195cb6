//! Headers of KeePass databases: how a password is turned into a key, never the password
//! (keepass.info, "KDBX File Format Specification"; KDB is read by the layout of KeePass 1).
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 4 | `03 d9 a2 9a` |
//! | 4 | 4 | `67 fb 4b b5` KDBX, `66` its first preview, `65` KDB |
//! | 8 | 4 | version: minor, major (KDBX); flags (KDB) |
//! | 12 | | fields: kind (1), length (2, from KDBX 4 on 4), content; kind 0 ends them |

use crate::error::RecordError;
use lidless_io::number;

const FORMAT: &str = "KeePass database";
const MAGIC: &[u8] = &[0x03, 0xd9, 0xa2, 0x9a];
/// A header has some ten fields.
const FIELDS: usize = 64;

/// How a KeePass database is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeepassHeader {
    /// `KDB`, `KDBX 3.1`, `KDBX 4.0`.
    pub version: String,
    /// `AES-KDF`, `Argon2d`, `Argon2id`, or none when it says nothing known.
    pub kdf: Option<&'static str>,
    /// How many rounds, or passes over the memory.
    pub rounds: Option<u64>,
    /// How much memory a try takes, in bytes.
    pub memory_bytes: Option<u64>,
    /// `AES-256`, `ChaCha20`, `Twofish`.
    pub cipher: Option<&'static str>,
}

/// Reads a header from the first bytes of a database; a few KiB are enough.
///
/// # Errors
/// `Malformed` when it is none.
pub fn keepass_header(head: &[u8]) -> Result<KeepassHeader, RecordError> {
    let bad = |offset: usize, expected: &str| RecordError::Malformed {
        format: FORMAT,
        offset: number::wide(offset),
        expected: expected.to_owned(),
        found: "other bytes".to_owned(),
    };
    if !head.starts_with(MAGIC) {
        return Err(bad(0, "03 d9 a2 9a"));
    }
    let kind = number::u32_le(head, 4).ok_or_else(|| bad(4, "a signature"))?;
    if kind == 0xb54b_fb65 {
        return kdb(head).ok_or_else(|| bad(8, "a header of KDB"));
    }
    if kind != 0xb54b_fb67 && kind != 0xb54b_fb66 {
        return Err(bad(4, "a signature"));
    }
    let minor = number::u16_le(head, 8).ok_or_else(|| bad(8, "a version"))?;
    let major = number::u16_le(head, 10).ok_or_else(|| bad(8, "a version"))?;
    let mut header = KeepassHeader {
        version: format!("KDBX {major}.{minor}"),
        kdf: (major < 4).then_some("AES-KDF"),
        rounds: None,
        memory_bytes: None,
        cipher: None,
    };
    let mut place = 12usize;
    for _ in 0..FIELDS {
        let Some((field, content, next)) = field(head, place, major >= 4) else { break };
        match field {
            0 => break,
            2 => header.cipher = cipher(content),
            6 => header.rounds = number::u64_le(content, 0),
            11 => parameters(content, &mut header),
            _ => {}
        }
        place = next;
    }
    Ok(header)
}

fn field(head: &[u8], place: usize, wide: bool) -> Option<(u8, &[u8], usize)> {
    let kind = *head.get(place)?;
    let place = place.checked_add(1)?;
    let (length, size) = if wide {
        (number::index(number::u32_le(head, place)?), 4)
    } else {
        (usize::from(number::u16_le(head, place)?), 2)
    };
    let place = place.checked_add(size)?;
    Some((kind, number::slice(head, place, length)?, place.checked_add(length)?))
}

fn cipher(id: &[u8]) -> Option<&'static str> {
    match id.get(..4)? {
        [0x31, 0xc1, 0xf2, 0xe6] => Some("AES-256"),
        [0xd6, 0x03, 0x8a, 0x2b] => Some("ChaCha20"),
        [0xad, 0x68, 0xf2, 0x9f] => Some("Twofish"),
        _ => None,
    }
}

/// The dictionary of the key derivation: type (1), length (4) and name, length (4) and value.
fn parameters(content: &[u8], header: &mut KeepassHeader) {
    let mut place = 2usize;
    for _ in 0..FIELDS {
        let Some((name, value, next)) = parameter(content, place) else { return };
        match name {
            b"$UUID" => {
                header.kdf = match value.get(..4) {
                    Some([0xc9, 0xd9, 0xf3, 0x9a]) => Some("AES-KDF"),
                    Some([0xef, 0x63, 0x6d, 0xdf]) => Some("Argon2d"),
                    Some([0x9e, 0x29, 0x8b, 0x19]) => Some("Argon2id"),
                    _ => None,
                };
            }
            b"R" | b"I" => header.rounds = number::u64_le(value, 0),
            b"M" => header.memory_bytes = number::u64_le(value, 0),
            _ => {}
        }
        place = next;
    }
}

fn parameter(content: &[u8], place: usize) -> Option<(&[u8], &[u8], usize)> {
    if *content.get(place)? == 0 {
        return None;
    }
    let part = |place: usize| {
        let length = number::index(number::u32_le(content, place)?);
        let start = place.checked_add(4)?;
        Some((number::slice(content, start, length)?, start.checked_add(length)?))
    };
    let (name, place) = part(place.checked_add(1)?)?;
    let (value, next) = part(place)?;
    Some((name, value, next))
}

fn kdb(head: &[u8]) -> Option<KeepassHeader> {
    let flags = number::u32_le(head, 8)?;
    let cipher = if flags & 2 != 0 {
        Some("AES-256")
    } else if flags & 8 != 0 {
        Some("Twofish")
    } else {
        None
    };
    Some(KeepassHeader {
        version: "KDB".into(),
        kdf: Some("AES-KDF"),
        rounds: number::u32_le(head, 120).map(u64::from),
        memory_bytes: None,
        cipher,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kdbx4() -> Vec<u8> {
        let mut kdf = vec![0, 1];
        let mut add = |kind: u8, name: &[u8], value: &[u8]| {
            kdf.push(kind);
            kdf.extend((name.len() as u32).to_le_bytes());
            kdf.extend(name);
            kdf.extend((value.len() as u32).to_le_bytes());
            kdf.extend(value);
        };
        add(0x42, b"$UUID", &[0x9e, 0x29, 0x8b, 0x19, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        add(5, b"I", &10u64.to_le_bytes());
        add(5, b"M", &(64u64 << 20).to_le_bytes());
        kdf.push(0);
        let mut bytes = vec![0x03, 0xd9, 0xa2, 0x9a, 0x67, 0xfb, 0x4b, 0xb5, 0, 0, 4, 0];
        for (kind, content) in
            [(2u8, vec![0xd6, 0x03, 0x8a, 0x2b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), (11, kdf)]
        {
            bytes.push(kind);
            bytes.extend((content.len() as u32).to_le_bytes());
            bytes.extend(content);
        }
        bytes.extend([0, 4, 0, 0, 0, 13, 10, 13, 10]);
        bytes
    }

    /// Built by the specification: the tool that writes them makes random ones only.
    #[test]
    fn headers_of_every_version_say_how_they_are_closed() {
        let header = keepass_header(&kdbx4()).unwrap();
        assert_eq!(
            (
                header.version.as_str(),
                header.kdf,
                header.rounds,
                header.memory_bytes,
                header.cipher
            ),
            ("KDBX 4.0", Some("Argon2id"), Some(10), Some(64 << 20), Some("ChaCha20"))
        );
        let mut old = vec![0x03, 0xd9, 0xa2, 0x9a, 0x67, 0xfb, 0x4b, 0xb5, 1, 0, 3, 0];
        old.extend([2, 16, 0, 0x31, 0xc1, 0xf2, 0xe6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        old.extend([6, 8, 0, 0x60, 0xea, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let header = keepass_header(&old).unwrap();
        assert_eq!((header.version.as_str(), header.rounds), ("KDBX 3.1", Some(60_000)));
        assert_eq!((header.kdf, header.cipher), (Some("AES-KDF"), Some("AES-256")));
        let mut kdb = vec![0x03, 0xd9, 0xa2, 0x9a, 0x65, 0xfb, 0x4b, 0xb5, 3, 0, 0, 0];
        kdb.resize(120, 0);
        kdb.extend(6000u32.to_le_bytes());
        assert_eq!(keepass_header(&kdb).unwrap().rounds, Some(6000));
    }

    #[test]
    fn damaged_headers_are_errors_and_no_more() {
        for sample in [kdbx4(), vec![0x03, 0xd9, 0xa2, 0x9a, 0x67]] {
            lidless_kit::cut_and_flip(&sample, |bytes| {
                let _ = keepass_header(bytes);
            });
        }
    }
}
