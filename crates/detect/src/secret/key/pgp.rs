//! Secret keys of OpenPGP (RFC 4880, RFC 9580): packets of a keyring, armoured or not.

use super::found::{Key, Lock};
use super::public::{Curve, Public, hex};
use lidless_io::number;
use sha1::{Digest, Sha1};
use sha2::Sha256;

/// How many packets of a keyring are looked at, and how many keys are told.
const PACKETS: usize = 20_000;
const KEYS: usize = 200;

/// Whether a file may be a keyring: a secret-key packet of a known version comes first.
pub(super) fn is_keyring(head: &[u8]) -> bool {
    packet(head, true).is_some_and(|(tag, body, _)| {
        tag == 5
            && matches!(body.first(), Some(4 | 6))
            && matches!(body.get(5), Some(1..=3 | 16 | 17 | 19 | 22 | 25..=28))
    })
}

/// Every primary secret key with its subkeys.
pub(super) fn read(bytes: &[u8]) -> Vec<Key> {
    let mut rest = bytes;
    let mut keys: Vec<(Key, Vec<Lock>)> = Vec::new();
    for _ in 0..PACKETS {
        let Some((tag, body, after)) = packet(rest, false) else { break };
        rest = after;
        match tag {
            5 if keys.len() < KEYS => {
                if let Some(key) = secret(body) {
                    let lock = key.lock.clone();
                    keys.push((key, vec![lock]));
                }
            }
            7 => {
                if let (Some((key, locks)), Some(sub)) = (keys.last_mut(), secret(body)) {
                    key.subkeys = key.subkeys.saturating_add(1);
                    locks.push(sub.lock);
                }
            }
            13 => {
                if let Some((key, _)) = keys.last_mut().filter(|(key, _)| key.name.is_none()) {
                    *key = key.clone().named(&String::from_utf8_lossy(body));
                }
            }
            _ => {}
        }
    }
    keys.into_iter().map(|(key, locks)| Key { lock: together(&locks), ..key }).collect()
}

/// How a key and its subkeys are locked.
fn together(locks: &[Lock]) -> Lock {
    let open = locks.iter().filter(|lock| matches!(lock, Lock::Open)).count();
    let first = locks.first().cloned().unwrap_or(Lock::Unknown);
    if open == 0 {
        // A main key kept offline: the subkeys say how well the file is closed.
        let encrypted = locks.iter().find(|lock| matches!(lock, Lock::Encrypted(_)));
        encrypted.cloned().unwrap_or(first)
    } else if open == locks.len() {
        Lock::Open
    } else {
        Lock::Partly(format!("{open} of {} keys are not encrypted", locks.len()))
    }
}

