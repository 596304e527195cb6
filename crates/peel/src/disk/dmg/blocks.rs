//! The trailer of a UDIF image and its block maps.

use crate::error::PeelError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lidless_io::number::{u16_be, u32_be, u64_be};
use lidless_io::{ReadAt, read_exact_vec};
use memchr::memmem;

/// The format's name in reports.
pub(super) const UDIF: &str = "UDIF";
/// Length of the trailer.
pub(super) const TRAILER: u64 = 512;
/// The unit of the maps.
pub(super) const SECTOR: u64 = 512;
/// The largest property list that is read: the maps of some 200 GiB.
const LIST: u64 = 32 << 20;
/// Block maps of one image at most.
const MAPS: usize = 10_000;

/// What the trailer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trailer {
    pub(super) data: (u64, u64),
    pub(super) resources: (u64, u64),
    pub(super) list: (u64, u64),
    pub(super) segments: u32,
    pub(super) sectors: u64,
}

impl Trailer {
    /// Reads a trailer; none when the bytes are not one.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        if !bytes.starts_with(b"koly") || u32_be(bytes, 8)? != 512 {
            return None;
        }
        Some(Self {
            data: (u64_be(bytes, 24)?, u64_be(bytes, 32)?),
            resources: (u64_be(bytes, 40)?, u64_be(bytes, 48)?),
            segments: u32_be(bytes, 60)?,
            list: (u64_be(bytes, 216)?, u64_be(bytes, 224)?),
            sectors: u64_be(bytes, 492)?,
        })
    }
}

/// How a run is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    Zero,
    Raw,
    Adc,
    Zlib,
    Bzip2,
    Lzfse,
    Xz,
    Unknown,
}

impl Form {
    const ALL: [(u32, Self); 9] = [
        (0, Self::Zero),
        (2, Self::Zero),
        (1, Self::Raw),
        (0x8000_0004, Self::Adc),
        (0x8000_0005, Self::Zlib),
        (0x8000_0006, Self::Bzip2),
        (0x8000_0007, Self::Lzfse),
        (0x8000_0008, Self::Xz),
        (u32::MAX - 1, Self::Unknown),
    ];

    /// The word for it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Zero => "zeros",
            Self::Raw => "raw",
            Self::Adc => "ADC",
            Self::Zlib => "zlib",
            Self::Bzip2 => "bzip2",
            Self::Lzfse => "LZFSE",
            Self::Xz => "xz",
            Self::Unknown => "an unknown method",
        }
    }

    /// Its number in a map.
    pub(super) fn number(self) -> u32 {
        Self::ALL.iter().find(|(_, form)| *form == self).map_or(u32::MAX, |(number, _)| *number)
    }

    /// The form of a number in a map.
    pub(super) fn of(number: u32) -> Self {
        let known = Self::ALL.iter().find(|(known, _)| *known == number);
        known.map_or(Self::Unknown, |(_, form)| *form)
    }
}

/// A run of a disk, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) at: u64,
    pub(super) length: u64,
    pub(super) offset: u64,
    pub(super) stored: u64,
    pub(super) form: Form,
}

/// Every run of an image, in the order of the disk. Those that overlap an earlier one are left
/// out, and counted.
pub(super) fn runs(image: &dyn ReadAt, trailer: &Trailer) -> Result<(Vec<Run>, u64), PeelError> {
    let mut found = Vec::new();
    if trailer.list.1 > 0 {
        if trailer.list.1 > LIST {
            return Err(PeelError::Limit("a disk image whose block map is larger than the limit"));
        }
        let list = read_exact_vec(image, trailer.list.0, trailer.list.1)?;
        for map in maps_of_list(&list) {
            add(&map, trailer, &mut found)?;
        }
    } else if trailer.resources.1 > 0 {
        if trailer.resources.1 > LIST {
            return Err(PeelError::Limit("a disk image whose block map is larger than the limit"));
        }
        let fork = read_exact_vec(image, trailer.resources.0, trailer.resources.1)?;
        for map in maps_of_fork(&fork) {
            add(map, trailer, &mut found)?;
        }
    } else {
        // Read and write: the data fork is the disk.
        let (offset, stored) = trailer.data;
        found.push(Run { at: 0, length: stored, offset, stored, form: Form::Raw });
    }
    if found.is_empty() {
        let offset = trailer.list.0;
        return Err(PeelError::malformed(UDIF, offset, "a block map", "none"));
    }
    found.sort_by_key(|run| run.at);
    let mut end = 0;
    let mut overlaps = 0u64;
    found.retain(|run| {
        let fits = run.at >= end;
        if fits {
            end = run.at.saturating_add(run.length);
        } else {
            overlaps = overlaps.saturating_add(run.length);
        }
        fits
    });
    Ok((found, overlaps))
}

