//! The GUID partition table (UEFI specification 2.10, section 5.3).
//!
//! Sectors are 512 or 4096 bytes. The first one is a partition table of the old kind with an
//! entry of type EE; the header stands in the second, a copy of it in the last. Numbers are
//! little-endian.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 8 | `EFI PART` |
//! | 12 | 4 | size of the header |
//! | 16 | 4 | CRC-32 of the header, this field as zeros |
//! | 24 | 8 | sector of this header |
//! | 32 | 8 | sector of the other one |
//! | 72 | 8 | first sector of the entries |
//! | 80 | 4 | number of entries |
//! | 84 | 4 | size of one: 128 or more |
//! | 88 | 4 | CRC-32 of the entries |
//!
//! An entry: 16 bytes of type, 16 of its own GUID, 8 first sector, 8 last sector, 8 attributes,
//! 72 of name in UTF-16.

use super::mbr;
use super::part::{Part, Scheme};
use crate::disk::{Fields, guid_text};
use crate::error::PeelError;
use lidless_io::number::index;
use lidless_io::{ReadAt, read_exact_vec, read_vec};

const MAGIC: &[u8] = b"EFI PART";
const SECTORS: [u64; 2] = [512, 4096];
/// Eight times what every tool makes.
const MOST_ENTRIES: u32 = 1024;
const MOST_BYTES: u64 = 1 << 20;
/// The end of a disk: the last header and the usual entries before it, for both sector sizes.
const TAIL: u64 = 24 << 10;

/// Types by GUID: what they hold, and whether that is never files.
const TYPES: [(&str, &str, bool); 43] = [
    ("C12A7328-F81F-11D2-BA4B-00A0C93EC93B", "EFI system", false),
    ("21686148-6449-6E6F-744E-656564454649", "BIOS boot", true),
    ("E3C9E316-0B5C-4DB8-817D-F92DF00215AE", "Microsoft reserved", true),
    ("EBD0A0A2-B9E5-4433-87C0-68B6B72699C7", "Windows data", false),
    ("DE94BBA4-06D1-4D40-A16A-BFD50179D6AC", "Windows recovery", false),
    ("5808C8AA-7E8F-42E0-85D2-E1E90434CFB3", "Windows dynamic disk metadata", true),
    ("AF9B60A0-1431-4F62-BC68-3311714A69AD", "Windows dynamic disk", false),
    ("E75CAF8F-F680-4CEE-AFA3-B001E56EFC2D", "Windows Storage Spaces", false),
    ("37AFFC90-EF7D-4E96-91C3-2D7AE055B174", "IBM GPFS", false),
    ("0FC63DAF-8483-4772-8E79-3D69D8477DE4", "Linux", false),
    ("44479540-F297-41B2-9AF7-D131D5F0458A", "Linux root", false),
    ("4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709", "Linux root", false),
    ("B921B045-1DF0-41C3-AF44-4C6F280D3FAE", "Linux root", false),
    ("69DAD710-2CE4-4E3C-B16C-21A1D49ABED3", "Linux root", false),
    ("BC13C2FF-59E6-4262-A352-B275FD6F7172", "Linux boot", false),
    ("933AC7E1-2EB4-4F13-B844-0E14E2AEF915", "Linux home", false),
    ("3B8F8425-20E0-4F3B-907F-1A25A76F98E8", "Linux server data", false),
    ("4D21B016-B534-45C2-A9FB-5C16E091FD2D", "Linux variable data", false),
    ("0657FD6D-A4AB-43C4-84E5-0933C84B4F4F", "Linux swap", false),
    ("E6D6D379-F507-44C2-A23C-238F2A3DF928", "Linux LVM", false),
    ("A19D880F-05FC-4D3B-A006-743F0F84911E", "Linux RAID", false),
    ("CA7D7CCB-63ED-4C53-861C-1742536059CC", "LUKS", false),
    ("7FFEC5C9-2D00-49B7-8941-3EA10A5586B7", "dm-crypt", false),
    ("8DA63339-0007-60C0-C436-083AC8230908", "Linux reserved", true),
    ("9E1A2D38-C612-4316-AA26-8B49521E5A8B", "PReP boot", true),
    ("48465300-0000-11AA-AA11-00306543ECAC", "Apple HFS+", false),
    ("7C3457EF-0000-11AA-AA11-00306543ECAC", "Apple APFS", false),
    ("69646961-6700-11AA-AA11-00306543ECAC", "Apple APFS boot", false),
    ("52637672-7900-11AA-AA11-00306543ECAC", "Apple APFS recovery", false),
    ("426F6F74-0000-11AA-AA11-00306543ECAC", "Apple boot", false),
    ("53746F72-6167-11AA-AA11-00306543ECAC", "Apple CoreStorage", false),
    ("52414944-0000-11AA-AA11-00306543ECAC", "Apple RAID", false),
    ("55465300-0000-11AA-AA11-00306543ECAC", "Apple UFS", false),
    ("6A898CC3-1DD2-11B2-99A6-080020736631", "ZFS", false),
    ("6A945A3B-1DD2-11B2-99A6-080020736631", "Solaris reserved", true),
    ("83BD6B9D-7F41-11DC-BE0B-001560B84F0F", "FreeBSD boot", true),
    ("516E7CB4-6ECF-11D6-8FF8-00022D09712B", "FreeBSD", false),
    ("516E7CB6-6ECF-11D6-8FF8-00022D09712B", "FreeBSD UFS", false),
    ("516E7CB5-6ECF-11D6-8FF8-00022D09712B", "FreeBSD swap", false),
    ("516E7CBA-6ECF-11D6-8FF8-00022D09712B", "FreeBSD ZFS", false),
    ("AA31E02A-400F-11DB-9590-000C2911D1B8", "VMware VMFS", false),
    ("9D275380-40AD-11DB-BF97-000C2911D1B8", "VMware core dump", true),
    ("4FBD7E29-9D25-41B8-AFD0-062C0CEFF05D", "Ceph", false),
];

