#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| lidless_fuzz::peel("x.Z", b"\x1f\x9d\x90", data));
