#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(page) = lidless_storage::ListPage::from_azure_xml(data) {
        assert!(page.objects.iter().all(|object| !object.key.is_empty()));
    }
});