/// The GUID partition table.
pub(super) struct Gpt;

impl Scheme for Gpt {
    fn name(&self) -> &'static str {
        "GPT"
    }

    fn parts(&self, disk: &dyn ReadAt, head: &[u8]) -> Option<Result<Vec<Part>, PeelError>> {
        let table = mbr::table(head);
        let protects =
            table.as_ref().is_some_and(|slots| slots.iter().any(|it| it.kind == mbr::PROTECTIVE));
        // A disk that was given another table since may still have an old header.
        if table.is_some() && !protects {
            return None;
        }
        let main = SECTORS.into_iter().find(|sector| has_magic(head, *sector));
        if main.is_none() && !protects {
            return None;
        }
        let mut doubtful = None;
        let mut failed = None;
        if let Some(sector) = main {
            match header(disk, head, 0, sector, sector) {
                Ok(Table { parts, is_sound: true }) => return Some(Ok(parts)),
                Ok(Table { parts, .. }) => doubtful = Some(parts),
                Err(error) => failed = Some(error),
            }
        }
        match backup(disk) {
            Some(Ok(Table { parts, is_sound: true })) => return Some(Ok(parts)),
            Some(Ok(Table { parts, .. })) => doubtful = doubtful.or(Some(parts)),
            Some(Err(error)) => failed = failed.or(Some(error)),
            None => {}
        }
        Some(match (doubtful, failed) {
            (Some(parts), _) => Ok(parts),
            (None, Some(error)) => Err(error),
            (None, None) => Err(PeelError::malformed("GPT", 512, "a header", "none, nor a copy")),
        })
    }
}

struct Table {
    parts: Vec<Part>,
    /// Whether the entries have their checksum.
    is_sound: bool,
}

fn has_magic(bytes: &[u8], at: u64) -> bool {
    usize::try_from(at)
        .ok()
        .and_then(|at| bytes.get(at..))
        .is_some_and(|rest| rest.starts_with(MAGIC))
}

/// The copy in the last sector.
fn backup(disk: &dyn ReadAt) -> Option<Result<Table, PeelError>> {
    let start = disk.len().saturating_sub(TAIL);
    let tail = match read_vec(disk, start, TAIL) {
        Ok(tail) => tail,
        Err(error) => return Some(Err(error.into())),
    };
    let length = u64::try_from(tail.len()).unwrap_or(0);
    let sector = SECTORS
        .into_iter()
        .find(|sector| length.checked_sub(*sector).is_some_and(|at| has_magic(&tail, at)))?;
    Some(header(disk, &tail, start, disk.len().saturating_sub(sector), sector))
}

