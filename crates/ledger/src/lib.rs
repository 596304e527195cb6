//! The case: everything known about one investigation, in one SQLite file.
#![cfg_attr(
    test,
    allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation)
)]
