#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| lidless_fuzz::peel("x.7z", b"7z\xbc\xaf\x27\x1c", data));
