#![no_main]
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

// The bytes as they are, and once and twice in base64.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let once = STANDARD.encode(data);
    lidless_fuzz::look_at_text("a.txt", [data, b"\n", once.as_bytes()].concat());
    lidless_fuzz::look_at_text("a.txt", STANDARD.encode(&once).into_bytes());
});
