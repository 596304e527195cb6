//! Keys in DER: PKCS#1 (RFC 8017, A.1.2), PKCS#8 (RFC 5958), SEC 1 (RFC 5915), DSA as OpenSSL
//! writes it.

use super::der::{self, Der};
use super::found::{Key, Lock};
use super::public::{Algorithm, Curve, Public};

/// Reads a private key, whole.
pub(super) fn read(bytes: &[u8]) -> Option<Key> {
    let mut outer = Der::new(bytes);
    let (tag, _, whole) = outer.any()?;
    if tag != der::SEQUENCE {
        return None;
    }
    // Anything may follow in a file of several; the digest is of the key alone.
    plain(whole).or_else(|| encrypted(whole)).or_else(|| pkcs1(whole)).or_else(|| sec1(whole, None))
}

/// `PrivateKeyInfo`: version 0 or 1, algorithm, key, attributes, from version 1 on the public key.
fn plain(whole: &[u8]) -> Option<Key> {
    let mut info = Der::new(whole).enter(der::SEQUENCE)?;
    if info.small()? > 1 {
        return None;
    }
    let algorithm = Algorithm::read(info.enter(der::SEQUENCE)?)?;
    let inner = info.take(der::OCTETS)?;
    let _ = info.take(der::CONTEXT_0);
    let behind = info.take(der::BARE_1).and_then(|bits| Some(bits.split_first()?.1));
    let raw = || Der::new(inner).take(der::OCTETS);
    let public = match algorithm {
        Algorithm::Rsa => rsa(inner),
        Algorithm::Ec(curve) => sec1(inner, curve)?.public,
        Algorithm::Ed25519 => Public::of_ed25519(raw()?),
        Algorithm::X25519 => Public::of_x25519(raw()?),
        Algorithm::Named(name) => {
            behind.map(|bytes| Public::Other { name: name.to_owned(), bytes: bytes.to_vec() })
        }
        // PKCS#8 keeps only x of a DSA key: its public half would be g to the x.
        Algorithm::Dsa(..) | Algorithm::Unknown => None,
    };
    let mut key = Key::new("PKCS#8", Lock::Open, inner).with_public(public);
    key.algorithm.get_or_insert_with(|| algorithm.name().to_owned());
    Some(key)
}

/// `EncryptedPrivateKeyInfo`: algorithm, encrypted key.
fn encrypted(whole: &[u8]) -> Option<Key> {
    let mut info = Der::new(whole).enter(der::SEQUENCE)?;
    let how = cipher(info.enter(der::SEQUENCE)?)?;
    let content = info.take(der::OCTETS)?;
    (info.is_empty() && content.len() >= 32)
        .then(|| Key::new("encrypted PKCS#8", Lock::Encrypted(Some(how)), content))
}

/// What an `AlgorithmIdentifier` of PKCS#5 or PKCS#12 encrypts with; none when it is neither.
pub(super) fn cipher(mut algorithm: Der<'_>) -> Option<String> {
    const PKCS5: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05];
    const PKCS12: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01];
    let oid = algorithm.take(der::OID)?;
    if let Some(kind) = oid.strip_prefix(PKCS12) {
        let name = match kind {
            [1] => "RC4-128, PKCS#12",
            [2] => "RC4-40, PKCS#12",
            [3] => "3DES, PKCS#12",
            [4] => "2DES, PKCS#12",
            [5] => "RC2-128, PKCS#12",
            [6] => "RC2-40, PKCS#12",
            _ => "PKCS#12",
        };
        return Some(name.to_owned());
    }
    match oid.strip_prefix(PKCS5)? {
        [13] => {
            let mut scheme = algorithm.enter(der::SEQUENCE)?;
            let kdf = derivation(scheme.enter(der::SEQUENCE)?);
            let oid = scheme.enter(der::SEQUENCE).and_then(|mut cipher| cipher.take(der::OID));
            Some([block_cipher(oid.unwrap_or(&[])), kdf].join(", "))
        }
        [1 | 3 | 4 | 6 | 10 | 11] => Some("DES or RC2, PBES1".to_owned()),
        _ => None,
    }
}