/// Reads the header at `at` and its entries, from `near` (which begins at `base`) where they lie
/// there.
fn header(
    disk: &dyn ReadAt,
    near: &[u8],
    base: u64,
    at: u64,
    sector: u64,
) -> Result<Table, PeelError> {
    let within = |from: u64, length: u64| {
        let from = usize::try_from(from.checked_sub(base)?).ok()?;
        near.get(from..from.checked_add(usize::try_from(length).ok()?)?)
    };
    let bytes = within(at, 512).unwrap_or(&[]);
    let fields = Fields::new("GPT", at, bytes);
    let size = index(fields.u32_le(12)?);
    let mut summed = match bytes.get(..size) {
        Some(whole) if size >= 92 => whole.to_vec(),
        _ => return Err(fields.wrong(12, "a header of 92 to 512 bytes", size)),
    };
    if let Some(field) = summed.get_mut(16..20) {
        field.fill(0);
    }
    if crc32(&summed) != fields.u32_le(16)? {
        return Err(fields.wrong(16, "the checksum of the header", "another"));
    }
    let first = fields.u64_le(72)?.saturating_mul(sector);
    let (count, entry_size) = (fields.u32_le(80)?, fields.u32_le(84)?);
    if entry_size < 128 || count > MOST_ENTRIES {
        return Err(fields.wrong(80, "up to 1024 entries of 128 bytes or more", count));
    }
    let length = u64::from(count).saturating_mul(u64::from(entry_size));
    if length > MOST_BYTES {
        return Err(fields.wrong(84, "at most 1 MiB of entries", length));
    }
    let entries = match within(first, length) {
        Some(entries) => entries.to_vec(),
        None => read_exact_vec(disk, first, length)?,
    };
    let is_sound = crc32(&entries) == fields.u32_le(88)?;
    let mut parts = Vec::new();
    let entry_size = index(entry_size);
    for (number, entry) in (1u32..).zip(entries.chunks_exact(entry_size)) {
        let fields = Fields::new("GPT", first, entry);
        let kind: [u8; 16] = fields.array(0)?;
        let (begin, last) = (fields.u64_le(32)?, fields.u64_le(40)?);
        if kind == [0; 16] || last < begin {
            continue;
        }
        let sectors = last.saturating_sub(begin).saturating_add(1);
        let text = guid_text(kind);
        let known = TYPES.iter().find(|(guid, ..)| *guid == text);
        parts.push(Part {
            number,
            start: begin.saturating_mul(sector),
            length: sectors.saturating_mul(sector),
            kind: known.map_or(text, |(_, name, _)| (*name).to_owned()),
            is_reserved: known.is_some_and(|(.., reserved)| *reserved),
        });
    }
    Ok(Table { parts, is_sound })
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_io::MemoryBytes;

    const DATA: &str = "A2A0D0EBE5B9334487C068B6B72699C7";

    fn header_of(own: u64, entries_at: u64, entries: &[u8], sector: usize) -> Vec<u8> {
        let mut header = vec![0; sector];
        header[..8].copy_from_slice(MAGIC);
        header[12..16].copy_from_slice(&92u32.to_le_bytes());
        header[24..32].copy_from_slice(&own.to_le_bytes());
        header[72..80].copy_from_slice(&entries_at.to_le_bytes());
        header[80..84].copy_from_slice(&128u32.to_le_bytes());
        header[84..88].copy_from_slice(&128u32.to_le_bytes());
        header[88..92].copy_from_slice(&crc32(entries).to_le_bytes());
        let sum = crc32(&header[..92]);
        header[16..20].copy_from_slice(&sum.to_le_bytes());
        header
    }

    fn disk(sector: usize) -> Vec<u8> {
        let sectors = (4 << 20) / sector;
        let mut disk = vec![0; 4 << 20];
        disk[446 + 4] = 0xee;
        disk[446 + 8] = 1;
        disk[446 + 12..446 + 16].fill(0xff);
        disk[510..512].copy_from_slice(&[0x55, 0xaa]);
        let mut entries = vec![0; 128 * 128];
        for (byte, pair) in entries.iter_mut().zip(DATA.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        }
        entries[32..40].copy_from_slice(&100u64.to_le_bytes());
        entries[40..48].copy_from_slice(&199u64.to_le_bytes());
        let taken = entries.len() / sector;
        disk[sector..2 * sector].copy_from_slice(&header_of(1, 2, &entries, sector));
        disk[2 * sector..2 * sector + entries.len()].copy_from_slice(&entries);
        let last = sectors - 1;
        let copy = header_of(last as u64, (last - taken) as u64, &entries, sector);
        disk[last * sector..].copy_from_slice(&copy);
        disk[(last - taken) * sector..last * sector].copy_from_slice(&entries);
        disk
    }

    fn parts(disk: &[u8]) -> Option<Result<Vec<Part>, PeelError>> {
        let source = MemoryBytes::new(disk.to_vec());
        Gpt.parts(&source, &disk[..72 << 10])
    }

    #[test]
    fn both_sector_sizes_are_read_and_a_broken_table_is_read_from_its_copy() {
        for sector in [512usize, 4096] {
            let whole = disk(sector);
            let expected = vec![Part {
                number: 1,
                start: 100 * sector as u64,
                length: 100 * sector as u64,
                kind: "Windows data".into(),
                is_reserved: false,
            }];
            assert_eq!(parts(&whole), Some(Ok(expected.clone())));
            // The magic, the checksum of the header, and an entry.
            for at in [sector, sector + 16, 2 * sector + 40] {
                let mut broken = whole.clone();
                broken[at] ^= 0xff;
                assert_eq!(parts(&broken), Some(Ok(expected.clone())), "{sector} {at}");
                broken[(4 << 20) - sector + 16] ^= 1;
                let answer = parts(&broken).unwrap();
                // Entries alone that are wrong are still better than nothing.
                assert_eq!(answer.is_ok(), at > 2 * sector, "{sector} {at}");
            }
        }
    }

    #[test]
    fn an_old_header_below_another_table_does_not_count() {
        let mut whole = disk(512);
        whole[446 + 4] = 0x83;
        assert!(parts(&whole).is_none());
        whole[510] = 0;
        assert!(parts(&whole).is_some());
    }

    #[test]
    fn known_types_are_written_as_they_are_compared() {
        for (guid, name, _) in TYPES {
            assert_eq!(guid.len(), 36, "{name}");
            assert_eq!(guid.to_ascii_uppercase(), guid);
        }
        assert_eq!(
            TYPES.iter().map(|(guid, ..)| guid).collect::<std::collections::BTreeSet<_>>().len(),
            TYPES.len()
        );
    }
}
