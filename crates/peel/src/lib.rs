//! Opens wrappings: archives and compressed streams, through ranged reads.
#![cfg_attr(
    test,
    allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation)
)]

mod peeler;

pub use peeler::{Peeler, Sink};
