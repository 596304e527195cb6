//! Headers, region tables and metadata of VHDX ([MS-VHDX] 2.2, 2.6).
//!
//! | offset | size | field of a header |
//! |---|---|---|
//! | 0 | 4 | `head` |
//! | 4 | 4 | CRC-32C of its 4 KiB, this field as zeros |
//! | 8 | 8 | sequence number |
//! | 32 | 16 | data write GUID: by which children know their parent |
//! | 48 | 16 | GUID of the log that has to be replayed, or zeros |
//! | 68 | 4 | length of the log |
//! | 72 | 8 | offset of the log |
//!
//! A region table: `regi`, CRC-32C of its 64 KiB, 4 count; from 16 on 32 bytes each: GUID,
//! 8 offset, 4 length, 4 required. The metadata: `metadata`, 2 reserved, 2 count; from 32 on 32
//! bytes each: GUID, 4 offset in the region, 4 length, 4 flags.

use super::super::crc32c::crc32c;
use super::super::fields::{Fields, guid_text};
use crate::error::PeelError;
use lidless_io::number;
use lidless_io::utf16;
use lidless_io::{ReadAt, read_exact_vec, read_vec};

/// The name of the format in reports.
pub(super) const FORMAT: &str = "VHDX";
const HEADS: u64 = 64 << 10;
const HEADS_BYTES: u64 = 256 << 10;
const BAT: &str = "2DC27766-F623-4200-9D64-115E9BFD4A08";
const METADATA: &str = "8B7CA206-4790-4B9A-B8FE-575F050F886E";
const FILE_PARAMETERS: &str = "CAA16737-FA36-4D43-B3B6-33F0AA44E76B";
const DISK_SIZE: &str = "2FA54224-CD1B-4876-B211-5DBED83BF4B8";
const SECTOR_SIZE: &str = "8141BF1D-A96F-4709-BA47-F233A8FAAB5F";
const PARENT_LOCATOR: &str = "A8D35F2D-B30B-454D-ABF7-D3D84834AB0C";
/// The table of metadata and, where every program puts them, the items after it.
pub(super) const METADATA_BYTES: u64 = 128 << 10;
/// The format's own bound.
const MOST_METADATA: usize = 2047;
const LARGEST_ITEM: u64 = 1 << 20;
const LARGEST_DISK: u64 = 64 << 40;

/// What a header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) sequence: u64,
    /// In capital letters, without braces.
    pub(super) data_write: String,
    /// None when there is nothing to replay.
    pub(super) log: Option<[u8; 16]>,
    pub(super) log_length: u32,
    pub(super) log_offset: u64,
}

/// The headers and the copies of the region table, as they stand in the file.
pub(super) struct Heads(Vec<u8>);

impl Heads {
    /// Reads them in one request.
    pub(super) fn read(source: &dyn ReadAt) -> Result<Self, PeelError> {
        Ok(Self(read_vec(source, HEADS, HEADS_BYTES)?))
    }

    fn part(&self, at: usize, length: usize) -> &[u8] {
        at.checked_add(length).and_then(|end| self.0.get(at..end)).unwrap_or(&[])
    }

    /// The header that counts.
    pub(super) fn header(&self) -> Result<Header, PeelError> {
        let parse = |at: usize| {
            let bytes = self.part(at, 4096);
            is_sound(bytes, b"head").then(|| header(bytes)).and_then(Result::ok)
        };
        let both = [parse(0), parse(64 << 10)];
        both.into_iter().flatten().max_by_key(|header| header.sequence).ok_or_else(|| {
            PeelError::malformed(FORMAT, HEADS, "a header with its checksum", "none of two")
        })
    }

    /// Where the metadata and the table of blocks are: offset and length.
    pub(super) fn regions(&self) -> Result<[(u64, u64); 2], PeelError> {
        let base = HEADS.saturating_add(128 << 10);
        let copies = [128usize << 10, 192 << 10];
        let table = copies
            .into_iter()
            .map(|at| self.part(at, 64 << 10))
            .find(|table| is_sound(table, b"regi"))
            .ok_or_else(|| {
                PeelError::malformed(
                    FORMAT,
                    base,
                    "a region table with its checksum",
                    "none of two",
                )
            })?;
        let fields = Fields::new(FORMAT, base, table);
        let count = number::index(fields.u32_le(8)?).min(MOST_METADATA);
        let entries = table.get(16..).unwrap_or(&[]).as_chunks::<32>().0;
        let find = |wanted: &str| {
            entries
                .iter()
                .take(count)
                .map(|entry| Fields::new(FORMAT, base, entry))
                .find(|entry| entry.array(0).is_ok_and(|guid| guid_text(guid) == wanted))
        };
        let place = |wanted: &str, what: &str| {
            let entry = find(wanted).ok_or_else(|| fields.wrong(16, what, "none"))?;
            Ok::<_, PeelError>((entry.u64_le(16)?, u64::from(entry.u32_le(24)?)))
        };
        Ok([place(METADATA, "a region of metadata")?, place(BAT, "a region of blocks")?])
    }
}

fn is_sound(bytes: &[u8], magic: &[u8]) -> bool {
    let (Some(begin), Some(sum), Some(rest)) = (bytes.get(..4), bytes.get(4..8), bytes.get(8..))
    else {
        return false;
    };
    begin == magic && sum == crc32c(&[begin, &[0; 4], rest]).to_le_bytes()
}

