#![no_main]
//! The first byte says which of the two it is.
use lidless_fuzz::{peel_image, with};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((which, data)) = data.split_first() else { return };
    let cramfs: &[(usize, &[u8])] = &[(0, &[0x45, 0x3d, 0xcd, 0x28]), (16, b"Compressed ROMFS")];
    let romfs: &[(usize, &[u8])] = &[(0, b"-rom1fs-")];
    peel_image("x.img", with(data, if which & 1 == 0 { cramfs } else { romfs }));
});