/// The next packet: its tag, its content, and what follows. A head may end inside the first.
fn packet(bytes: &[u8], is_head: bool) -> Option<(u8, &[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    if first & 0x80 == 0 {
        return None;
    }
    let (tag, length, rest) = if first & 0x40 == 0 {
        let (length, size) = match first & 3 {
            0 => (usize::from(*rest.first()?), 1),
            1 => (usize::from(number::u16_be(rest, 0)?), 2),
            2 => (number::index(number::u32_be(rest, 0)?), 4),
            _ => return None,
        };
        ((first >> 2) & 0xf, length, rest.get(size..)?)
    } else {
        let digit = *rest.first()?;
        let (length, size) = match digit {
            0..=191 => (usize::from(digit), 1),
            192..=223 => {
                let high = usize::from(digit.checked_sub(192)?).checked_mul(256)?;
                (high.checked_add(usize::from(*rest.get(1)?))?.checked_add(192)?, 2)
            }
            255 => (number::index(number::u32_be(rest, 1)?), 5),
            // Parts: only content that is streamed has them.
            _ => return None,
        };
        (first & 0x3f, length, rest.get(size..)?)
    };
    if is_head && length > rest.len() {
        return Some((tag, rest, &[]));
    }
    let (body, after) = rest.split_at_checked(length)?;
    Some((tag, body, after))
}

/// A secret-key packet: version, time, algorithm, public numbers, how it is encrypted, the rest.
fn secret(body: &[u8]) -> Option<Key> {
    let version = *body.first()?;
    let algorithm = *body.get(5)?;
    let start = match version {
        4 => 6usize,
        // Four bytes say how long the public numbers are.
        6 => 10,
        _ => return None,
    };
    let mut rest = body.get(start..)?;
    let public = numbers(algorithm, &mut rest)?;
    let end = body.len().checked_sub(rest.len())?;
    let named = body.get(..end)?;
    let fingerprint = if version == 4 {
        let length = u16::try_from(named.len()).ok()?.to_be_bytes();
        hex(&Sha1::digest([&[0x99][..], &length, named].concat()))
    } else {
        let length = u32::try_from(named.len()).ok()?.to_be_bytes();
        hex(&Sha256::digest([&[0x9b][..], &length, named].concat()))
    };
    let lock = lock(rest)?;
    let mut key = Key::new("PGP", lock, named).with_public(public);
    key.algorithm.get_or_insert_with(|| format!("algorithm {algorithm}"));
    key.known_as = Some(fingerprint.to_uppercase());
    Some(key)
}

fn lock(rest: &[u8]) -> Option<Lock> {
    let usage = *rest.first()?;
    if usage == 0 {
        return Some(Lock::Open);
    }
    let (cipher, derived) = match usage {
        253..=255 => (*rest.get(1)?, *rest.get(if usage == 253 { 3 } else { 2 })?),
        _ => (usage, 0),
    };
    // GnuPG's own: 101, a hash, "GNU", 1 for a key that is elsewhere and 2 for one on a card.
    if derived == 101 {
        return Some(match rest.get(7) {
            Some(2) => Lock::Elsewhere("on a smartcard"),
            _ => Lock::Elsewhere("kept elsewhere"),
        });
    }
    let cipher = match cipher {
        1 => "IDEA",
        2 => "3DES",
        3 => "CAST5",
        4 => "Blowfish",
        7 => "AES-128",
        8 => "AES-192",
        9 => "AES-256",
        10 => "Twofish",
        11..=13 => "Camellia",
        _ => "another cipher",
    };
    let derived = match derived {
        0 => "simple S2K",
        1 => "salted S2K",
        3 => "iterated S2K",
        4 => "Argon2",
        _ => "another S2K",
    };
    Some(Lock::Encrypted(Some(format!("{cipher}, {derived}"))))
}

/// A number: its bits (2), its bytes.
fn mpi<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let bits = usize::from(number::u16_be(rest, 0)?);
    let (digits, after) = rest.get(2..)?.split_at_checked(bits.div_ceil(8))?;
    *rest = after;
    Some(digits)
}

fn sized<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first()?;
    let (content, after) = after.split_at_checked(usize::from(*length))?;
    *rest = after;
    Some(content)
}

fn fixed<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (content, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(content)
}

/// The public numbers of each algorithm; none inside for what there is no name for.
fn numbers(algorithm: u8, rest: &mut &[u8]) -> Option<Option<Public>> {
    let other = |name: &str, bytes: &[u8]| Public::Other { name: name.into(), bytes: bytes.into() };
    Some(match algorithm {
        1..=3 => {
            let n = mpi(rest)?;
            Public::rsa(n, mpi(rest)?)
        }
        16 => {
            let p = mpi(rest)?;
            mpi(rest)?;
            let y = mpi(rest)?;
            Some(other(&format!("ElGamal {}", p.len().saturating_mul(8)), y))
        }
        17 => Public::dsa(mpi(rest)?, mpi(rest)?, mpi(rest)?, mpi(rest)?),
        18 | 19 | 22 => {
            let oid = sized(rest)?;
            let point = mpi(rest)?;
            if algorithm == 18 {
                sized(rest)?;
            }
            let short = point.strip_prefix(&[0x40]).and_then(|point| point.try_into().ok());
            match oid {
                [0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01] => {
                    short.map(Public::Ed25519)
                }
                [0x2b, 0x06, 0x01, 0x04, 0x01, 0x97, 0x55, 0x01, 0x05, 0x01] => {
                    short.map(Public::X25519)
                }
                _ => Curve::of_oid(oid).and_then(|curve| Public::ec(curve, point)),
            }
        }
        25 => Some(Public::X25519(fixed(rest, 32)?.try_into().ok()?)),
        26 => Some(other("X448", fixed(rest, 56)?)),
        27 => Some(Public::Ed25519(fixed(rest, 32)?.try_into().ok()?)),
        28 => Some(other("Ed448", fixed(rest, 57)?)),
        _ => return None,
    })
}
