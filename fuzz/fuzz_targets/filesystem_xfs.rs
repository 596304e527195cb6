#![no_main]
//! With its magic in place.
use lidless_fuzz::{peel_image, with};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let fields: &[(usize, &[u8])] = &[(0, b"XFSB")];
    peel_image("x.img", with(data, fields));
});
