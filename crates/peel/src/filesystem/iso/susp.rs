//! What the system use of a record says: SUSP 1.12 (IEEE P1281) and Rock Ridge 1.12 (P1282).
//!
//! An entry is two letters, its length, a version, and its fields:
//!
//! | entry | fields from offset 4 on |
//! |---|---|
//! | `SP` | `be ef`, bytes to skip in every other system use |
//! | `CE` | more entries lie elsewhere: block at 4, offset at 12, length at 20 |
//! | `NM` | flags (1: goes on), a part of the name |
//! | `PX` | mode |
//! | `SL` | it is a link |
//! | `CL` | its directory was moved to the block at 4 |
//! | `RE` | it is a directory that was moved here |
//! | `ZF` | `pz`: compressed; header / 4, block size as a power of two, length at 8 |
//! | `ST` | no more entries |

use lidless_io::number::u32_le;

/// What was learned of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) name: Vec<u8>,
    pub(super) mode: Option<u32>,
    pub(super) is_link: bool,
    pub(super) moved_to: Option<u64>,
    pub(super) is_moved_here: bool,
    /// The length when unpacked.
    pub(super) packed: Option<u64>,
    /// Whether the packing is one that is read.
    pub(super) is_zisofs: bool,
    /// Where more entries lie: block, offset, length.
    pub(super) more: Option<(u64, u64, u64)>,
    /// Bytes to skip, in the record of the root directory.
    pub(super) skip: Option<usize>,
}

impl Use {
    /// Adds what one area of entries says.
    pub(super) fn add(&mut self, area: &[u8]) {
        let mut rest = area;
        self.more = None;
        while let [a, b, length, _, ..] = *rest {
            let length = usize::from(length);
            let Some(entry) = rest.get(4..length).filter(|_| length >= 4) else { break };
            let four = |at: usize| u32_le(entry, at);
            match &[a, b] {
                b"SP" if entry.starts_with(&[0xbe, 0xef]) => {
                    self.skip = Some(usize::from(entry.get(2).copied().unwrap_or(0)));
                }
                b"CE" => {
                    if let (Some(block), Some(offset), Some(length)) = (four(0), four(8), four(16))
                    {
                        self.more = Some((block.into(), offset.into(), length.into()));
                    }
                }
                // The parts that stand for the directory itself, or the one above, are no name.
                b"NM" => match entry.split_first() {
                    Some((flags, part)) if flags & 6 == 0 && self.name.len() < 1_024 => {
                        self.name.extend_from_slice(part);
                    }
                    _ => {}
                },
                b"PX" => self.mode = four(0),
                b"SL" => self.is_link = true,
                b"CL" => self.moved_to = four(0).map(u64::from),
                b"RE" => self.is_moved_here = true,
                b"ZF" => {
                    self.packed = four(4).map(u64::from);
                    self.is_zisofs = entry.starts_with(b"pz");
                }
                b"ST" => break,
                _ => {}
            }
            rest = rest.get(length..).unwrap_or(&[]);
        }
    }

    /// The name of Rock Ridge, when there is one.
    pub(super) fn name(&self) -> Option<String> {
        if self.name.is_empty() {
            return None;
        }
        Some(match std::str::from_utf8(&self.name) {
            Ok(name) => name.to_owned(),
            // Older discs have names of Latin 1.
            Err(_) => self.name.iter().map(|byte| char::from(*byte)).collect(),
        })
    }

    /// Whether it is a pipe, a device or a link.
    pub(super) fn is_special(&self) -> bool {
        let kind = self.mode.unwrap_or(0) & 0o170_000;
        self.is_link || !matches!(kind, 0 | 0o100_000 | 0o040_000)
    }
}
