#![no_main]
#[path = "shared/look.rs"]
mod look;

libfuzzer_sys::fuzz_target!(|data: &[u8]| look::look("x.rds", b"X\n\0\0\0\x02", data));
