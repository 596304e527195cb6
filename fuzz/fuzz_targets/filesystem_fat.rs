#![no_main]
//! A boot sector that holds.
use lidless_fuzz::{peel_image, with};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let fields: &[(usize, &[u8])] =
        &[(0, b"\xeb\x3c\x90"), (11, &512u16.to_le_bytes()), (510, b"\x55\xaa")];
    peel_image("x.img", with(data, fields));
});
