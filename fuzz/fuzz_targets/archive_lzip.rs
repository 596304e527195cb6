#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| lidless_fuzz::peel("x.lz", b"LZIP\x01\x0c", data));
