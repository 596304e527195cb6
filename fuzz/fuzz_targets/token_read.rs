#![no_main]
use lidless_token::KeyRing;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = KeyRing::parse(text);
    let Some(credential) = lidless_token::read(text) else { return };
    let grant = credential.grant(lidless_core::Timestamp::UNIX_EPOCH, &KeyRing::default());
    let shown = format!("{credential:?} {grant:?} {}", credential.redacted_url());
    if let Some(secret) = credential.secret() {
        assert!(secret.length() < 20 || !shown.contains(secret.expose()));
    }
    let _ = (credential.id(), credential.access());
});
