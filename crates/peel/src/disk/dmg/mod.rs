//! Disk images of Apple's systems: UDIF (`.dmg`), sparse images and sparse bundles. Apple
//! describes none of them; the layouts are those that dmg2img, 7-Zip and libmodi document.
//!
//! ```text
//! UDIF, numbers with the greatest byte first; the trailer is the last 512 bytes
//! trailer  offset  size  field
//!               0     4  "koly"
//!               8     4  512, its size
//!              24     8  offset of the data fork
//!              32     8  length of the data fork
//!              40    16  offset and length of a resource fork, in old images
//!              60     4  segments
//!             216    16  offset and length of a property list: `blkx`, an array of block maps
//!             492     8  sectors of 512 bytes
//! block map     0     4  "mish"
//!               8     8  first sector on the disk
//!              24     8  what is added to the offsets of its runs
//!             200     4  runs, of 40 bytes from 204 on
//! run           0     4  form: 0 and 2 zeros, 1 as it is, 0x80000004 ADC, 5 zlib, 6 bzip2,
//!                        7 LZFSE, 8 xz; 0x7ffffffe a remark, 0xffffffff the end
//!               8    16  first sector from the map's own, sectors
//!              24    16  offset in the data fork, length
//! ```

mod adc;
mod blocks;
mod bundle;
mod encrypted;
mod image;
mod sparse;

pub(in crate::disk) use bundle::SparseBundle;
pub(in crate::disk) use encrypted::Encrypted;
pub(in crate::disk) use image::Dmg;
pub(in crate::disk) use sparse::SparseImage;
