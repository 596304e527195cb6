//! QCOW2, versions 2 and 3 (qemu: docs/interop/qcow2.txt).
//!
//! Numbers are big-endian.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | `QFI` FB |
//! | 4 | 4 | version |
//! | 8 | 8 + 4 | offset and length of the name of the backing file |
//! | 20 | 4 | bits of a cluster |
//! | 24 | 8 | length of the disk |
//! | 32 | 4 | encryption: 0 none, 1 AES, 2 LUKS |
//! | 36 | 4 + 8 | entries and offset of the first table (L1) |
//! | 60 | 4 | number of snapshots |
//! | 72 | 8 | features that have to be known: 4 data in another file, 8 another packing, 16 subclusters |
//! | 100 | 4 | length of the header |
//! | 104 | 1 | packing: 0 deflate, 1 Zstandard |
//!
//! After the header stand extensions: 4 type, 4 length, the data padded to 8. An entry of L1 is
//! the offset of a table of one cluster (L2), whose entries are: bit 62 packed; else bits 9 to 55
//! the offset, bit 0 zeros. With subclusters an entry has 8 bytes more: a bit for each of 32 that
//! is there, and above them one for each that is zeros.

use super::fields::Fields;
use super::image::{Disk, Image};
use super::mapped::{Map, Mapped, Origin, Packed, Piece, broken, chunks, entries, tables};
use super::parent::{Raw, Wanted};
use crate::coding::{Coding, decode};
use crate::error::PeelError;
use lidless_core::{Artifact, Limits};
use lidless_io::number::index;
use lidless_io::{BlockCache, ReadError, read_vec};
use serde_json::Value;
use std::io::{Cursor, Read as _};
use std::sync::Arc;

const FORMAT: &str = "QCOW2";
const MAGIC: &[u8] = b"QFI\xfb";
const DATA_FILE: u64 = 4;
const SUBCLUSTERS: u64 = 16;
/// Features that change nothing for reading: not closed well, and a field of the packing.
const HARMLESS: u64 = 1 | 2 | 8;
const BACKING_FORMAT: u32 = 0xe279_2aca;
const DATA_FILE_NAME: u32 = 0x4441_5441;
const OFFSET: u64 = 0x00ff_ffff_ffff_fe00;
/// What qemu allows: 32 MiB of L1.
const MOST_L1: u32 = 4 << 20;
const LONGEST_NAME: u32 = 1023;
/// Header, extensions and names, for clusters larger than the head.
const HEADER_BYTES: u64 = 64 << 10;

/// Disks of QEMU, KVM and Proxmox.
pub(super) struct Qcow;

impl Image for Qcow {
    fn name(&self) -> &'static str {
        FORMAT
    }

    fn recognises(&self, _: &Artifact, head: &[u8]) -> bool {
        head.starts_with(MAGIC)
    }

    fn open(&self, artifact: &Artifact, head: &[u8], limits: &Limits) -> Result<Disk, PeelError> {
        let fields = Fields::new(FORMAT, 0, head);
        let version = fields.u32_be(4)?;
        match version {
            2 | 3 => {}
            1 => return Err(PeelError::Closed("a QCOW of version 1, not looked into".into())),
            other => return Err(fields.wrong(4, "version 1, 2 or 3", other)),
        }
        match fields.u32_be(32)? {
            0 => {}
            1 => return Err(PeelError::Closed("a QCOW2 encrypted with AES".into())),
            2 => return Err(PeelError::Closed("a QCOW2 encrypted with LUKS".into())),
            other => return Err(fields.wrong(32, "an encryption of 0, 1 or 2", other)),
        }
        let bits = fields.u32_be(20)?;
        if !(9..=21).contains(&bits) {
            return Err(fields.wrong(20, "clusters of 9 to 21 bits", bits));
        }
        let features = if version == 3 { fields.u64_be(72)? } else { 0 };
        if features & !(HARMLESS | DATA_FILE | SUBCLUSTERS) != 0 {
            return Err(PeelError::Closed("a QCOW2 with features that are not known".into()));
        }
        let length = fields.u64_be(24)?;
        let entry_bytes = if features & SUBCLUSTERS == 0 { 8 } else { 16 };
        let map = Clusters {
            tables: tables(&artifact.bytes),
            l1: fields.u64_be(40)?,
            l1_count: u64::from(fields.u32_be(36)?),
            cluster: 1u64.wrapping_shl(bits),
            bits,
            entry_bytes,
            has_zeros: version == 3,
            is_child: fields.u64_be(8)? != 0,
            packing: match features & 8 {
                0 => Coding::Deflate,
                _ => match fields.u8(104)? {
                    0 => Coding::Deflate,
                    1 => Coding::Zstd,
                    _ => return Err(PeelError::Closed("a QCOW2 packed in an unknown way".into())),
                },
            },
        };
        let covered = map.l1_count.saturating_mul(map.per_table()).saturating_mul(map.cluster);
        if map.l1_count > u64::from(MOST_L1) || covered < length {
            return Err(fields.wrong(36, "a first table as long as the disk", map.l1_count));
        }
        let mut disk = Disk::new(Arc::clone(&artifact.bytes));
        if fields.u32_be(60)? > 0 {
            disk.gaps.push(("snapshots inside a QCOW2, not looked into".into(), None));
        }
        let names = Names::read(artifact, &fields, version)?;
        let mut image = Arc::clone(&artifact.bytes);
        if features & DATA_FILE != 0 {
            let name = names.data_file.unwrap_or_default();
            let wanted = Wanted { paths: vec![name], identities: vec![], raw: Raw::Always };
            let mut aside = Disk::new(Arc::clone(&image));
            match wanted.find(artifact, limits, &mut aside) {
                Some(data) => image = data.bytes,
                None => {
                    return Err(PeelError::Closed("a QCOW2 whose data file is missing".into()));
                }
            }
        }
        let mut parent = None;
        if map.is_child {
            let raw = match names.backing_format.as_deref() {
                Some("raw") => Raw::Always,
                _ => Raw::Perhaps,
            };
            let wanted = Wanted { paths: vec![names.backing], identities: Vec::new(), raw };
            parent = wanted.find(artifact, limits, &mut disk).map(|parent| parent.bytes);
        }
        disk.bytes = Arc::new(Mapped::new(map, image, parent, length));
        Ok(disk)
    }
}

