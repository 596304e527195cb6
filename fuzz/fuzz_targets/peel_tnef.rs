#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| lidless_fuzz::peel("x.dat", b"\x78\x9f\x3e\x22", data));
