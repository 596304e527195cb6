#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| lidless_fuzz::look("saved_model.pb", b"", data));
