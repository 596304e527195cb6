//! What the services of Azure beside blobs answer: messages, tables, folders of shares.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lidless_storage::ListPage;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(page) = ListPage::from_azure_folder_xml(bytes) {
        // No name leads out of its folder.
        assert!(page.objects.iter().all(|object| !object.key.contains('/')));
        assert!(page.prefixes.iter().all(|name| !name.contains('/') && name != ".."));
    }
    let _ = ListPage::messages_of_azure_xml(bytes);
    let _ = ListPage::tables_of_azure_json(bytes);
});
