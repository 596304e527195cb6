//! Sparse bundles (`.sparsebundle`, `.backupbundle`): a folder whose `Info.plist` gives the size
//! of the disk and of its bands, which are files in `bands/`, named by their number in
//! hexadecimal. A band that is missing is zeros, and so is what a band is short of.

use super::encrypted;
use crate::disk::image::{Disk, Image};
use crate::disk::mapped::{cached, chunks};
use crate::error::PeelError;
use lidless_core::{Artifact, Limits};
use lidless_io::number::{index, wide};
use lidless_io::{ReadAt, ReadError, read_vec};
use memchr::memmem;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

const BUNDLE: &str = "sparse bundle";
/// Bands are of at least a mebibyte; smaller ones than this would cost a look-up each.
const SMALLEST: u64 = 64 << 10;
/// Bands that are kept open.
const OPEN: usize = 64;
/// Missing bands that are remembered.
const MISSING: usize = 1 << 20;

/// A sparse bundle, by its `Info.plist`.
pub(in crate::disk) struct SparseBundle;

/// What a path inside a bundle names, `bands/1f` or `token`; none outside of one.
fn inside(artifact: &Artifact) -> Option<String> {
    let path = artifact.entry.path();
    [".sparsebundle/", ".backupbundle/"].iter().find_map(|end| {
        let (_, inside) = path.rsplit_once(end)?;
        Some(inside.to_owned())
    })
}

