//! Opens wrappings: archives, compressed streams, disk images, volumes and file systems,
//! through ranged reads.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation))]

mod archive;
mod coding;
mod disk;
mod document;
mod error;
mod filesystem;
mod joined;
mod mail;
mod peeler;
mod plain;
mod table;
mod time;
mod told;
mod volume;
mod zip;

pub use peeler::{Peeler, Sink};
pub use table::Peelers;
