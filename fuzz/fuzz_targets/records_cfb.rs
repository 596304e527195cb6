#![no_main]
use lidless_io::{MemoryBytes, read_vec};
use lidless_records::CompoundFile;
use std::sync::Arc;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(file) = CompoundFile::open(Arc::new(MemoryBytes::new(data.to_vec()))) {
        for one in file.stored().iter().take(50) {
            let _ = read_vec(&*file.stream(one), 0, 1 << 16);
        }
    }
});
