//! VHD (Virtual Hard Disk Image Format Specification, version 1.0): fixed, dynamic, differencing.
//!
//! Numbers are big-endian. The footer is the last sector; a dynamic or differencing disk has a
//! copy of it at its beginning.
//!
//! | offset | size | field of the footer |
//! |---|---|---|
//! | 0 | 8 | `conectix` |
//! | 16 | 8 | offset of the dynamic header |
//! | 28 | 4 | the program that made it |
//! | 48 | 8 | length of the disk |
//! | 60 | 4 | 2 fixed, 3 dynamic, 4 differencing |
//! | 64 | 4 | checksum: the complement of the sum of all other bytes |
//! | 68 | 16 | its own UUID |
//!
//! | offset | size | field of the dynamic header |
//! |---|---|---|
//! | 0 | 8 | `cxsparse` |
//! | 16 | 8 | offset of the table of blocks: 4 bytes each, in sectors, all ones for none |
//! | 28 | 4 | entries in it |
//! | 32 | 4 | size of a block |
//! | 36 | 4 | checksum |
//! | 40 | 16 | the parent's UUID |
//! | 64 | 512 | the parent's name, UTF-16 |
//! | 576 | 8 × 24 | where the parent is: 4 platform, 4 space, 4 length, 4 reserved, 8 offset |
//!
//! A block is a bitmap of its sectors, rounded up to whole sectors, and then the sectors. The
//! bitmap decides only in differencing disks; in dynamic ones what it leaves out is zeros anyway.

use super::fields::Fields;
use super::image::{Disk, Image};
use super::mapped::{Map, Mapped, Origin, Piece, chunks, entries, tables};
use super::parent::{Raw, Wanted, identity};
use crate::error::PeelError;
use lidless_core::{Artifact, Limits};
use lidless_io::number::index;
use lidless_io::utf16::{text_to_zero, units_be, units_le};
use lidless_io::{BlockCache, ReadAt, ReadError, Window, read_exact_vec, read_merged, read_vec};
use std::sync::Arc;

const FORMAT: &str = "VHD";
const COOKIE: &[u8] = b"conectix";
const SECTOR: u64 = 512;
/// 64 times the usual block, as far as any program goes.
const LARGEST_BLOCK: u64 = 128 << 20;
/// No path of a parent is longer.
const LONGEST_PATH: u32 = 64 << 10;

/// Virtual hard disks of Virtual PC, Hyper-V and Azure.
pub(super) struct Vhd;

impl Image for Vhd {
    fn name(&self) -> &'static str {
        FORMAT
    }

    fn recognises(&self, artifact: &Artifact, head: &[u8]) -> bool {
        if head.starts_with(COOKIE) {
            return true;
        }
        // A fixed disk says so at its end alone.
        let name = artifact.entry.lower_file_name();
        let length = artifact.bytes.len();
        name.ends_with(".vhd")
            && length > SECTOR
            && read_vec(&*artifact.bytes, length.saturating_sub(SECTOR), SECTOR)
                .is_ok_and(|footer| footer.starts_with(COOKIE))
    }

    fn open(&self, artifact: &Artifact, head: &[u8], limits: &Limits) -> Result<Disk, PeelError> {
        let (at, footer) = footer(artifact, head)?;
        let fields = Fields::new(FORMAT, at, &footer);
        let length = fields.u64_be(48)?;
        let kind = fields.u32_be(60)?;
        let bytes: Arc<dyn ReadAt> = match kind {
            2 => {
                let before = artifact.bytes.len().saturating_sub(SECTOR);
                Arc::new(Window::new(Arc::clone(&artifact.bytes), 0, length.min(before)))
            }
            3 | 4 => return dynamic(artifact, head, limits, &fields, kind == 4),
            other => return Err(fields.wrong(60, "a kind of 2, 3 or 4", other)),
        };
        let mut disk = Disk::new(bytes);
        describe(&mut disk, &fields)?;
        if disk.bytes.len() < length {
            disk.gaps.push(("a disk image that breaks off".into(), None));
        }
        Ok(disk)
    }
}

