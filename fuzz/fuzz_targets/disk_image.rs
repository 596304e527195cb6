#![no_main]
//! A disk image and one other file that lies beside it under every name; the first two bytes say
//! where it begins.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((first, data)) = data.split_first_chunk::<2>() else { return };
    let cut = usize::from(u16::from_le_bytes(*first)) * 16;
    let (data, beside) = data.split_at(cut.min(data.len()));
    for name in ["x.vhd", "x-flat.vmdk"] {
        lidless_fuzz::peel_beside(name, data, beside);
    }
});
