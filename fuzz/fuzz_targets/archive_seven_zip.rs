#![no_main]
#[path = "shared/archive.rs"]
mod archive;

libfuzzer_sys::fuzz_target!(|data: &[u8]| archive::open("/x.7z", b"7z\xbc\xaf\x27\x1c", data));
