//! A loopback-only, read-only replica of a blob storage account, for the demo, tests and benchmarks.
#![cfg_attr(
    test,
    allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation)
)]
