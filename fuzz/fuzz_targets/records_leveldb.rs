#![no_main]
use lidless_io::MemoryBytes;
use lidless_records::leveldb::{live_files, read_log, read_table};
use lidless_records::v8_objects;
use std::ops::ControlFlow;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let bytes = MemoryBytes::new(data.to_vec());
    let names = |value: &[u8]| {
        v8_objects(value, &["messageType", "clientMessageId"], &mut |_| {});
    };
    names(data);
    let _ = live_files(&bytes);
    let _ = read_log(&bytes, &mut |record| {
        names(record.value);
        ControlFlow::Continue(())
    });
    let _ = read_table(&bytes, &mut |record| {
        names(record.value);
        ControlFlow::Continue(())
    });
});
