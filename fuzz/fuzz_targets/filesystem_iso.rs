#![no_main]
//! A primary descriptor that holds, with the root directory behind the descriptors. The input
//! begins where the descriptors do.
use lidless_fuzz::{peel_image, with};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let image = [&[0; 0x8000], data].concat();
    let fields: &[(usize, &[u8])] = &[
        (0x8000, b"\x01CD001\x01"),
        (0x8080, &2048u16.to_le_bytes()),
        (0x809c, &[34]),
        (0x80b5, &[2]),
        (0x80bc, &[1, 0]),
    ];
    peel_image("x.iso", with(&image, fields));
});
