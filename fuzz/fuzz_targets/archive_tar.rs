#![no_main]
#[path = "shared/archive.rs"]
mod archive;

libfuzzer_sys::fuzz_target!(|data: &[u8]| archive::open("/x.tar", b"", data));
