//! Every reader with cut and changed keys.

use super::table::{read_bytes, read_text};

#[test]
fn damaged_keys_are_none_or_less_and_nothing_worse() {
    for file in [
        "rsa.pk1.der",
        "rsa.pk8.der",
        "other.pk8.der",
        "locked.scrypt.der",
        "locked.p12",
        "certs-open.p12",
        "open.p12",
        "default.jks",
        "locked.jceks",
        "alice.gpg",
        "bob.gpg",
        "carol.gpg",
    ] {
        let Some(path) = lidless_kit::fixture(&format!("keys/{file}")) else { return };
        let sample = std::fs::read(path).unwrap();
        assert!(!read_bytes(&sample).is_empty(), "{file}");
        // The password of a store is tried a few thousand times for each change: fewer of them.
        let sample = if file.ends_with("p12") { sample[..400].to_vec() } else { sample };
        lidless_kit::cut_and_flip(&sample, |bytes| {
            let _ = read_bytes(bytes);
        });
    }
    for (file, rule) in [
        ("ec.P-256.pem", "private_key"),
        ("ed.openssh", "private_key"),
        ("rsa.sshcom", "ssh2_key"),
        ("ed.ppk", "putty_key"),
        ("bob.asc", "private_key"),
    ] {
        let Some(path) = lidless_kit::fixture(&format!("keys/{file}")) else { return };
        let sample = std::fs::read(path).unwrap();
        let read = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            read_text(rule, &text, &text, &text, 0..text.len()).is_some()
        };
        assert!(read(&sample), "{file}");
        lidless_kit::cut_and_flip(&sample, |bytes| {
            let _ = read(bytes);
        });
    }
}
