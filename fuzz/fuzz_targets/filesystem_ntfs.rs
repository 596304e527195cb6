#![no_main]

// A boot sector with 512-byte clusters and records of 1 KiB from cluster 2, so that every change
// further on is one to what is parsed. Seeds: volumes with such a sector.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut image = vec![0u8; 1024];
    image[3..11].copy_from_slice(b"NTFS    ");
    image[11..14].copy_from_slice(&[0, 2, 1]);
    image[40..44].copy_from_slice(&[0xff; 4]);
    image[48] = 2;
    image[56] = 4;
    image[64] = 2;
    image.extend_from_slice(data);
    // Update sequences that match, as only every 65,536th would.
    for at in (1024..image.len().saturating_sub(1023)).step_by(512) {
        if image[at..].starts_with(b"FILE") {
            image[at + 4..at + 8].copy_from_slice(&[48, 0, 3, 0]);
            for end in [at + 510, at + 1022] {
                image[end] = image[at + 48];
                image[end + 1] = image[at + 49];
            }
        }
    }
    lidless_fuzz::peel("x.img", b"", &image);
});
