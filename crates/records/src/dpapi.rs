//! Headers of what Windows protects for a user or a machine (DPAPI): which master key closes it,
//! and how dear a try at that one is. Nothing is decrypted.
//!
//! | offset | size | field of a master key file |
//! | --- | --- | --- |
//! | 0 | 4 | version |
//! | 12 | 72 | its own GUID in UTF-16 |
//! | 96 | 8 each | lengths: master key, backup key, credential history, domain key |
//! | 128 | 4, 16, 4 | the master key: version, salt, rounds |
//!
//! | offset | size | field of a protected blob |
//! | --- | --- | --- |
//! | 0 | 4 | version |
//! | 4 | 16 | the provider, always the same |
//! | 24 | 16 | GUID of the master key |

use lidless_io::number;
use lidless_io::utf16::units_le;
use std::fmt::Write as _;

/// What every protected blob begins with, after its version.
const PROVIDER: [u8; 16] = [
    0xd0, 0x8c, 0x9d, 0xdf, 0x01, 0x15, 0xd1, 0x11, 0x8c, 0x7a, 0x00, 0xc0, 0x4f, 0xc2, 0x97, 0xeb,
];

/// A file with a master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DpapiMasterKey {
    /// Its GUID, which is its file's name.
    pub guid: String,
    /// Rounds of the key derivation.
    pub rounds: u32,
    /// Whether a domain's controllers can open it as well.
    pub for_domain: bool,
}

/// Reads the header of a master key file from its first bytes; none when it is none.
#[must_use]
pub fn dpapi_master_key(head: &[u8]) -> Option<DpapiMasterKey> {
    if !matches!(number::u32_le(head, 0)?, 1 | 2) {
        return None;
    }
    let units: Vec<u16> = units_le(number::slice(head, 12, 72)?).collect();
    let guid = String::from_utf16(&units).ok()?.to_lowercase();
    let is_guid = guid.chars().all(|letter| letter.is_ascii_hexdigit() || letter == '-')
        && guid.chars().filter(|letter| *letter == '-').count() == 4;
    is_guid.then_some(())?;
    let master = number::u64_le(head, 96)?;
    let domain = number::u64_le(head, 120)?;
    let rounds = if master > 0 { number::u32_le(head, 148)? } else { 0 };
    Some(DpapiMasterKey { guid, rounds, for_domain: domain > 0 })
}

/// The GUID of the master key that closes the first protected blob in some bytes; none when
/// there is no blob.
#[must_use]
pub fn dpapi_blob_key(head: &[u8]) -> Option<String> {
    let provider = head.windows(PROVIDER.len()).position(|part| part == PROVIDER)?;
    let id = number::slice(head, provider.checked_add(20)?, 16)?;
    let mut guid = String::new();
    let _ = write!(guid, "{:08x}-", number::u32_le(id, 0)?);
    let _ = write!(guid, "{:04x}-{:04x}-", number::u16_le(id, 4)?, number::u16_le(id, 6)?);
    for (index, byte) in id.get(8..)?.iter().enumerate() {
        let _ = write!(guid, "{}{byte:02x}", if index == 2 { "-" } else { "" });
    }
    Some(guid)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Windows alone writes these; built by the published layout.
    #[test]
    fn headers_say_which_key_closes_what() {
        let guid = "12345678-1234-5678-9abc-def012345678";
        let mut file = vec![2, 0, 0, 0];
        file.resize(12, 0);
        file.extend(guid.encode_utf16().flat_map(u16::to_le_bytes));
        file.resize(96, 0);
        for length in [176u64, 144, 20, 372] {
            file.extend(length.to_le_bytes());
        }
        file.extend(2u32.to_le_bytes());
        file.extend([7; 16]);
        file.extend(8000u32.to_le_bytes());
        let key = dpapi_master_key(&file).unwrap();
        assert_eq!((key.guid.as_str(), key.rounds, key.for_domain), (guid, 8000, true));
        let mut blob = vec![1, 0, 0, 0];
        blob.extend(PROVIDER);
        blob.extend([1, 0, 0, 0]);
        blob.extend([0x78, 0x56, 0x34, 0x12, 0x34, 0x12, 0x78, 0x56]);
        blob.extend([0x9a, 0xbc, 0xde, 0xf0, 0x12, 0x34, 0x56, 0x78]);
        assert_eq!(dpapi_blob_key(&blob).as_deref(), Some(guid));
        for sample in [file, blob] {
            lidless_kit::cut_and_flip(&sample, |bytes| {
                let _ = dpapi_master_key(bytes);
                let _ = dpapi_blob_key(bytes);
            });
        }
    }
}
