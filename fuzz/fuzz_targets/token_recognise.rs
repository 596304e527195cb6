#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Some(text) = lidless_core::Text::decode(data) {
        for sighting in lidless_token::recognise(text.as_str()) {
            assert!(text.as_str().get(sighting.span.clone()).is_some());
            let now = lidless_core::Timestamp::UNIX_EPOCH;
            let _ = sighting.credential.grant(now, &lidless_token::KeyRing::default());
        }
    }
});
