#![no_main]
//! A superblock of version 4.
use lidless_fuzz::{peel_image, with};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let fields: &[(usize, &[u8])] = &[(0, b"hsqs"), (28, &[4, 0])];
    peel_image("x.sqsh", with(data, fields));
});
