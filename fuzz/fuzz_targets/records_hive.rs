#![no_main]
use lidless_io::{MemoryBytes, ReadAt};
use lidless_records::hive::{Hive, Key};
use std::sync::Arc;

fn below(hive: &Hive, key: &Key, left: &mut u32) {
    let _ = hive.values(key);
    let _ = hive.class(key);
    for child in hive.subkeys(key).unwrap_or_default() {
        if *left == 0 {
            return;
        }
        *left -= 1;
        below(hive, &child, left);
    }
}

// The first two bytes say where the log begins.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((head, data)) = data.split_first_chunk::<2>() else { return };
    let cut = usize::from(u16::from_le_bytes(*head)).min(data.len());
    let (file, log) = if cut == 0 { (data, &[][..]) } else { data.split_at(cut) };
    let log: Arc<dyn ReadAt> = Arc::new(MemoryBytes::new(log.to_vec()));
    let Ok(hive) = Hive::open(Arc::new(MemoryBytes::new(file.to_vec())), || vec![log]) else {
        return;
    };
    let _ = hive.key("ControlSet001\\Control\\ComputerName\\ComputerName");
    if let Ok(root) = hive.root() {
        below(&hive, &root, &mut 200);
    }
});
