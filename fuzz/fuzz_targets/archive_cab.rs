#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| lidless_fuzz::peel("x.cab", b"MSCF\0\0\0\0", data));
