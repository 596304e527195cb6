#![no_main]

// The first byte says how much of the rest is the base.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((split, rest)) = data.split_first() else { return };
    let (base, delta) = rest.split_at(usize::from(*split).min(rest.len()));
    if let Some(made) = lidless_discover::apply_delta(base, delta, 1 << 20) {
        assert!(made.len() <= 1 << 20);
    }
});
