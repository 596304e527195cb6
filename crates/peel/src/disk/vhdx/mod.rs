//! VHDX ([MS-VHDX], version 2): fixed, dynamic, differencing; a log that was not played is
//! replayed in memory.
//!
//! Numbers are little-endian. `vhdxfile` at 0; two headers at 64 KiB and 128 KiB, of which the
//! one with the higher sequence number counts; two copies of the region table at 192 KiB and
//! 256 KiB, which say where the metadata and the table of blocks (BAT) are.

mod header;
mod image;
mod log;
mod overlay;

pub(super) use image::Vhdx;
