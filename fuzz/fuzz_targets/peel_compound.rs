#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| lidless_fuzz::peel(
    "x.doc",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    data
));
