#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| lidless_fuzz::peel(
    "x.rpm",
    b"\xed\xab\xee\xdb\x03",
    data
));
