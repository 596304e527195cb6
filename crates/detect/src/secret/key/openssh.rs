//! Keys of OpenSSH (PROTOCOL.key in its sources).
//!
//! `openssh-key-v1\0`, then cipher, kdf, kdf options, number of keys, a public key each, and the
//! private part: two equal check numbers, per key its fields and a comment.

use super::found::{Key, Lock};
use super::public::{Public, Wire};

const MAGIC: &[u8] = b"openssh-key-v1\0";

/// Reads the decoded content of `BEGIN OPENSSH PRIVATE KEY`.
pub(super) fn read(bytes: &[u8]) -> Option<Key> {
    let mut wire = Wire(bytes.strip_prefix(MAGIC)?);
    let (cipher, kdf) = (wire.text()?, wire.text()?);
    let mut options = Wire(wire.string()?);
    wire.number()?;
    let blob = wire.string()?;
    let private = wire.string()?;
    let public = Public::of_ssh(blob)?;
    let on_token = matches!(&public, Public::Other { name, .. } if name.starts_with("sk-"));
    let lock = if on_token {
        Lock::Elsewhere("on a security key")
    } else if cipher == "none" {
        Lock::Open
    } else {
        let rounds = options.string().and_then(|_| options.number());
        let rounds = rounds.map(|rounds| format!(" with {rounds} rounds")).unwrap_or_default();
        let plain = |word: &str| -> String {
            word.chars().filter(|c| c.is_ascii_graphic()).take(40).collect()
        };
        Lock::Encrypted(Some(format!("{}, {}{rounds}", plain(cipher), plain(kdf))))
    };
    let key = Key::new("OpenSSH", lock, blob).with_public(Some(public));
    match (cipher, comment(private)) {
        ("none", Some(comment)) => Some(key.named(comment)),
        _ => Some(key),
    }
}

/// The comment behind the fields of an unencrypted key.
fn comment(private: &[u8]) -> Option<&str> {
    let mut wire = Wire(private);
    if wire.number()? != wire.number()? {
        return None;
    }
    // How many fields follow the name of the kind.
    let fields = match wire.text()? {
        "ssh-rsa" => 6,
        "ssh-dss" => 5,
        "ssh-ed25519" => 2,
        name if name.starts_with("ecdsa-") => 3,
        _ => return None,
    };
    for _ in 0..fields {
        wire.string()?;
    }
    wire.text()
}
