#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| lidless_fuzz::look("x.h5", b"\x89HDF\r\n\x1a\n", data));
