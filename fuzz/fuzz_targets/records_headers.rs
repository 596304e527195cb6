#![no_main]
use lidless_io::MemoryBytes;
use lidless_records::{
    dpapi_blob_key, dpapi_master_key, ese_tables, keepass_header, property_list,
};
use std::sync::Arc;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = keepass_header(data);
    let _ = dpapi_master_key(data);
    let _ = dpapi_blob_key(data);
    let _ = property_list(data);
    let _ = ese_tables(Arc::new(MemoryBytes::new(data.to_vec())));
});
