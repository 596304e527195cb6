#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let source = lidless_io::MemoryBytes::new(data.to_vec());
    let _ = lidless_detect::model::judge_pickle(
        &source,
        0,
        &lidless_detect::model::AllowedImports::default(),
    );
});
