#![no_main]
use lidless_token::{Credential, KeyRing, Wish, replacements};

// The same bytes as a URL and, behind a zero byte, as the secret that is to have signed it.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (url, secret) = text.split_once('\0').unwrap_or((text, "secret"));
    let Some(credential) = lidless_token::read(url) else { return };
    if let Credential::Presigned(presigned) = &credential {
        let _ = presigned.method_signed_with(secret);
    }
    let now = lidless_core::Timestamp::UNIX_EPOCH;
    let wish = Wish {
        container: None,
        object: None,
        permissions: "r".into(),
        seconds: 3600,
        ip: None,
        now,
    };
    let _ = replacements(&credential, &wish, &KeyRing::default());
    let _ = credential.explain(now, &KeyRing::default());
});
