#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(page) = lidless_storage::ListPage::from_gcs_json(data) {
        assert!(page.objects.iter().all(|object| !object.key.is_empty()));
        assert!(page.next.is_none_or(|next| !next.is_empty()));
    }
    assert_eq!(lidless_storage::rights_of_gcs_policy(data).len(), 12);
});
