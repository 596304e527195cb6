#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| lidless_fuzz::look("x.rds", b"X\n\0\0\0\x02", data));
