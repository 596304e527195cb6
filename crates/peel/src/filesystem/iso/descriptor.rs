//! Volume descriptors of ISO 9660 (ECMA-119, section 8): from sector 16 on, 2,048 bytes each.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 1 | 0 boot record, 1 primary, 2 supplementary, 255 the last |
//! | 1 | 5 | `CD001` |
//! | 40 | 32 | label |
//! | 80 | 4 | blocks of the volume |
//! | 88 | 3 | Joliet: `%/@`, `%/C` or `%/E` |
//! | 128 | 2 | bytes in a block |
//! | 156 | 34 | record of the root directory |

use super::record::{Record, text_of_joliet};
use lidless_io::number::{u16_le, u32_le};

/// Where descriptors begin, and how long they are.
const START: usize = 0x8000;
const SECTOR: usize = 2048;

/// One tree of a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Volume {
    pub(super) block_bytes: u64,
    pub(super) blocks: u64,
    /// Block and bytes of the root directory.
    pub(super) root: (u64, u64),
    pub(super) label: Option<String>,
}

/// What the descriptors say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Descriptors {
    pub(super) primary: Option<Volume>,
    pub(super) joliet: Option<Volume>,
}

impl Descriptors {
    /// Reads those in the first 72 KiB of a volume.
    pub(super) fn parse(head: &[u8]) -> Self {
        let mut found = Self::default();
        let sectors = head.get(START..).unwrap_or(&[]).chunks_exact(SECTOR);
        for sector in sectors {
            if sector.get(1..6) != Some(b"CD001") {
                break;
            }
            match sector.first() {
                Some(1) if found.primary.is_none() => found.primary = volume(sector, false),
                Some(2) if found.joliet.is_none() => {
                    let escape = sector.get(88..91).unwrap_or(&[]);
                    if [b"%/@", b"%/C", b"%/E"].iter().any(|known| escape == known.as_slice()) {
                        found.joliet = volume(sector, true);
                    }
                }
                Some(255) => break,
                _ => {}
            }
        }
        found
    }
}

fn volume(sector: &[u8], is_joliet: bool) -> Option<Volume> {
    let (root, _) = Record::parse(sector.get(156..190)?)?;
    let block_bytes = u64::from(u16_le(sector, 128)?);
    if !matches!(block_bytes, 512 | 1024 | 2048) || !root.is_directory() {
        return None;
    }
    let label = sector.get(40..72).unwrap_or(&[]);
    let label =
        if is_joliet { text_of_joliet(label) } else { String::from_utf8_lossy(label).into_owned() };
    let label = label.trim_end_matches([' ', '\0']).to_owned();
    Some(Volume {
        block_bytes,
        blocks: u64::from(u32_le(sector, 80)?),
        root: (root.block, root.bytes),
        label: Some(label).filter(|label| !label.is_empty()),
    })
}
