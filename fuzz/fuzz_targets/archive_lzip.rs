#![no_main]
#[path = "shared/archive.rs"]
mod archive;

libfuzzer_sys::fuzz_target!(|data: &[u8]| archive::open("/x.lz", b"LZIP\x01\x0c", data));
