#![no_main]
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

// The first byte chooses the armour; without one the bytes are a file.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else { return };
    let armoured = |label: &str, bytes: &[u8]| {
        let body = STANDARD.encode(bytes);
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n").into_bytes()
    };
    let bytes = match kind % 6 {
        0 => armoured("PRIVATE KEY", rest),
        1 => armoured("OPENSSH PRIVATE KEY", &[b"openssh-key-v1\0", rest].concat()),
        2 => armoured("PGP PRIVATE KEY BLOCK", rest),
        3 => [&[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2], rest].concat(),
        4 => [b"PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\n", rest].concat(),
        _ => rest.to_vec(),
    };
    lidless_fuzz::look_at_text("key.p12", bytes);
});
