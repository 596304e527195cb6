//! Opens wrappings: archives and compressed streams, through ranged reads.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation))]

mod coding;
mod opaque;
mod peeler;
mod seven_zip;
mod stream;
mod table;
mod tar;
mod zip;

pub use peeler::{Peeler, Sink};
pub use table::Peelers;
