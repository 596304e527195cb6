//! The replica's request parser: any bytes, no panic, and what it takes apart stays whole.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lidless_replica::{ParseOutcome, parse_request};

fuzz_target!(|bytes: &[u8]| {
    if let ParseOutcome::Complete(request) = parse_request(bytes) {
        assert!(request.head_bytes <= bytes.len());
        let _ = (request.target(), request.body_bytes());
    }
});
