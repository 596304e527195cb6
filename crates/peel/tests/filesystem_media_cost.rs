//! What it costs to list media: requests of the image, and bytes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

mod suite;

use lidless_core::{ImageReach, Limits};
use suite::Open;

#[test]
fn names_cost_few_requests() {
    // Some 310 files in 15 directories each, the known places among them.
    for (image, requests, kib) in [
        ("fat/fat16.img", 8, 600),
        ("fat/fat32.img", 8, 900),
        ("fat/fat32-large.img", 18, 3000),
        ("exfat/contiguous.img", 8, 600),
        ("exfat/chained.img", 8, 600),
        ("iso/both.iso", 8, 700),
        ("iso/rock-ridge.iso", 8, 600),
        ("squashfs/gzip.sqsh", 5, 300),
        ("udf/v201.img", 30, 3500),
        ("udf/bridge.img", 20, 3000),
        ("udf/v250.img", 30, 3500),
        ("rom/cramfs.img", 5, 300),
    ] {
        let limits = Limits { image_reach: ImageReach::Names, ..Limits::default() };
        let Some(inside) = (Open { limits, ..Open::default() }).fixture(image) else { return };
        println!("{image}: {} requests, {} KiB", inside.requests, inside.bytes >> 10);
        assert_eq!(inside.entries.len() + inside.inert.len(), 311, "{image}");
        assert!(inside.requests <= requests, "{image}: {} requests", inside.requests);
        assert!(inside.bytes >> 10 <= kib, "{image}: {} KiB", inside.bytes >> 10);
    }
}
