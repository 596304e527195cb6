#![no_main]
use lidless_io::{MemoryBytes, read_vec};
use lidless_records::PstFile;
use std::sync::Arc;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(file) = PstFile::open(Arc::new(MemoryBytes::new(data.to_vec()))) else { return };
    let mut folders = Vec::new();
    let _ = file.folders(
        &mut |folder| {
            folders.push(folder.clone());
            folders.len() < 20
        },
        &mut |_| {},
    );
    for folder in folders {
        for one in file.messages(&folder).unwrap_or_default().iter().take(10) {
            let Ok(message) = file.message(one.id) else { continue };
            let _ = message.recipients();
            for id in message.attachments().unwrap_or_default().into_iter().take(5) {
                if let Ok(Some(attached)) = message.attachment(id)
                    && let Some(bytes) = attached.bytes
                {
                    let _ = read_vec(&*bytes, 0, 1 << 16);
                }
            }
        }
    }
});
