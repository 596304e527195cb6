//! Linux RAID (`mdadm`), superblocks of version 1 (linux/raid/md_p.h): a member of a mirror is
//! the whole of it.
//!
//! The superblock stands at the beginning (1.1) or at 4096 (1.2); with the others, at the end,
//! the file system of a mirror begins where its partition does. Numbers are little-endian.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | FC 4E 2B A9 |
//! | 4 | 4 | version: 1 |
//! | 32 | 32 | name of the array: `host:name` |
//! | 72 | 4 | level |
//! | 92 | 4 | number of members |
//! | 128 | 8 | first sector of the data |
//! | 136 | 8 | sectors of data |

use super::part::{Holder, Logical};
use crate::disk::Fields;
use crate::error::PeelError;
use lidless_io::{ReadAt, Window};
use std::sync::Arc;

const FORMAT: &str = "Linux RAID";
const SECTOR: u64 = 512;

/// Members of Linux RAID arrays.
pub(super) struct Md;

impl Holder for Md {
    fn name(&self) -> &'static str {
        FORMAT
    }

    fn recognises(&self, _: &dyn ReadAt, head: &[u8]) -> bool {
        superblock(head).is_some()
    }

    /// `mdadm` leaves what stood at 1024 before; no `mkfs` leaves what stands at 4096.
    fn is_before_files(&self) -> bool {
        true
    }

    fn open(&self, volume: &Arc<dyn ReadAt>, head: &[u8]) -> Result<Vec<Logical>, PeelError> {
        let base = superblock(head).unwrap_or(0);
        let bytes = head.get(base..).unwrap_or(&[]);
        let fields = Fields::new(FORMAT, u64::try_from(base).unwrap_or(0), bytes);
        let level = i32::from_le_bytes(fields.array(72)?);
        let is_whole = level == 1 || (matches!(level, -1 | 0) && fields.u32_le(92)? == 1);
        if !is_whole {
            let level = match level {
                -1 => "linear",
                0 => "striped, level 0",
                4 => "level 4",
                5 => "level 5",
                6 => "level 6",
                10 => "level 10",
                _ => "of another level",
            };
            let reason = format!("one member of a Linux RAID array, not put together ({level})");
            return Err(PeelError::Closed(reason));
        }
        let start = fields.u64_le(128)?.saturating_mul(SECTOR);
        let length = fields.u64_le(136)?.saturating_mul(SECTOR);
        if start == 0 || start >= volume.len() {
            return Err(fields.wrong(128, "data inside the member", start));
        }
        let name: [u8; 32] = fields.array(32)?;
        let name = String::from_utf8_lossy(&name);
        let name = name.trim_end_matches('\0').rsplit(':').next().unwrap_or("");
        Ok(vec![Logical {
            name: format!("md-{name}"),
            bytes: Arc::new(Window::new(Arc::clone(volume), start, length)),
        }])
    }
}

fn superblock(head: &[u8]) -> Option<usize> {
    [4096usize, 0].into_iter().find(|at| {
        let magic = [0xfc, 0x4e, 0x2b, 0xa9, 1, 0, 0, 0];
        head.get(*at..).is_some_and(|rest| rest.starts_with(&magic))
    })
}
