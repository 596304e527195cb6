//! Model files: every way to hide code, and what real libraries write.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::print_stderr
)]

mod assembler;
mod benign;
mod formats;
mod gadgets;
mod look;
mod tricks;
mod wrappings;
