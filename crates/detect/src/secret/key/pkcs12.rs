//! PKCS#12 (RFC 7292): what lies in it, and whether it has a password.

use super::der::{self, Der};
use super::found::{Key, Lock};
use super::pkcs;
use super::public::Public;
use hmac::{Hmac, KeyInit, Mac};
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha384, Sha512};

/// Rounds that are tried: OpenSSL writes 2,048, Windows 2,000, Java 10,000.
const ROUNDS: u32 = 100_000;
const KEYS: usize = 200;

const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
const ENCRYPTED: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x06];
const BAGS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01];
const FRIENDLY_NAME: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x14];
const LOCAL_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x15];

/// Whether the first bytes are those of one: version 3, then content that is `data`.
pub(super) fn is_store(head: &[u8]) -> bool {
    let outer = matches!(head, [0x30, 0x80..=0x84, ..]);
    let start = head.get(..40).unwrap_or(head);
    outer
        && memchr::memmem::find(start, &[2, 1, 3, 0x30]).is_some()
        && memchr::memmem::find(start, DATA).is_some()
}

/// Every key of a store; one of unknown kind when all of it is encrypted.
pub(super) fn read(bytes: &[u8]) -> Vec<Key> {
    store(bytes).unwrap_or_default()
}

fn store(bytes: &[u8]) -> Option<Vec<Key>> {
    let mut outer = Der::new(bytes).enter(der::SEQUENCE)?;
    if outer.small()? != 3 {
        return None;
    }
    let mut content = outer.enter(der::SEQUENCE)?;
    if content.take(der::OID)? != DATA {
        return None;
    }
    let safe = content.enter(der::CONTEXT_0)?.take(der::OCTETS)?;
    let word = outer.enter(der::SEQUENCE).and_then(|mac| default_password(mac, safe));
    let mut found = Found::default();
    let mut contents = Der::new(safe).enter(der::SEQUENCE)?;
    while let Some(mut part) = contents.enter(der::SEQUENCE) {
        let kind = part.take(der::OID)?;
        let mut inner = part.enter(der::CONTEXT_0)?;
        if kind == DATA {
            let bags = Der::new(inner.take(der::OCTETS)?).enter(der::SEQUENCE)?;
            found.bags(bags, 0);
        } else if kind == ENCRYPTED {
            // EncryptedData: version, then content type, cipher, content.
            let mut data = inner.enter(der::SEQUENCE)?;
            data.small()?;
            let mut info = data.enter(der::SEQUENCE)?;
            info.take(der::OID)?;
            found.closed = pkcs::cipher(info.enter(der::SEQUENCE)?).or(found.closed);
        }
    }
    let mut keys = found.keys();
    if keys.is_empty() {
        // Keys may lie in what is encrypted; certificates alone are no secret.
        let how = found.closed?;
        keys.push(Key::new("PKCS#12", Lock::Encrypted(Some(how)), safe));
    }
    for key in &mut keys {
        key.format = "PKCS#12";
        if let (Some(said), Lock::Encrypted(_)) = (word, &key.lock) {
            key.lock = Lock::Default(said.to_owned());
        }
    }
    Some(keys)
}

#[derive(Default)]
struct Found {
    keys: Vec<(Key, Option<Vec<u8>>)>,
    certificates: Vec<(Public, Option<Vec<u8>>)>,
    closed: Option<String>,
}

impl Found {
    fn bags(&mut self, mut bags: Der<'_>, depth: usize) {
        while let Some(bag) = bags.enter(der::SEQUENCE) {
            let _ = self.bag(bag, depth);
        }
    }

    fn bag(&mut self, mut bag: Der<'_>, depth: usize) -> Option<()> {
        let [kind] = bag.take(der::OID)?.strip_prefix(BAGS)? else { return None };
        let value = bag.take(der::CONTEXT_0)?;
        let (name, local) = attributes(bag.enter(der::SET));
        match kind {
            1 | 2 if self.keys.len() < KEYS => {
                let key = pkcs::read(value)?;
                self.keys.push((key.named(&name.unwrap_or_default()), local));
            }
            3 if self.certificates.len() < KEYS => {
                let mut inner = Der::new(value).enter(der::SEQUENCE)?;
                inner.take(der::OID)?;
                let bytes = inner.enter(der::CONTEXT_0)?.take(der::OCTETS)?;
                self.certificates.push((Public::of_certificate(bytes)?, local));
            }
            6 if depth < 4 => {
                self.bags(Der::new(value).enter(der::SEQUENCE)?, depth.saturating_add(1));
            }
            _ => {}
        }
        Some(())
    }