/// The block maps in a property list: the data of the array `blkx`.
fn maps_of_list(list: &[u8]) -> Vec<Vec<u8>> {
    let mut maps = Vec::new();
    let Some(at) = memmem::find(list, b"<key>blkx</key>") else { return maps };
    let rest = list.get(at..).unwrap_or(&[]);
    let end = memmem::find(rest, b"</array>").unwrap_or(rest.len());
    let mut rest = rest.get(..end).unwrap_or(&[]);
    while let Some(at) = memmem::find(rest, b"<data>") {
        let after = rest.get(at.saturating_add(6)..).unwrap_or(&[]);
        let Some(end) = memmem::find(after, b"</data>") else { break };
        let (text, after) = after.split_at_checked(end).unwrap_or((after, &[]));
        let text: Vec<u8> =
            text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        maps.push(STANDARD.decode(text).unwrap_or_default());
        if maps.len() >= MAPS {
            break;
        }
        rest = after;
    }
    maps
}

/// The block maps in a resource fork (Inside Macintosh, More Macintosh Toolbox, chapter 1): the
/// resources of the type `blkx`.
fn maps_of_fork(fork: &[u8]) -> Vec<&[u8]> {
    let place = |number: Option<u32>| number.and_then(|number| usize::try_from(number).ok());
    let inside = || {
        let data = fork.get(place(u32_be(fork, 0))?..)?;
        let map = fork.get(place(u32_be(fork, 4))?..)?;
        let types = map.get(usize::from(u16_be(map, 24)?)..)?;
        let count = usize::from(u16_be(types, 0)?).saturating_add(1);
        let kind = (0..count.min(MAPS)).find_map(|index| {
            let entry = types.get(index.saturating_mul(8).saturating_add(2)..)?;
            entry.starts_with(b"blkx").then_some(entry)
        })?;
        let count = usize::from(u16_be(kind, 4)?).saturating_add(1);
        let references = types.get(usize::from(u16_be(kind, 6)?)..)?;
        let maps = (0..count.min(MAPS)).filter_map(|index| {
            let entry = references.get(index.saturating_mul(12)..)?;
            let resource = data.get(place(Some(u32_be(entry, 4)? & 0x00ff_ffff))?..)?;
            resource.get(4..)?.get(..place(u32_be(resource, 0))?)
        });
        Some(maps.collect())
    };
    inside().unwrap_or_default()
}

/// Adds the runs of a block map.
fn add(map: &[u8], trailer: &Trailer, found: &mut Vec<Run>) -> Result<(), PeelError> {
    let short = || PeelError::malformed(UDIF, trailer.list.0, "a block map", "another one");
    if !map.starts_with(b"mish") {
        return Err(short());
    }
    let first = u64_be(map, 8).ok_or_else(short)?;
    let base = u64_be(map, 24).ok_or_else(short)?.saturating_add(trailer.data.0);
    for run in map.get(204..).ok_or_else(short)?.chunks_exact(40) {
        let form = u32_be(run, 0).ok_or_else(short)?;
        match form {
            0xffff_ffff => break,
            0x7fff_fffe => continue,
            _ => {}
        }
        let at = u64_be(run, 8).ok_or_else(short)?.saturating_add(first).checked_mul(SECTOR);
        let length = u64_be(run, 16).ok_or_else(short)?.checked_mul(SECTOR);
        let (Some(at), Some(length)) = (at, length) else { return Err(short()) };
        let end = at.checked_add(length).ok_or_else(short)?;
        if length == 0 || end > i64::MAX.unsigned_abs() {
            continue;
        }
        found.push(Run {
            at,
            length,
            offset: u64_be(run, 24).ok_or_else(short)?.saturating_add(base),
            stored: u64_be(run, 32).ok_or_else(short)?,
            form: Form::of(form),
        });
    }
    Ok(())
}