fn header(bytes: &[u8]) -> Result<Header, PeelError> {
    let fields = Fields::new(FORMAT, HEADS, bytes);
    let log: [u8; 16] = fields.array(48)?;
    Ok(Header {
        sequence: fields.u64_le(8)?,
        data_write: guid_text(fields.array(32)?),
        log: (log != [0; 16]).then_some(log),
        log_length: fields.u32_le(68)?,
        log_offset: fields.u64_le(72)?,
    })
}

/// What the metadata say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Metadata {
    pub(super) block_bytes: u64,
    pub(super) sector_bytes: u64,
    pub(super) disk_bytes: u64,
    /// The keys and values of the parent locator of a differencing disk.
    pub(super) parent: Option<Vec<(String, String)>>,
}

impl Metadata {
    /// Reads the region of metadata.
    pub(super) fn read(source: &dyn ReadAt, offset: u64, length: u64) -> Result<Self, PeelError> {
        let near = read_vec(source, offset, length.min(METADATA_BYTES))?;
        let fields = Fields::new(FORMAT, offset, &near);
        if &fields.array::<8>(0)? != b"metadata" {
            return Err(fields.wrong(0, "a table of metadata", "something else"));
        }
        let count = usize::from(fields.u16_le(10)?);
        if count > MOST_METADATA {
            return Err(fields.wrong(10, "at most 2047 items", count));
        }
        let item = |wanted: &str| -> Result<Option<Vec<u8>>, PeelError> {
            let table = near.get(32..).unwrap_or(&[]).as_chunks::<32>().0;
            let entry = table
                .iter()
                .take(count)
                .map(|entry| Fields::new(FORMAT, offset, entry))
                .find(|entry| entry.array(0).is_ok_and(|guid| guid_text(guid) == wanted));
            let Some(entry) = entry else { return Ok(None) };
            let (at, size) = (u64::from(entry.u32_le(16)?), u64::from(entry.u32_le(20)?));
            if size > LARGEST_ITEM || at.saturating_add(size) > length {
                return Err(entry.wrong(16, "an item inside the metadata", at));
            }
            let index = number::index(at);
            let end = index.saturating_add(number::index(size));
            match near.get(index..end) {
                Some(bytes) => Ok(Some(bytes.to_vec())),
                None => Ok(Some(read_exact_vec(source, offset.saturating_add(at), size)?)),
            }
        };
        let needed =
            |wanted: &str, what: &str| item(wanted)?.ok_or_else(|| fields.wrong(32, what, "none"));
        let parameters = needed(FILE_PARAMETERS, "the file parameters")?;
        let parameters = Fields::new(FORMAT, offset, &parameters);
        let block_bytes = u64::from(parameters.u32_le(0)?);
        let has_parent = parameters.u32_le(4)? & 2 != 0;
        if !block_bytes.is_power_of_two() || !((1 << 20)..=(256 << 20)).contains(&block_bytes) {
            return Err(parameters.wrong(0, "a block of 1 MiB to 256 MiB", block_bytes));
        }
        let disk_bytes = needed(DISK_SIZE, "the size of the disk")?;
        let disk_bytes = Fields::new(FORMAT, offset, &disk_bytes).u64_le(0)?;
        if disk_bytes > LARGEST_DISK {
            return Err(fields.wrong(32, "a disk of at most 64 TiB", disk_bytes));
        }
        let sector_bytes = needed(SECTOR_SIZE, "the size of a sector")?;
        let sector_bytes = u64::from(Fields::new(FORMAT, offset, &sector_bytes).u32_le(0)?);
        if !matches!(sector_bytes, 512 | 4096) {
            return Err(fields.wrong(32, "sectors of 512 or 4096 bytes", sector_bytes));
        }
        let parent = match item(PARENT_LOCATOR)? {
            Some(bytes) if has_parent => Some(locator(&Fields::new(FORMAT, offset, &bytes))?),
            _ if has_parent => Some(Vec::new()),
            _ => None,
        };
        Ok(Self { block_bytes, sector_bytes, disk_bytes, parent })
    }
}

/// A parent locator: 16 type, 2 reserved, 2 count; then 12 bytes each: 4 offset of the key,
/// 4 offset of the value, 2 length of the key, 2 length of the value; texts in UTF-16.
fn locator(fields: &Fields<'_>) -> Result<Vec<(String, String)>, PeelError> {
    let count = usize::from(fields.u16_le(18)?);
    let mut pairs = Vec::new();
    for number in 0..count.min(64) {
        let at = number.saturating_mul(12).saturating_add(20);
        let text = |offset: u32, length: u16| {
            let from = number::index(offset);
            let bytes = fields.bytes().get(from..from.saturating_add(usize::from(length)));
            utf16::text(utf16::units_le(bytes.unwrap_or(&[])))
        };
        let key = text(fields.u32_le(at)?, fields.u16_le(at.saturating_add(8))?);
        let value =
            text(fields.u32_le(at.saturating_add(4))?, fields.u16_le(at.saturating_add(10))?);
        pairs.push((key, value));
    }
    Ok(pairs)
}