/// The names of other files.
struct Names {
    backing: String,
    backing_format: Option<String>,
    data_file: Option<String>,
}

impl Names {
    fn read(artifact: &Artifact, head: &Fields<'_>, version: u32) -> Result<Self, PeelError> {
        let (at, length) = (head.u64_be(8)?, head.u32_be(16)?);
        if length > LONGEST_NAME {
            return Err(head.wrong(16, "a name of at most 1023 bytes", length));
        }
        let end = at.saturating_add(u64::from(length)).min(HEADER_BYTES);
        let more = if u64::try_from(head.bytes().len()).is_ok_and(|have| have < end) {
            read_vec(&*artifact.bytes, 0, HEADER_BYTES)?
        } else {
            head.bytes().to_vec()
        };
        let text = |from: usize, length: u32| {
            let to = from.saturating_add(index(length));
            let bytes = more.get(from..to.min(more.len())).unwrap_or(&[]);
            String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned()
        };
        let backing = if at == 0 { String::new() } else { text(index(at), length) };
        let mut names =
            Self { backing: plain_name(backing), backing_format: None, data_file: None };
        let fields = Fields::new(FORMAT, 0, &more);
        let begin = if version == 3 { fields.u32_be(100)?.max(104) } else { 72 };
        let mut at = index(begin);
        // Each extension takes at least 8 bytes of the at most 64 KiB.
        while let (Ok(kind), Ok(length)) = (fields.u32_be(at), fields.u32_be(at.saturating_add(4)))
        {
            let data = at.saturating_add(8);
            match kind {
                0 => break,
                BACKING_FORMAT => names.backing_format = Some(text(data, length)),
                DATA_FILE_NAME => names.data_file = Some(plain_name(text(data, length))),
                _ => {}
            }
            let length = index(length);
            at = data.saturating_add(length).saturating_add(7) & !7;
        }
        Ok(names)
    }
}

/// The path in what qemu also writes as options (`json:{...}`) or with a protocol (`file:`).
fn plain_name(name: String) -> String {
    let options = name.strip_prefix("json:").map(serde_json::from_str::<Value>);
    if let Some(Ok(options)) = options {
        let paths = ["/file/filename", "/filename", "/file.filename"];
        let found = paths.into_iter().find_map(|path| options.pointer(path)?.as_str());
        return found.unwrap_or("").to_owned();
    }
    name.strip_prefix("file:").map_or(name.clone(), str::to_owned)
}

struct Clusters {
    tables: BlockCache,
    l1: u64,
    l1_count: u64,
    cluster: u64,
    bits: u32,
    entry_bytes: u64,
    has_zeros: bool,
    is_child: bool,
    packing: Coding,
}

impl Clusters {
    /// How many clusters one table of the second level covers.
    fn per_table(&self) -> u64 {
        self.cluster.checked_div(self.entry_bytes).unwrap_or(1)
    }

