//! Keys of PuTTY, versions 2 and 3 (PuTTY user manual, appendix C).

use super::found::{Key, Lock};
use super::public::Public;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// How many lines a part may have: 16384 bits of RSA take some forty.
const LINES: usize = 400;

/// Reads a key from `PuTTY-User-Key-File-` on.
pub(super) fn read(text: &str) -> Option<Key> {
    let mut lines = text.lines();
    lines.next()?.strip_prefix("PuTTY-User-Key-File-")?;
    let mut lock = Lock::Unknown;
    let mut name = "";
    let mut derived = String::new();
    let mut blob = None;
    while let Some((field, value)) = lines.next().and_then(|line| line.split_once(':')) {
        let value = value.trim();
        match field {
            "Encryption" if value == "none" => lock = Lock::Open,
            "Encryption" => {
                let cipher = value.chars().filter(|c| c.is_ascii_graphic()).take(40).collect();
                lock = Lock::Encrypted(Some(cipher));
            }
            "Comment" => name = value,
            "Key-Derivation" => {
                derived = value.chars().filter(|c| c.is_ascii_graphic()).take(20).collect();
            }
            "Public-Lines" => blob = Some(part(&mut lines, value)?),
            "Private-Lines" => {
                part(&mut lines, value)?;
            }
            _ => {}
        }
    }
    if let (Lock::Encrypted(Some(how)), false) = (&mut lock, derived.is_empty()) {
        how.push_str(", ");
        how.push_str(&derived);
    }
    let blob = blob?;
    Some(Key::new("PuTTY", lock, &blob).with_public(Public::of_ssh(&blob)).named(name))
}

fn part<'t>(lines: &mut impl Iterator<Item = &'t str>, count: &str) -> Option<Vec<u8>> {
    let count = count.parse::<usize>().ok().filter(|count| *count <= LINES)?;
    let whole: String = lines.take(count).map(str::trim).collect();
    STANDARD.decode(whole).ok()
}
