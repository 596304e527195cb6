//! MD5, as manifests have it: against files cut or mixed up on their way, not against an enemy.

use md5::{Digest as _, Md5};
use std::fmt::Write as _;
use std::io::Read;

/// The MD5 of everything that can be read, in hexadecimal, lower case.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn md5(mut source: impl Read) -> std::io::Result<String> {
    let mut hasher = Md5::new();
    let mut buffer = vec![0u8; 1 << 16];
    loop {
        let count = source.read(&mut buffer)?;
        let Some(part) = buffer.get(..count).filter(|part| !part.is_empty()) else { break };
        hasher.update(part);
    }
    let mut text = String::new();
    for byte in hasher.finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_the_md5_of_rfc_1321() {
        assert_eq!(super::md5(&b"abc"[..]).unwrap(), "900150983cd24fb0d6963f7d28e17f72");
    }
}
