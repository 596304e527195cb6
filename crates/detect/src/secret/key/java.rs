//! Key stores of Java: JKS and JCEKS (`sun.security.provider.JavaKeyStore` names no specification;
//! the layout is what keytool writes) and BKS of Bouncy Castle.
//!
//! | JKS | | BKS | |
//! | --- | --- | --- | --- |
//! | 4 | `feedfeed`, JCEKS `cececece` | 4 | version 1 or 2 |
//! | 4 | version 1 or 2 | 4, n | salt |
//! | 4 | entries | 4 | rounds |
//! | | tag (4): 1 key, 2 certificate, 3 secret key | | tag (1): 1 certificate, 2 key, 3 secret, 4 sealed, 0 ends |
//! | | alias, time (8), key, chain | | alias, time (8), chain, content |
//! | 20 | SHA-1 of the password and all before | 20 | MAC |

use super::found::{Key, Lock};
use super::pkcs;
use super::public::Public;
use lidless_io::number;
use sha1::{Digest, Sha1};

const ENTRIES: u32 = 10_000;
const KEYS: usize = 200;

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (content, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(content)
    }

    fn number(&mut self) -> Option<u32> {
        number::u32_be(self.bytes(4)?, 0)
    }

    fn sized(&mut self) -> Option<&'a [u8]> {
        let length = number::index(self.number()?);
        self.bytes(length)
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::from(number::u16_be(self.bytes(2)?, 0)?);
        Some(String::from_utf8_lossy(self.bytes(length)?).into_owned())
    }

    fn certificate(&mut self, has_type: bool) -> Option<&'a [u8]> {
        if has_type {
            self.text()?;
        }
        self.sized()
    }
}

/// Whether a file may be one of BKS: a version, a salt of twenty bytes, some rounds.
pub(super) fn is_bks(head: &[u8]) -> bool {
    matches!(number::u32_be(head, 0), Some(1 | 2))
        && number::u32_be(head, 4) == Some(20)
        && number::u32_be(head, 28).is_some_and(|rounds| (1..1 << 24).contains(&rounds))
        && matches!(head.get(32), Some(0..=4))
}

/// Every key of a store of Java itself.
pub(super) fn jks(bytes: &[u8]) -> Vec<Key> {
    let mut keys = Vec::new();
    let _ = jks_into(bytes, &mut keys);
    keys
}

fn jks_into(bytes: &[u8], keys: &mut Vec<Key>) -> Option<()> {
    let mut reader = Reader(bytes);
    let format = match reader.number()? {
        0xfeed_feed => "JKS",
        0xcece_cece => "JCEKS",
        _ => return None,
    };
    let version = reader.number()?;
    let password = default_password(bytes);
    for _ in 0..reader.number()?.min(ENTRIES) {
        let tag = reader.number()?;
        let alias = reader.text()?;
        reader.bytes(8)?;
        match tag {
            1 => {
                let content = reader.sized()?;
                let mut public = None;
                for place in 0..reader.number()? {
                    let certificate = reader.certificate(version > 1)?;
                    if place == 0 {
                        public = Public::of_certificate(certificate);
                    }
                }
                let lock = match password {
                    // The store's password; the key has its own, nearly always the same.
                    Some(word) => Lock::Default(format!("the store's password is {word}")),
                    None => Lock::Encrypted(Some(format!("{format} protection"))),
                };
                if keys.len() < KEYS {
                    keys.push(Key::new(format, lock, content).with_public(public).named(&alias));
                }
            }
            2 => {
                reader.certificate(version > 1)?;
            }
            // A secret key is a serialised object of unknown length: nothing behind it can be read.
            3 => {
                let how = Some("JCEKS protection".to_owned());
                let mut key = Key::new(format, Lock::Encrypted(how), reader.0).named(&alias);
                key.algorithm = Some("secret key".to_owned());
                keys.push(key);
                return Some(());
            }
            _ => return None,
        }
    }
    Some(())
}

/// Whether the store is closed with the password that every manual shows, or with none.
fn default_password(bytes: &[u8]) -> Option<&'static str> {
    let (content, digest) = bytes.split_at_checked(bytes.len().checked_sub(20)?)?;
    [("changeit", "the default, changeit"), ("", "empty")].into_iter().find_map(|(word, said)| {
        let wide: Vec<u8> = word.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let mut hash = Sha1::new();
        hash.update(wide);
        hash.update(b"Mighty Aphrodite");
        hash.update(content);
        (hash.finalize()[..] == *digest).then_some(said)
    })
}

/// Every key of a store of Bouncy Castle.
pub(super) fn bks(bytes: &[u8]) -> Vec<Key> {
    let mut keys = Vec::new();
    let _ = bks_into(bytes, &mut keys);
    keys
}

fn bks_into(bytes: &[u8], keys: &mut Vec<Key>) -> Option<()> {
    let mut reader = Reader(bytes);
    reader.number()?;
    reader.sized()?;
    reader.number()?;
    for _ in 0..ENTRIES {
        let tag = *reader.bytes(1)?.first()?;
        if tag == 0 || keys.len() >= KEYS {
            return Some(());
        }
        let alias = reader.text()?;
        reader.bytes(8)?;
        let mut public = None;
        for place in 0..reader.number()? {
            let certificate = reader.certificate(true)?;
            if place == 0 {
                public = Public::of_certificate(certificate);
            }
        }
        let key = match tag {
            1 => {
                reader.certificate(true)?;
                continue;
            }
            2 => {
                let kind = *reader.bytes(1)?.first()?;
                reader.text()?;
                reader.text()?;
                let content = reader.sized()?;
                // 0 is a private key, 1 a public one, 2 a secret one.
                let inner = (kind == 0).then(|| pkcs::read(content)).flatten();
                inner.unwrap_or_else(|| Key::new("BKS", Lock::Open, content))
            }
            3 | 4 => {
                let content = reader.sized()?;
                let how = "BKS protection".to_owned();
                Key::new("BKS", Lock::Encrypted(Some(how)), content).with_public(public)
            }
            _ => return None,
        };
        keys.push(Key { format: "BKS", ..key }.named(&alias));
    }
    Some(())
}
