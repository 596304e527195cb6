//! Images of EnCase, FTK Imager and SMART (`.E01`, `.s01`), by the "Expert Witness Compression
//! Format" specification of libewf: segments, each a chain of sections, with the disk in chunks.
//!
//! ```text
//! segment   offset  size  field
//!                0     8  "EVF" 09 0d 0a ff 00
//!                8     1  1
//!                9     2  number of the segment, from 1
//!               13     -  sections
//! section        0    16  kind: header, volume, sectors, table, table2, data, hash, next, done
//!               16     8  offset of the next one; its own at the end of a segment
//!               24     8  size with these 76 bytes
//!               72     4  Adler-32 of the 72 bytes before
//! volume         4     4  chunks
//!                8     4  sectors in a chunk
//!               12     4  bytes in a sector
//!               16     8  sectors (4 bytes in SMART)
//! table          0     4  entries
//!                8     8  what is added to each entry
//!               24    4n  offsets of chunks; the highest bit says that a chunk is compressed
//! ```
//!
//! A chunk that is not compressed is followed by its Adler-32. `table2` is a copy of `table`; in
//! old images and SMART's the chunks lie in `table` itself, behind its entries.

mod chunks;
mod image;
mod layout;
mod segments;
#[cfg(test)]
mod tests;
mod text;

pub(super) use image::Ewf;
