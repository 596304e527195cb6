#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| lidless_fuzz::peel(
    "x.eml",
    b"From: a@example.com\nTo: b@example.com\nContent-Type: ",
    data
));