fn is_band(inside: &str) -> bool {
    inside.strip_prefix("bands/").is_some_and(|name| {
        (1..=16).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// Whether the bytes are the property list of a bundle, which is XML.
fn describes_bundle(head: &[u8]) -> bool {
    let text = head.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(head).trim_ascii_start();
    let words = [&b"<key>band-size</key>"[..], b"com.apple.diskimage.sparsebundle"];
    text.starts_with(b"<") && words.iter().all(|word| memmem::find(head, word).is_some())
}

impl Image for SparseBundle {
    fn name(&self) -> &'static str {
        BUNDLE
    }

    /// A band is told by where it lies: it is a piece of a disk, and may look like anything.
    fn recognises(&self, artifact: &Artifact, head: &[u8]) -> bool {
        describes_bundle(head)
            || inside(artifact).is_some_and(|inside| is_band(&inside) || inside == "token")
    }

    fn open(&self, artifact: &Artifact, head: &[u8], _: &Limits) -> Result<Disk, PeelError> {
        if !describes_bundle(head) {
            let why = "a band of a sparse bundle whose Info.plist is missing";
            return Err(PeelError::Closed(why.into()));
        }
        let token = artifact.sibling("token");
        let begins = |one: Artifact| read_vec(&*one.bytes, 0, 8).unwrap_or_default();
        if token.map(begins).is_some_and(|token| token.starts_with(encrypted::MAGIC)) {
            let why = "a sparse bundle encrypted with AES (Apple)";
            return Err(PeelError::Closed(why.into()));
        }
        let number = |key: &str| {
            let missing = || PeelError::malformed(BUNDLE, 0, format!("a {key}"), "none");
            number(head, key).filter(|number| *number > 0).ok_or_else(missing)
        };
        let (band, length) = (number("band-size")?, number("size")?);
        if band < SMALLEST {
            return Err(PeelError::malformed(BUNDLE, 0, "a size of bands", band));
        }
        if length > i64::MAX.unsigned_abs() {
            return Err(PeelError::malformed(BUNDLE, 0, "a size", length));
        }
        let bundle = artifact.clone();
        let gap_bytes = artifact.bytes.gap_bytes();
        let bands = Bands { bundle, band, length, gap_bytes, open: Mutex::default() };
        let mut disk = Disk::new(cached(bands));
        disk.facts.push(("band_bytes", band.into()));
        Ok(disk)
    }

    fn is_part(&self, artifact: &Artifact, _: &[u8]) -> bool {
        match inside(artifact).as_deref() {
            // One of the bands asks for the list that describes them all: if that is missing,
            // nothing else would say so.
            Some("bands/0") => artifact.sibling("../Info.plist").is_some(),
            Some("token" | "Info.bckup") => true,
            Some(inside) => is_band(inside),
            None => false,
        }
    }
}

/// The number at a key of a property list.
fn number(list: &[u8], key: &str) -> Option<u64> {
    let key = format!("<key>{key}</key>");
    let at = memmem::find(list, key.as_bytes())?.checked_add(key.len())?;
    let rest = list.get(at..)?.trim_ascii_start().strip_prefix(b"<integer>")?;
    let end = memmem::find(rest, b"</integer>")?;
    std::str::from_utf8(rest.get(..end)?).ok()?.trim().parse().ok()
}

struct Bands {
    /// The property list, which the bands lie beside.
    bundle: Artifact,
    band: u64,
    length: u64,
    gap_bytes: u64,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    /// By number, with when they were last asked for.
    bands: BTreeMap<u64, (Arc<dyn ReadAt>, u64)>,
    missing: std::collections::HashSet<u64>,
    clock: u64,
}

impl Bands {
    fn band(&self, number: u64) -> Option<Arc<dyn ReadAt>> {
        let mut guard = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let open = &mut *guard;
        open.clock = open.clock.saturating_add(1);
        if open.missing.contains(&number) {
            return None;
        }
        if let Some((band, used)) = open.bands.get_mut(&number) {
            *used = open.clock;
            return Some(Arc::clone(band));
        }
        let Some(sibling) = self.bundle.sibling(&format!("bands/{number:x}")) else {
            if open.missing.len() < MISSING {
                open.missing.insert(number);
            }
            return None;
        };
        if open.bands.len() >= OPEN {
            let oldest = open.bands.iter().min_by_key(|(_, (_, used))| *used);
            if let Some(number) = oldest.map(|(number, _)| *number) {
                open.bands.remove(&number);
            }
        }
        open.bands.insert(number, (Arc::clone(&sibling.bytes), open.clock));
        Some(sibling.bytes)
    }
}

impl ReadAt for Bands {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let size = index(self.length.saturating_sub(offset)).min(buffer.len());
        let Some(buffer) = buffer.get_mut(..size) else { return Ok(0) };
        buffer.fill(0);
        for (number, within, length) in chunks(offset, offset.saturating_add(wide(size)), self.band)
        {
            let Some(band) = self.band(number) else { continue };
            let start = number.saturating_mul(self.band).saturating_add(within);
            let at = index(start.saturating_sub(offset));
            if let Some(into) = buffer.get_mut(at..at.saturating_add(index(length))) {
                band.read_at(within, into)?;
            }
        }
        Ok(size)
    }

    fn gap_bytes(&self) -> u64 {
        self.gap_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::beside::Beside;

    const LIST: &str = "<plist><dict><key>band-size</key><integer>1048576</integer>\
        <key>diskimage-bundle-type</key><string>com.apple.diskimage.sparsebundle</string>\
        <key>size</key> <integer>SIZE</integer></dict></plist>";

    fn bundle(size: u64, bands: &[(u64, Vec<u8>)]) -> Beside {
        let mut beside = Beside::default();
        let mut put = |name: String, bytes: Vec<u8>| {
            beside.files.insert(format!("x.sparsebundle/{name}"), bytes);
        };
        put("Info.plist".into(), LIST.replace("SIZE", &size.to_string()).into_bytes());
        for (number, bytes) in bands {
            put(format!("bands/{number:x}"), bytes.clone());
        }
        beside
    }

    fn open(beside: &Beside) -> Result<Disk, PeelError> {
        let artifact = beside.artifact("x.sparsebundle/Info.plist");
        let head = beside.files["x.sparsebundle/Info.plist"].clone();
        assert!(SparseBundle.recognises(&artifact, &head));
        SparseBundle.open(&artifact, &head, &Limits::default())
    }

    #[test]
    fn bands_are_joined_and_what_is_missing_is_zeros() {
        let full: Vec<u8> = (0..1u32 << 20).map(|n| (n % 251) as u8).collect();
        let short = full[..100_000].to_vec();
        let beside = bundle(31 << 19, &[(1, full.clone()), (2, short.clone()), (10, full.clone())]);
        let disk = open(&beside).unwrap().bytes;
        let mut expected = vec![0u8; 31 << 19];
        expected[1 << 20..2 << 20].copy_from_slice(&full);
        expected[2 << 20..(2 << 20) + 100_000].copy_from_slice(&short);
        expected[10 << 20..11 << 20].copy_from_slice(&full);
        assert!(read_vec(&*disk, 0, u64::MAX).unwrap() == expected);
        // One read a band, and one for what may be a token.
        assert!(beside.tally.requests() <= 4, "{}", beside.tally.requests());
        for at in [(1 << 20) - 5, (2 << 20) + 99_990, (3 << 20) - 7, (31 << 19) - 3] {
            let read = read_vec(&*disk, at as u64, 20).unwrap();
            assert_eq!(read, expected[at..(at + 20).min(expected.len())]);
        }
    }

    #[test]
    fn small_reads_on_and_on_become_few_requests() {
        let full = vec![7u8; 1 << 20];
        let beside = bundle(8 << 20, &(0..8).map(|n| (n, full.clone())).collect::<Vec<_>>());
        let disk = open(&beside).unwrap().bytes;
        for at in (0..8u64 << 20).step_by(4096) {
            assert_eq!(read_vec(&*disk, at, 4096).unwrap(), [7; 4096]);
        }
        assert!(beside.tally.requests() <= 24, "{}", beside.tally.requests());
    }

    #[test]
    fn a_size_that_cannot_be_is_malformed() {
        for size in ["0", "99999999999999999999", "-1", "x", "9223372036854775808"] {
            let mut beside = bundle(1, &[]);
            let list = LIST.replace("SIZE", size).into_bytes();
            beside.files.insert("x.sparsebundle/Info.plist".into(), list);
            assert!(matches!(open(&beside), Err(PeelError::Malformed { .. })), "{size}");
        }
        // The largest that can be costs nothing until it is read.
        let disk = open(&bundle(i64::MAX.unsigned_abs(), &[])).unwrap().bytes;
        assert_eq!(read_vec(&*disk, 1 << 60, 4096).unwrap(), [0; 4096]);
    }
}
