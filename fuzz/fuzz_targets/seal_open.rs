#![no_main]
use lidless_seal::{Manifest, SigningKey, VerifyingKey};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = Manifest::from_payload(data);
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = (SigningKey::parse(text).is_ok(), VerifyingKey::parse(text).is_ok());
});
