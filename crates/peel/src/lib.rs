//! Opens wrappings: archives, compressed streams, disk images, volumes and file systems,
//! through ranged reads.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation))]

mod coding;
mod disk;
mod error;
mod filesystem;
mod fixed;
mod opaque;
mod peeler;
mod seven_zip;
mod stream;
mod table;
mod tar;
mod volume;
mod zip;

pub use peeler::{Peeler, Sink};
pub use table::Peelers;
