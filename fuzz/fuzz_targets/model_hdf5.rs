#![no_main]
#[path = "shared/look.rs"]
mod look;

libfuzzer_sys::fuzz_target!(|data: &[u8]| look::look("x.h5", b"\x89HDF\r\n\x1a\n", data));
