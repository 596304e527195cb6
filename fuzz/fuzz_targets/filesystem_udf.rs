#![no_main]

/// A sequence of recognition and an anchor, with the blocks behind it from the input; the tags of
/// all of them hold.
fn image(data: &[u8]) -> Option<Vec<u8>> {
    let mut image = vec![0u8; 257 * 512];
    image.get_mut(0x8001..0x8006)?.copy_from_slice(b"NSR02");
    image.get_mut(256 * 512..256 * 512 + 32)?.copy_from_slice(&[
        2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 32, 0, 0, 1, 1, 0, 0, 0, 32, 0, 0, 1, 1,
        0, 0,
    ]);
    image.extend_from_slice(data);
    for block in image.chunks_mut(512).skip(256) {
        let sum = block.iter().take(16).enumerate().filter(|(at, _)| *at != 4);
        let sum = sum.fold(0u8, |sum, (_, byte)| sum.wrapping_add(*byte));
        *block.get_mut(4)? = sum;
    }
    Some(image)
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| lidless_fuzz::peel_image("x.udf", image(data)));
