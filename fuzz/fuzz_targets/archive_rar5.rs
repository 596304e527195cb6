#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| lidless_fuzz::peel("x.rar", b"Rar!\x1a\x07\x01\0", data));
