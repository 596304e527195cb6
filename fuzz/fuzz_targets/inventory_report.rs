#![no_main]
//! A manifest or a data file, as it would lie on the user's machine.
use std::convert::Infallible;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = lidless_inventory::Manifest::parse(data);
    let folder = std::env::temp_dir().join(format!("lidless-fuzz-{}", std::process::id()));
    if std::fs::create_dir_all(&folder).is_err() || std::fs::write(folder.join("1"), data).is_err()
    {
        return;
    }
    for manifest in [
        r#"{"sourceBucket":"b","fileFormat":"CSV","fileSchema":"Key, Size","files":[{"key":"1"}]}"#,
        r#"{"report_shards_file_names":["1"]}"#,
    ] {
        let path = folder.join("manifest.json");
        if std::fs::write(&path, manifest).is_err() {
            return;
        }
        let Ok(inventory) = lidless_inventory::Inventory::open(&path) else { continue };
        let Ok(_) = inventory.read(|row| {
            assert!(!row.object.key.is_empty() && !row.container.is_empty());
            Ok::<(), Infallible>(())
        });
    }
});
