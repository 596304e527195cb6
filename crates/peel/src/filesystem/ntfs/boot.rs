//! The boot sector; a copy stands in the last sector of the volume.
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 3 | 8 | `NTFS    ` |
//! | 11 | 2 | bytes a sector, 256 to 4,096 |
//! | 13 | 1 | sectors a cluster; from 0x80 the power of two, negated |
//! | 40 | 8 | sectors of the volume |
//! | 48 | 8 | cluster of `$MFT` |
//! | 56 | 8 | cluster of `$MFTMirr` |
//! | 64 | 1 | clusters a file record; negative: the power of two of its bytes, negated |
//! | 68 | 1 | the same for index records |

use super::fields::u8_at;
use lidless_io::number::{u16_le, u64_le};

/// What the boot sector says, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Geometry {
    /// The length of the volume, without the copy of its boot sector.
    pub(super) volume: u64,
    pub(super) cluster: u64,
    /// Size of a file record.
    pub(super) record: u64,
    /// Offset of the first file record.
    pub(super) table: u64,
    /// Offset of the copy of the first file records.
    pub(super) mirror: u64,
}

impl Geometry {
    /// Reads a boot sector; none when it is not one, or not one that can be true.
    pub(super) fn parse(sector: &[u8]) -> Option<Self> {
        if !is_boot(sector) {
            return None;
        }
        let bytes = u64::from(u16_le(sector, 11)?);
        if !(256..=4096).contains(&bytes) || !bytes.is_power_of_two() {
            return None;
        }
        let sectors = match u8_at(sector, 13)? {
            power @ 0x80.. => 1u64.checked_shl(u32::from(power.wrapping_neg()))?,
            sectors => u64::from(sectors),
        };
        let cluster = bytes.checked_mul(sectors)?;
        // 2 MiB is what Windows formats at most.
        if !sectors.is_power_of_two() || cluster > 2 << 20 {
            return None;
        }
        let record = match u8_at(sector, 64)? {
            power @ 0x80.. => 1u64.checked_shl(u32::from(power.wrapping_neg()))?,
            clusters => cluster.checked_mul(u64::from(clusters))?,
        };
        // 1 KiB, or a sector where that is more.
        if !(512..=4096).contains(&record) || !record.is_power_of_two() {
            return None;
        }
        Some(Self {
            volume: u64_le(sector, 40)?.checked_mul(bytes)?,
            cluster,
            record,
            table: u64_le(sector, 48)?.checked_mul(cluster)?,
            mirror: u64_le(sector, 56)?.checked_mul(cluster)?,
        })
    }
}

/// Whether it is a boot sector of NTFS by its magic.
pub(super) fn is_boot(sector: &[u8]) -> bool {
    sector.get(3..11) == Some(b"NTFS    ")
}

/// Whether what follows a boot sector is the loader that NTFS keeps there: `NTLDR` or `BOOTMGR`,
/// with its length before it.
pub(super) fn is_loader(head: &[u8]) -> bool {
    let starts = [&b"\x05\0N\0T\0L\0D\0R\0"[..], &b"\x07\0B\0O\0O\0T\0M\0G\0R\0"[..]];
    let second = head.get(512..).unwrap_or(&[]);
    starts.iter().any(|start| second.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sector(bytes: u16, sectors: u8, record: u8) -> Vec<u8> {
        let mut sector = vec![0u8; 512];
        sector[3..11].copy_from_slice(b"NTFS    ");
        sector[11..13].copy_from_slice(&bytes.to_le_bytes());
        sector[13] = sectors;
        sector[40] = 200;
        sector[48] = 4;
        sector[64] = record;
        sector
    }

    #[test]
    fn sizes_are_counts_or_negated_powers_of_two() {
        let of = |bytes, sectors, record| Geometry::parse(&sector(bytes, sectors, record));
        let usual = of(512, 8, 0xf6).unwrap();
        assert_eq!((usual.cluster, usual.record, usual.table), (4096, 1024, 16384));
        assert_eq!(of(4096, 1, 1).unwrap().record, 4096);
        assert_eq!(of(512, 0xf4, 0xf6).unwrap().cluster, 2 << 20);
        assert_eq!(of(512, 1, 2).unwrap().record, 1024);
        for (bytes, sectors, record) in [
            (0, 8, 0xf6),
            (500, 8, 0xf6),
            (512, 0, 0xf6),
            (512, 3, 0xf6),
            (512, 0xf3, 0xf6),
            (512, 8, 0x80),
            (512, 8, 0),
            (512, 0x80, 0xf6),
            (512, 8, 0x81),
        ] {
            assert_eq!(of(bytes, sectors, record), None, "{bytes} {sectors} {record}");
        }
    }
}
