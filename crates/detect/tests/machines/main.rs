//! What stores of machines and browsers say, and that they say no more.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

mod browser;
mod chats;
mod look;
mod registry;
mod stores;
mod unix;