fn describe(disk: &mut Disk, footer: &Fields<'_>) -> Result<(), PeelError> {
    let maker = String::from_utf8_lossy(&footer.array::<4>(28)?).trim_matches(['\0', ' ']).into();
    disk.facts.push(("created_by", serde_json::Value::String(maker)));
    disk.facts.push(identity(&hex(&footer.array::<16>(68)?)));
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The footer and its offset: the copy at the beginning where it is sound, else the last sector.
fn footer(artifact: &Artifact, head: &[u8]) -> Result<(u64, Vec<u8>), PeelError> {
    let copy = head.get(..512).unwrap_or(head);
    if copy.starts_with(COOKIE) && is_sound(copy, 64) {
        return Ok((0, copy.to_vec()));
    }
    let at = artifact.bytes.len().saturating_sub(SECTOR);
    let last = read_vec(&*artifact.bytes, at, SECTOR)?;
    if last.starts_with(COOKIE) && is_sound(&last, 64) {
        return Ok((at, last));
    }
    let found = "neither at its beginning nor at its end";
    Err(PeelError::malformed(FORMAT, at, "a footer with its checksum", found))
}

/// Whether a structure has its checksum, which stands at `at`.
fn is_sound(bytes: &[u8], at: usize) -> bool {
    let end = at.saturating_add(4);
    let sum = bytes
        .iter()
        .enumerate()
        .filter(|(index, _)| *index < at || *index >= end)
        .fold(0u32, |sum, (_, byte)| sum.wrapping_add(u32::from(*byte)));
    bytes.get(at..end) == Some(&(!sum).to_be_bytes()[..])
}

fn dynamic(
    artifact: &Artifact,
    head: &[u8],
    limits: &Limits,
    footer: &Fields<'_>,
    is_child: bool,
) -> Result<Disk, PeelError> {
    let source = &artifact.bytes;
    let at = footer.u64_be(16)?;
    let near = usize::try_from(at).ok().and_then(|at| head.get(at..at.checked_add(1024)?));
    let header = match near {
        Some(header) => header.to_vec(),
        None => read_exact_vec(&**source, at, 1024)?,
    };
    let fields = Fields::new(FORMAT, at, &header);
    if &fields.array::<8>(0)? != b"cxsparse" || !is_sound(&header, 36) {
        return Err(fields.wrong(0, "a dynamic header with its checksum", "something else"));
    }
    let block = u64::from(fields.u32_be(32)?);
    if !block.is_power_of_two() || !(SECTOR..=LARGEST_BLOCK).contains(&block) {
        return Err(fields.wrong(32, "a block of 512 bytes to 128 MiB", block));
    }
    let length = footer.u64_be(48)?;
    let bitmap = (block / SECTOR).div_ceil(8).div_ceil(SECTOR).saturating_mul(SECTOR);
    let mut disk = Disk::new(Arc::clone(source));
    describe(&mut disk, footer)?;
    let mut parent = None;
    if is_child {
        let wanted = Wanted {
            paths: paths(&**source, &fields)?,
            identities: vec![hex(&fields.array::<16>(40)?)],
            raw: Raw::Never,
        };
        parent = wanted.find(artifact, limits, &mut disk).map(|parent| parent.bytes);
    }
    let map = Blocks {
        tables: tables(source),
        table: fields.u64_be(16)?,
        count: u64::from(fields.u32_be(28)?),
        block,
        bitmap,
        is_child,
    };
    if map.count.saturating_mul(block) < length {
        disk.gaps.push(("a VHD whose table ends before its disk".into(), None));
    }
    disk.bytes = Arc::new(Mapped::new(map, Arc::clone(source), parent, length));
    Ok(disk)
}

/// The paths of the parent: relative ones first, then absolute ones, then its bare name.
fn paths(source: &dyn ReadAt, header: &Fields<'_>) -> Result<Vec<String>, PeelError> {
    let mut found = Vec::new();
    for number in 0..8usize {
        let at = number.saturating_mul(24).saturating_add(576);
        let platform = header.array::<4>(at)?;
        let length = header.u32_be(at.saturating_add(8))?;
        let offset = header.u64_be(at.saturating_add(16))?;
        if length == 0 || length > LONGEST_PATH {
            continue;
        }
        let order = match &platform {
            b"W2ru" => 0,
            b"Wi2r" => 1,
            b"W2ku" => 2,
            b"Wi2k" => 3,
            b"MacX" => 4,
            _ => continue,
        };
        // A path that cannot be read leaves the others.
        let Ok(bytes) = read_vec(source, offset, u64::from(length)) else { continue };
        let path = match &platform {
            b"W2ru" | b"W2ku" => text_to_zero(units_le(&bytes)),
            _ => String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_owned(),
        };
        found.push((order, path));
    }
    found.sort_by_key(|(order, _)| *order);
    let mut paths: Vec<String> = found.into_iter().map(|(_, path)| path).collect();
    paths.push(text_to_zero(units_be(&header.array::<512>(64)?)));
    paths.retain(|path| !path.is_empty());
    Ok(paths)
}

struct Blocks {
    tables: BlockCache,
    table: u64,
    count: u64,
    block: u64,
    bitmap: u64,
    is_child: bool,
}

impl Map for Blocks {
    fn locate(&self, from: u64, to: u64) -> Result<Vec<Piece>, ReadError> {
        let end = self.count.saturating_mul(self.block);
        let first = from.checked_div(self.block).unwrap_or(0).min(self.count);
        let last = to.div_ceil(self.block).clamp(first, self.count);
        let table: Vec<[u8; 4]> =
            entries(&self.tables, self.table, first, last.saturating_sub(first))?;
        let places: Vec<Option<u64>> = table
            .into_iter()
            .map(u32::from_be_bytes)
            .map(|sector| (sector != u32::MAX).then(|| u64::from(sector).saturating_mul(SECTOR)))
            .collect();
        let mut bitmaps = Vec::new();
        if self.is_child {
            let wanted: Vec<_> = places
                .iter()
                .map(|place| place.map_or(0..0, |at| at..at.saturating_add(self.bitmap)))
                .collect();
            bitmaps = read_merged(&self.tables, &wanted)?;
        }
        let mut pieces = Vec::new();
        for (number, within, length) in chunks(from, to.min(end), self.block) {
            let index = index(number.saturating_sub(first));
            let start = number.saturating_mul(self.block);
            let place = places.get(index).copied().flatten();
            let data = place.map(|place| place.saturating_add(self.bitmap));
            match (data, self.is_child) {
                (None, true) => {
                    let origin = Origin::Parent(start.saturating_add(within));
                    pieces.push(Piece { length, origin });
                }
                (None, false) => pieces.push(Piece { length, origin: Origin::Zeros }),
                (Some(data), false) => {
                    let origin = Origin::Stored(data.saturating_add(within));
                    pieces.push(Piece { length, origin });
                }
                (Some(data), true) => {
                    let bitmap = bitmaps.get(index).map_or(&[][..], |bytes| bytes);
                    let end = within.saturating_add(length);
                    for (sector, inside, length) in chunks(within, end, SECTOR) {
                        let at = sector.saturating_mul(SECTOR).saturating_add(inside);
                        let byte = usize::try_from(sector / 8).ok().and_then(|at| bitmap.get(at));
                        let bit = 0x80u8.wrapping_shr(u32::try_from(sector % 8).unwrap_or(0));
                        let origin = if byte.is_some_and(|byte| byte & bit != 0) {
                            Origin::Stored(data.saturating_add(at))
                        } else {
                            Origin::Parent(start.saturating_add(at))
                        };
                        pieces.push(Piece { length, origin });
                    }
                }
            }
        }
        Ok(pieces)
    }
}
