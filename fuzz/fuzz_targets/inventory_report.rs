#![no_main]
//! A manifest or a data file, as it would lie on the user's machine or in a store.
use lidless_inventory::{DataFile, Inventory, InventoryFile, InventoryFiles};
use lidless_io::{DiskBlocks, DiskCache, MemoryBytes, ReadAt, ReadError};
use std::convert::Infallible;
use std::sync::Arc;

/// Bytes that each read waits for.
struct Far(MemoryBytes);

impl ReadAt for Far {
    fn len(&self) -> u64 {
        self.0.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        self.0.read_at(offset, buffer)
    }

    fn lanes(&self) -> usize {
        8
    }
}

struct Files {
    manifest: &'static str,
    data: Arc<dyn ReadAt>,
}

impl InventoryFiles for Files {
    fn place(&self) -> String {
        "manifest.json".to_owned()
    }

    fn manifest(&self) -> Result<Arc<dyn ReadAt>, String> {
        Ok(Arc::new(MemoryBytes::new(self.manifest.as_bytes().to_vec())))
    }

    fn checksum(&self) -> Option<Arc<dyn ReadAt>> {
        Some(Arc::clone(&self.data))
    }

    fn open(&self, key: &str) -> Result<InventoryFile, String> {
        Ok(InventoryFile { place: key.to_owned(), bytes: Arc::clone(&self.data), md5: None })
    }

    fn any(&self, _: &[DataFile]) -> Result<(), String> {
        Ok(())
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = lidless_inventory::Manifest::parse(data);
    let _ = lidless_inventory::places_of("a/b".as_ref(), &String::from_utf8_lossy(data));
    for manifest in [
        r#"{"sourceBucket":"b","fileFormat":"CSV","fileSchema":"Key, Size","files":[{"key":"1"}]}"#,
        r#"{"report_shards_file_names":["1"]}"#,
    ] {
        let far = Arc::new(Far(MemoryBytes::new(data.to_vec())));
        let data = Arc::new(DiskCache::new(far, Arc::new(DiskBlocks::new(0))));
        let Ok(inventory) = Inventory::of(Arc::new(Files { manifest, data })) else { continue };
        let Ok(_) = inventory.read(|row| {
            assert!(!row.object.key.is_empty() && !row.container.is_empty());
            Ok::<(), Infallible>(())
        });
    }
});