    /// The keys, each with the public half of the certificate that says it belongs to it.
    fn keys(&self) -> Vec<Key> {
        let belongs = |local: &Option<Vec<u8>>| {
            let same = |one: &&(Public, Option<Vec<u8>>)| local.is_some() && one.1 == *local;
            self.certificates.iter().find(same).map(|one| one.0.clone())
        };
        let with = |(key, local): &(Key, Option<Vec<u8>>)| match &key.public {
            Some(_) => key.clone(),
            None => key.clone().with_public(belongs(local)),
        };
        self.keys.iter().map(with).collect()
    }
}

/// The name and the mark that a key shares with its certificate.
fn attributes(set: Option<Der<'_>>) -> (Option<String>, Option<Vec<u8>>) {
    let (mut name, mut local) = (None, None);
    let Some(mut set) = set else { return (name, local) };
    while let Some(mut one) = set.enter(der::SEQUENCE) {
        let Some(kind) = one.take(der::OID) else { break };
        let Some((_, value, _)) = one.enter(der::SET).and_then(|mut values| values.any()) else {
            continue;
        };
        match kind {
            FRIENDLY_NAME => {
                let units = value
                    .chunks_exact(2)
                    .filter_map(|pair| Some(u16::from_be_bytes(pair.try_into().ok()?)));
                name = Some(String::from_utf16_lossy(&units.collect::<Vec<_>>()));
            }
            LOCAL_KEY => local = Some(value.to_vec()),
            _ => {}
        }
    }
    (name, local)
}

/// What is said when the MAC holds with an empty password, or the one every manual shows.
fn default_password(mut mac: Der<'_>, safe: &[u8]) -> Option<&'static str> {
    let mut info = mac.enter(der::SEQUENCE)?;
    let oid = info.enter(der::SEQUENCE)?.take(der::OID)?;
    let digest = info.take(der::OCTETS)?;
    let salt = mac.take(der::OCTETS)?;
    let rounds = mac.small().unwrap_or(1);
    if rounds > ROUNDS || rounds == 0 || salt.len() > 1024 {
        return None;
    }
    let holds = |password: &[u8]| -> Option<bool> {
        const SHA2: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
        if oid == [0x2b, 0x0e, 0x03, 0x02, 0x1a] {
            let key = derive::<Sha1>(64, password, salt, rounds);
            let mac = Hmac::<Sha1>::new_from_slice(&key).ok()?.chain_update(safe);
            return Some(mac.verify_slice(digest).is_ok());
        }
        Some(match oid.strip_prefix(SHA2)? {
            [1] => {
                let key = derive::<Sha256>(64, password, salt, rounds);
                let mac = Hmac::<Sha256>::new_from_slice(&key).ok()?.chain_update(safe);
                mac.verify_slice(digest).is_ok()
            }
            [2] => {
                let key = derive::<Sha384>(128, password, salt, rounds);
                let mac = Hmac::<Sha384>::new_from_slice(&key).ok()?.chain_update(safe);
                mac.verify_slice(digest).is_ok()
            }
            [3] => {
                let key = derive::<Sha512>(128, password, salt, rounds);
                let mac = Hmac::<Sha512>::new_from_slice(&key).ok()?.chain_update(safe);
                mac.verify_slice(digest).is_ok()
            }
            _ => return None,
        })
    };
    let default: Vec<u8> = "changeit\0".encode_utf16().flat_map(u16::to_be_bytes).collect();
    // Some write an empty password as nothing, some as its end.
    if holds(&[0, 0])? || holds(&[])? {
        Some("its password is empty")
    } else if holds(&default)? {
        Some("its password is the default, changeit")
    } else {
        None
    }
}

/// The key of the MAC (RFC 7292, B.2, with identifier 3): as long as the digest, in one step.
fn derive<D: Digest>(block: usize, password: &[u8], salt: &[u8], rounds: u32) -> Vec<u8> {
    let filled = |bytes: &[u8]| -> Vec<u8> {
        let blocks = bytes.len().div_ceil(block).saturating_mul(block);
        bytes.iter().copied().cycle().take(blocks).collect()
    };
    let mut hash = D::new();
    hash.update(vec![3; block]);
    hash.update(filled(salt));
    hash.update(filled(password));
    let mut key = hash.finalize();
    for _ in 1..rounds {
        key = D::digest(&key);
    }
    key.to_vec()
}