fn block_cipher(oid: &[u8]) -> String {
    const AES: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01];
    let name = match oid.strip_prefix(AES) {
        Some([2]) => "AES-128-CBC",
        Some([22]) => "AES-192-CBC",
        Some([42]) => "AES-256-CBC",
        Some([6]) => "AES-128-GCM",
        Some([46]) => "AES-256-GCM",
        _ if oid == [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x03, 0x07] => "3DES-CBC",
        _ if oid == [0x2b, 0x0e, 0x03, 0x02, 0x07] => "DES-CBC",
        _ => "another cipher",
    };
    name.to_owned()
}

fn derivation(mut algorithm: Der<'_>) -> String {
    const PBKDF2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c];
    const SCRYPT: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x04, 0x0b];
    let oid = algorithm.take(der::OID).unwrap_or(&[]);
    let values = algorithm.enter(der::SEQUENCE).and_then(|mut values| {
        values.take(der::OCTETS)?;
        values.small()
    });
    match (oid, values) {
        (PBKDF2, Some(rounds)) => format!("PBKDF2 with {rounds} rounds"),
        (PBKDF2, None) => "PBKDF2".to_owned(),
        (SCRYPT, Some(cost)) => format!("scrypt with cost {cost}"),
        (SCRYPT, None) => "scrypt".to_owned(),
        _ => "another derivation".to_owned(),
    }
}

/// `RSAPrivateKey`: version, n, e, d, p, q, …
fn rsa(bytes: &[u8]) -> Option<Public> {
    let mut numbers = Der::new(bytes).enter(der::SEQUENCE)?;
    if numbers.small()? > 1 {
        return None;
    }
    let (n, e) = (numbers.number()?, numbers.number()?);
    // d, p and q: without them it is a public key with a number in front.
    numbers.number()?;
    numbers.number()?;
    numbers.number()?;
    Public::rsa(n, e)
}

fn pkcs1(whole: &[u8]) -> Option<Key> {
    if let Some(public) = rsa(whole) {
        return Some(Key::new("PKCS#1", Lock::Open, whole).with_public(Some(public)));
    }
    // DSA: version, p, q, g, y, x and no more.
    let mut numbers = Der::new(whole).enter(der::SEQUENCE)?;
    if numbers.small()? != 0 {
        return None;
    }
    let (p, q, g, y) = (numbers.number()?, numbers.number()?, numbers.number()?, numbers.number()?);
    numbers.number()?;
    let public = Public::dsa(p, q, g, y).filter(|_| numbers.is_empty())?;
    Some(Key::new("DSA", Lock::Open, whole).with_public(Some(public)))
}

/// `ECPrivateKey`: version 1, private key, `[0]` curve, `[1]` public key.
fn sec1(bytes: &[u8], known: Option<Curve>) -> Option<Key> {
    let mut info = Der::new(bytes).enter(der::SEQUENCE)?;
    if info.small()? != 1 {
        return None;
    }
    let scalar = info.take(der::OCTETS)?;
    let curve = info.enter(der::CONTEXT_0).and_then(|mut curve| curve.take(der::OID));
    let curve = known.or_else(|| Curve::of_oid(curve?));
    let point = info
        .enter(der::CONTEXT_1)
        .and_then(|mut bits| bits.take(der::BITS))
        .and_then(|bits| Some(bits.split_first()?.1));
    if !(16..=72).contains(&scalar.len()) {
        return None;
    }
    let public = curve.zip(point).and_then(|(curve, point)| Public::ec(curve, point));
    let mut key = Key::new("SEC 1", Lock::Open, der::bare(scalar)).with_public(public);
    key.algorithm.get_or_insert_with(|| Algorithm::Ec(curve).name().to_owned());
    Some(key)
}

/// Whether the first bytes are those of a private key: what follows the length of the sequence.
pub(super) fn may_be(head: &[u8]) -> bool {
    let header = match head.get(1) {
        Some(0..=0x7f) => 2usize,
        Some(0x81) => 3,
        Some(0x82) => 4,
        _ => return false,
    };
    match head.get(header..) {
        // Version 0 or 1, then an algorithm, a number or a key.
        Some([2, 1, 0 | 1, 0x30 | 2 | 4, ..]) => true,
        // An algorithm of PKCS#5 or PKCS#12.
        Some([0x30, _, 6, 9 | 10, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5 | 12, ..]) => true,
        _ => false,
    }
}
