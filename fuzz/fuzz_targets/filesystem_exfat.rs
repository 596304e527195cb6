#![no_main]
//! A boot sector that holds.
use lidless_fuzz::{peel_image, with};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let fields: &[(usize, &[u8])] = &[
        (0, b"\xeb\x76\x90EXFAT   "),
        (11, &[0; 53]),
        (80, &24u32.to_le_bytes()),
        (104, &[0, 1]),
        (108, &[9, 0, 1]),
        (510, b"\x55\xaa"),
    ];
    peel_image("x.img", with(data, fields));
});
