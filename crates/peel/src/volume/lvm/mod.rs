//! LVM2: logical volumes of one physical volume.
//!
//! | where | size | field |
//! |---|---|---|
//! | sector 0 to 3 | 8 | `LABELONE` |
//! | + 20 | 4 | offset of the header of the physical volume in this sector |
//! | + 24 | 8 | `LVM2 001` |
//! | header | 32 | UUID of the physical volume |
//! | header + 40 | 16 each | areas: 8 offset, 8 length; those of data, zeros, those of metadata, zeros |
//! | area of metadata + 4 | 16 | ` LVM2 x[5A%r0N*>` |
//! | + 40 | 8 + 8 | offset and length of the text in the area, which is a ring from 512 on |
//!
//! The text names the volume group, its physical volumes, and its logical volumes with their
//! segments (`lvm2`: `doc/lvm2-raid.txt`, `man 5 vgcfgbackup`).

mod group;
mod holder;
mod text;

pub(super) use holder::Lvm;
