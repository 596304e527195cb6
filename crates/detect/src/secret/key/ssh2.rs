//! Keys of ssh.com: a magic number, the kind, the cipher, and numbers with their bits in front.

use super::found::{Key, Lock};
use super::public::{Public, Wire};
use lidless_io::number;

/// Reads the decoded content of `BEGIN SSH2 ENCRYPTED PRIVATE KEY`, which unencrypted ones have too.
pub(super) fn read(bytes: &[u8]) -> Option<Key> {
    let mut wire = Wire(bytes.strip_prefix(&[0x3f, 0x6f, 0xf9, 0xeb])?);
    wire.number()?;
    let kind = wire.text()?;
    let cipher = wire.text()?;
    let content = wire.string()?;
    let mut key = if cipher == "none" {
        // The length again, then the numbers.
        let mut inner = Wire(Wire(content).string()?);
        let public = match kind {
            kind if kind.contains("rsa") => rsa(&mut inner),
            kind if kind.contains("dl-modp") => dsa(&mut inner),
            _ => None,
        };
        Key::new("ssh.com", Lock::Open, content).with_public(public)
    } else {
        let how = cipher.chars().filter(|c| c.is_ascii_graphic()).take(40).collect();
        Key::new("ssh.com", Lock::Encrypted(Some(how)), content)
    };
    let kind = if kind.contains("rsa") { "RSA" } else { "DSA" };
    key.algorithm.get_or_insert_with(|| kind.to_owned());
    Some(key)
}

/// A number: its bits, then as many bytes as they need.
fn mp<'a>(wire: &mut Wire<'a>) -> Option<&'a [u8]> {
    let bits = number::index(wire.number()?);
    let (digits, rest) = wire.0.split_at_checked(bits.div_ceil(8))?;
    wire.0 = rest;
    Some(digits)
}

fn rsa(wire: &mut Wire<'_>) -> Option<Public> {
    let (e, _d, n) = (mp(wire)?, mp(wire)?, mp(wire)?);
    Public::rsa(n, e)
}

fn dsa(wire: &mut Wire<'_>) -> Option<Public> {
    if wire.number()? != 0 {
        return None;
    }
    let (p, g, q, y) = (mp(wire)?, mp(wire)?, mp(wire)?, mp(wire)?);
    Public::dsa(p, q, g, y)
}
