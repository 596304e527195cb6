#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| lidless_fuzz::peel("x.wim", b"MSWIM\0\0\0", data));