    fn nothing(&self, at: u64) -> Origin {
        if self.is_child { Origin::Parent(at) } else { Origin::Zeros }
    }

    /// A packed cluster: the offset in the low bits, the sectors it takes beyond its first above.
    fn packed(&self, entry: u64) -> Packed {
        let low = 62u32.saturating_sub(self.bits.saturating_sub(8));
        let mask = |bits: u32| 1u64.wrapping_shl(bits).saturating_sub(1);
        let offset = entry & mask(low);
        let sectors = (entry & mask(62)).wrapping_shr(low).saturating_add(1);
        let length = sectors.saturating_mul(512).saturating_sub(offset & 511);
        // A cluster that does not shrink is not packed; Zstandard may add a little.
        let length = length.min(self.cluster.saturating_mul(2));
        Packed { offset, length, unpacked: self.cluster, form: 0 }
    }

    /// The pieces of a cluster kept in 32 parts.
    fn parts(&self, at: u64, within: u64, length: u64, entry: u64, bits: u64) -> Vec<Piece> {
        let host = entry & OFFSET;
        let base = at.saturating_sub(within);
        chunks(within, within.saturating_add(length), self.cluster / 32)
            .map(|(number, inside, length)| {
                let start = (self.cluster / 32).saturating_mul(number).saturating_add(inside);
                let number = u32::try_from(number).unwrap_or(0);
                let is = |bit: u32| bits.wrapping_shr(bit) & 1 == 1;
                let origin = if is(number.saturating_add(32)) {
                    Origin::Zeros
                } else if is(number) && host != 0 {
                    Origin::Stored(host.saturating_add(start))
                } else {
                    self.nothing(base.saturating_add(start))
                };
                Piece { length, origin }
            })
            .collect()
    }
}

impl Map for Clusters {
    fn locate(&self, from: u64, to: u64) -> Result<Vec<Piece>, ReadError> {
        let covered = self.per_table().saturating_mul(self.cluster);
        let mut pieces = Vec::new();
        for (table, inside, length) in chunks(from, to, covered) {
            let start = table.saturating_mul(covered).saturating_add(inside);
            let l1: Vec<[u8; 8]> = entries(&self.tables, self.l1, table, 1)?;
            let l2 = l1.first().map_or(0, |bytes| u64::from_be_bytes(*bytes)) & OFFSET;
            if l2 == 0 {
                pieces.push(Piece { length, origin: self.nothing(start) });
                continue;
            }
            let first = inside.checked_div(self.cluster).unwrap_or(0);
            let end = inside.saturating_add(length).div_ceil(self.cluster);
            // Entries of 16 bytes are read as two numbers.
            let words = self.entry_bytes / 8;
            let numbers: Vec<[u8; 8]> = entries(
                &self.tables,
                l2,
                first.saturating_mul(words),
                end.saturating_sub(first).saturating_mul(words),
            )?;
            let numbers: Vec<u64> = numbers.into_iter().map(u64::from_be_bytes).collect();
            let word = |index: u64| {
                usize::try_from(index).ok().and_then(|index| numbers.get(index)).copied()
            };
            for (number, within, length) in
                chunks(inside, inside.saturating_add(length), self.cluster)
            {
                let at = table
                    .saturating_mul(covered)
                    .saturating_add(number.saturating_mul(self.cluster))
                    .saturating_add(within);
                let index = number.saturating_sub(first).saturating_mul(words);
                let entry = word(index).unwrap_or(0);
                let host = entry & OFFSET;
                let origin = if entry >> 62 & 1 == 1 {
                    Origin::Packed(self.packed(entry), within)
                } else if words == 2 {
                    let bits = word(index.saturating_add(1)).unwrap_or(0);
                    pieces.extend(self.parts(at, within, length, entry, bits));
                    continue;
                } else if self.has_zeros && entry & 1 == 1 {
                    Origin::Zeros
                } else if host == 0 && entry >> 63 == 0 {
                    self.nothing(at)
                } else {
                    Origin::Stored(host.saturating_add(within))
                };
                pieces.push(Piece { length, origin });
            }
        }
        Ok(pieces)
    }

    fn unpack(&self, chunk: &Packed, stored: &[u8]) -> Result<Vec<u8>, ReadError> {
        let mut bytes = Vec::new();
        let reader = decode(self.packing, Cursor::new(stored.to_vec()));
        let read = reader.take(chunk.unpacked).read_to_end(&mut bytes);
        let is_whole = u64::try_from(bytes.len()).is_ok_and(|length| length == chunk.unpacked);
        match read {
            Ok(_) if is_whole => Ok(bytes),
            _ => Err(broken("a packed cluster of a QCOW2 that is not well formed")),
        }
    }
}
