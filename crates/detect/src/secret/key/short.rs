//! Keys of one line: age, WireGuard, minisign, signify.

use super::found::{Key, Lock};
use super::public::Public;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use lidless_io::number;

const BECH32: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// `AGE-SECRET-KEY-1…`: an X25519 key in Bech32 (age-encryption.org/v1).
pub(super) fn age(text: &str) -> Option<Key> {
    let data = text.strip_prefix("AGE-SECRET-KEY-1")?;
    let mut values = Vec::new();
    for letter in data.bytes() {
        let letter = letter.to_ascii_lowercase();
        let value = BECH32.iter().position(|one| *one == letter)?;
        values.push(u8::try_from(value).ok()?);
    }
    let checked = [&expanded("age-secret-key-")[..], &values].concat();
    if polymod(&checked) != 1 {
        return None;
    }
    let (body, _) = values.split_at_checked(values.len().checked_sub(6)?)?;
    let mut scalar = regroup(body, 5, 8);
    scalar.truncate(32);
    let public = Public::of_x25519(&scalar)?;
    let Public::X25519(point) = &public else { return None };
    let recipient = bech32("age", point);
    let mut key = Key::new("age", Lock::Open, text.as_bytes()).with_public(Some(public));
    key.known_as = Some(recipient);
    Some(key)
}

fn expanded(name: &str) -> Vec<u8> {
    let high = name.bytes().map(|letter| letter >> 5);
    high.chain([0]).chain(name.bytes().map(|letter| letter & 31)).collect()
}

fn polymod(values: &[u8]) -> u32 {
    const STEPS: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    values.iter().fold(1u32, |sum, value| {
        let top = sum >> 25;
        let next = (sum & 0x01ff_ffff) << 5 ^ u32::from(*value);
        STEPS.iter().enumerate().fold(
            next,
            |next, (bit, step)| {
                if top >> bit & 1 == 1 { next ^ step } else { next }
            },
        )
    })
}

/// Groups of bits as groups of another size; what is over at the end is filled with zeros.
fn regroup(values: &[u8], from: u32, to: u32) -> Vec<u8> {
    let (mut sum, mut held) = (0u32, 0u32);
    let mut out = Vec::new();
    for value in values {
        sum = (sum << from | u32::from(*value)) & 0xffff;
        held = held.saturating_add(from);
        while held >= to {
            held = held.saturating_sub(to);
            let mask = 1u32.checked_shl(to).unwrap_or(0).saturating_sub(1);
            out.push(u8::try_from(sum >> held & mask).unwrap_or(0));
        }
    }
    if held > 0 && to < from.saturating_add(to) && to == 5 {
        let mask = 31;
        out.push(u8::try_from(sum << to.saturating_sub(held) & mask).unwrap_or(0));
    }
    out
}

fn bech32(name: &str, bytes: &[u8]) -> String {
    let values = regroup(bytes, 8, 5);
    let whole = [&expanded(name)[..], &values, &[0; 6]].concat();
    let sum = polymod(&whole) ^ 1;
    let check = (0..6u32).map(|place| {
        let shift = 5u32.saturating_sub(place).saturating_mul(5);
        u8::try_from(sum >> shift & 31).unwrap_or(0)
    });
    let letters = values.iter().copied().chain(check);
    let letters = letters.filter_map(|value| BECH32.get(usize::from(value)));
    format!("{name}1{}", letters.map(|letter| char::from(*letter)).collect::<String>())
}

/// The key of a WireGuard interface; its public half is what peers name it by.
pub(super) fn wireguard(text: &str) -> Option<Key> {
    let scalar = STANDARD.decode(text).ok()?;
    let public = Public::of_x25519(&scalar)?;
    let Public::X25519(point) = &public else { return None };
    let known_as = STANDARD.encode(point);
    let mut key = Key::new("WireGuard", Lock::Open, text.as_bytes()).with_public(Some(public));
    key.known_as = Some(known_as);
    Some(key)
}

/// minisign: algorithm (2), kdf (2), checksum (2), salt (32), limits (16), key number (8),
/// secret key (64), checksum (32); all from the key number on is encrypted.
pub(super) fn minisign(text: &str) -> Option<Key> {
    let bytes = STANDARD_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
    if !bytes.starts_with(b"Ed") || number::slice(&bytes, 4, 2)? != b"B2" || bytes.len() < 126 {
        return None;
    }
    if number::slice(&bytes, 2, 2)? == [0, 0] {
        let public = Public::Ed25519(number::array(&bytes, 94)?);
        return Some(Key::new("minisign", Lock::Open, &bytes).with_public(Some(public)));
    }
    let mut key = Key::new("minisign", Lock::Encrypted(Some("scrypt".into())), &bytes);
    key.algorithm = Some("Ed25519".into());
    Some(key)
}

/// signify: algorithm (2), kdf (2), rounds (4), salt (16), checksum (8), key number (8), secret key
/// (64); the secret key alone is encrypted.
pub(super) fn signify(text: &str) -> Option<Key> {
    let bytes = STANDARD_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
    if !bytes.starts_with(b"EdBK") || bytes.len() != 104 {
        return None;
    }
    let rounds = number::u32_be(&bytes, 4)?;
    let number = super::public::hex(number::slice(&bytes, 32, 8)?);
    let key = if rounds == 0 {
        let public = Public::Ed25519(number::array(&bytes, 72)?);
        Key::new("signify", Lock::Open, &bytes).with_public(Some(public))
    } else {
        let how = format!("bcrypt PBKDF with {rounds} rounds");
        let mut key = Key::new("signify", Lock::Encrypted(Some(how)), &bytes);
        key.algorithm = Some("Ed25519".into());
        key
    };
    Some(key.named(&format!("key number {number}")))
}
