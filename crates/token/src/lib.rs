//! Credentials for storage, offline: recognise, read, judge, verify, mint.
#![cfg_attr(
    test,
    allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation)
)]
