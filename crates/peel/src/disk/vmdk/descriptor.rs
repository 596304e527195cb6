//! The descriptor of a VMDK.
//!
//! ```text
//! # Disk DescriptorFile
//! CID=123a681c
//! parentCID=ffffffff
//! createType="twoGbMaxExtentSparse"
//! parentFileNameHint="base.vmdk"
//! RW 4192256 SPARSE "disk-s001.vmdk"
//! RW 4192256 FLAT "disk-flat.vmdk" 0
//! RW 63 ZERO
//! ```

/// Lengths and places are counted in these.
pub(super) const SECTOR: u64 = 512;
/// How a descriptor begins, in lower case.
const BEGIN: &[u8] = b"# disk descriptorfile";
/// A disk of 64 TiB in extents of 2 GiB.
const MOST_EXTENTS: usize = 32 << 10;

/// How an extent is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Byte for byte.
    Flat,
    /// By grains, with a table.
    Sparse,
    /// Not at all: zeros.
    Zero,
    /// Outside of files, or in a form that is not read.
    Elsewhere,
}

/// A line about an extent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) length: u64,
    pub(super) kind: Kind,
    pub(super) name: String,
    /// Where it begins in a flat file, in bytes.
    pub(super) offset: u64,
}

/// What a descriptor says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Descriptor {
    pub(super) create_type: String,
    pub(super) content_id: String,
    /// None for a disk without a parent.
    pub(super) parent_id: Option<String>,
    pub(super) parent: Option<String>,
    pub(super) extents: Vec<Line>,
    pub(super) is_encrypted: bool,
}

/// Whether a file begins as a descriptor does.
pub(super) fn is_descriptor(head: &[u8]) -> bool {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    text.get(..BEGIN.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(BEGIN))
}

impl Descriptor {
    /// Reads a descriptor; what is not understood is left out.
    pub(super) fn parse(text: &[u8]) -> Self {
        let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
        let text = String::from_utf8_lossy(text.get(..end).unwrap_or(text));
        let mut found = Self::default();
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
            if let Some(extent) = extent(line) {
                if found.extents.len() < MOST_EXTENTS {
                    found.extents.push(extent);
                }
                continue;
            }
            let Some((key, value)) = line.split_once('=') else { continue };
            let value = value.trim().trim_matches('"').to_owned();
            match key.trim().to_ascii_lowercase().as_str() {
                "cid" => found.content_id = value.to_ascii_lowercase(),
                "parentcid" if !value.eq_ignore_ascii_case("ffffffff") => {
                    found.parent_id = Some(value.to_ascii_lowercase());
                }
                "parentfilenamehint" => found.parent = Some(value),
                "createtype" => found.create_type = value,
                "encryptionkeys" | "encryption.keysafe" => found.is_encrypted = true,
                _ => {}
            }
        }
        found
    }
}

/// `ACCESS SECTORS KIND ["NAME" [OFFSET]]`.
fn extent(line: &str) -> Option<Line> {
    let (access, rest) = line.split_once(char::is_whitespace)?;
    if !["RW", "RDONLY", "NOACCESS"].contains(&access) {
        return None;
    }
    let (sectors, rest) = rest.trim_start().split_once(char::is_whitespace)?;
    let length = sectors.parse::<u64>().ok()?.checked_mul(SECTOR)?;
    let rest = rest.trim_start();
    let (kind, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let kind = match kind {
        "FLAT" | "VMFS" => Kind::Flat,
        "SPARSE" | "VMFSSPARSE" | "SESPARSE" => Kind::Sparse,
        "ZERO" => Kind::Zero,
        _ => Kind::Elsewhere,
    };
    let quoted = rest.split_once('"').and_then(|(_, rest)| rest.split_once('"'));
    let (name, after) = quoted.unwrap_or(("", ""));
    let offset = after.trim().parse::<u64>().unwrap_or(0).saturating_mul(SECTOR);
    Some(Line { length, kind, name: name.to_owned(), offset })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_odd_ones_left_out() {
        let text = b"# Disk DescriptorFile\nCID=FB183C20\nparentCID = ffffffff\n\
            createType=\"custom\"\nRW 10 FLAT \"a b-flat.vmdk\" 3\nRW 4 ZERO \nRW x SPARSE \"c\"\n\
            RDONLY 2 SPARSE \"d.vmdk\"\nRW 7 VMFSRDM \"e-rdm.vmdk\"\0RW 1 ZERO";
        let found = Descriptor::parse(text);
        assert!(is_descriptor(text) && !is_descriptor(b"# Disk"));
        assert_eq!((&*found.content_id, found.parent_id), ("fb183c20", None));
        let extents: Vec<_> = found
            .extents
            .iter()
            .map(|one| (one.length / 512, one.kind, &*one.name, one.offset))
            .collect();
        assert_eq!(
            extents,
            [
                (10, Kind::Flat, "a b-flat.vmdk", 1536),
                (4, Kind::Zero, "", 0),
                (2, Kind::Sparse, "d.vmdk", 0),
                (7, Kind::Elsewhere, "e-rdm.vmdk", 0),
            ]
        );
    }
}
