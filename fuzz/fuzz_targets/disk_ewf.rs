#![no_main]
#[path = "shared/peel.rs"]
mod peel;

libfuzzer_sys::fuzz_target!(|data: &[u8]| peel::peel("disk.E01", data));
