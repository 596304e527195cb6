#![no_main]
use lidless_io::MemoryBytes;
use lidless_records::sqlite::Database;
use std::ops::ControlFlow;
use std::sync::Arc;

// The first two bytes say where the write-ahead log begins.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((head, data)) = data.split_first_chunk::<2>() else { return };
    let cut = usize::from(u16::from_le_bytes(*head)).min(data.len());
    let (file, log) = if cut == 0 { (data, &[][..]) } else { data.split_at(cut) };
    let log = Arc::new(MemoryBytes::new(log.to_vec()));
    let file = Arc::new(MemoryBytes::new(file.to_vec()));
    let Ok(database) = Database::open(file, Some(log)) else { return };
    for table in database.tables() {
        let _ = database.count(table);
        let columns: Vec<&str> = table.columns().collect();
        let _ = database.rows(table, &columns, &mut |_| ControlFlow::Continue(()));
    }
});
