//! Compressed streams: one entry inside, spooled under the limit.

use crate::coding::{Coding, decode};
use crate::peeler::{Peeler, Sink};
use lidless_core::{Artifact, Entry, Gap, Layer, Limits};
use lidless_io::{ReadAt as _, SequentialReader, Spool, SpoolError};
use std::io::Read as _;
use std::sync::Arc;

/// A compressed stream.
pub(crate) struct Stream(pub(crate) Coding);

impl Peeler for Stream {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn recognises(&self, artifact: &Artifact, head: &[u8]) -> bool {
        match self.0 {
            Coding::Gzip => {
                head.starts_with(b"\x1f\x8b\x08") && head.get(3).is_some_and(|f| f & 0xe0 == 0)
            }
            Coding::Bzip2 => {
                let begins = |magic: &[u8]| head.get(4..10) == Some(magic);
                head.starts_with(b"BZh")
                    && (begins(b"\x31\x41\x59\x26\x53\x59") || begins(b"\x17\x72\x45\x38\x50\x90"))
            }
            Coding::Xz => head.starts_with(b"\xfd7zXZ\0"),
            Coding::Zstd => {
                let skippable = head.first().is_some_and(|first| first & 0xf0 == 0x50)
                    && head.get(1..4) == Some(b"\x2a\x4d\x18");
                head.starts_with(b"\x28\xb5\x2f\xfd") || skippable
            }
            Coding::Lz4 => head.starts_with(b"\x04\x22\x4d\x18"),
            Coding::Lzma => is_lzma(head),
            Coding::Zlib => is_zlib(artifact, head),
            // Nothing tells raw deflate from noise.
            Coding::Deflate => false,
        }
    }

    fn peel(&self, artifact: &Artifact, _head: &[u8], limits: &Limits, sink: &mut dyn Sink) {
        let place = &artifact.entry.provenance;
        let source = SequentialReader::new(Arc::clone(&artifact.bytes));
        let limit = limits.expanded(artifact.bytes.len());
        let (bytes, problem) = Spool::fill(decode(self.0, source), limit);
        match problem {
            Some(SpoolError::TooLarge { .. }) => {
                let reason = format!("a {} stream that expands past the limit", self.name());
                sink.gap(Gap::new(place, reason, None));
            }
            Some(SpoolError::Broken { .. }) => {
                let reason = format!("a {} stream that breaks off", self.name());
                sink.gap(Gap::new(place, reason, None));
            }
            None => {}
        }
        if bytes.is_empty() {
            return;
        }
        let layer = match inner_name(&artifact.entry.file_name()) {
            Some(path) => Layer::Member { path },
            None => Layer::Decoded { encoding: self.name().to_owned() },
        };
        let entry = Entry::new(place.child(layer), Some(bytes.len()));
        sink.entry(Artifact::new(entry, Arc::new(bytes)));
    }
}

/// The old format of LZMA has no magic number: its usual properties, a dictionary size that is
/// a power of two or the sum of two, a length that is unknown or below 256 GiB (as xz guesses).
fn is_lzma(head: &[u8]) -> bool {
    let Some((header, _)) = head.split_first_chunk::<13>() else { return false };
    let [0x5d, a, b, c, d, length @ ..] = *header else { return false };
    let dictionary = u32::from_le_bytes([a, b, c, d]);
    let length = u64::from_le_bytes(length);
    let usual = dictionary.count_ones() == 1
        || (dictionary.count_ones() == 2 && (dictionary & dictionary.wrapping_shr(1)) != 0);
    // The first byte of the range coder is always zero.
    usual
        && dictionary >= 1 << 12
        && (length == u64::MAX || length < 1 << 38)
        && head.get(13) == Some(&0)
}

/// The two bytes of zlib are weak: the beginning must decode, and to something that is looked
/// for, unless the name says that the file is compressed.
fn is_zlib(artifact: &Artifact, head: &[u8]) -> bool {
    let [0x78, flags @ (0x01 | 0x5e | 0x9c | 0xda), ..] = *head else { return false };
    if !(0x7800u16 | u16::from(flags)).is_multiple_of(31) {
        return false;
    }
    let mut start = Vec::new();
    let bytes = head.to_vec();
    let decoder = flate2::read::ZlibDecoder::new(std::io::Cursor::new(bytes));
    // The head ends in the middle of the stream: an error then says nothing.
    let _ = decoder.take(600).read_to_end(&mut start);
    let name = artifact.entry.file_name().to_ascii_lowercase();
    let said = [".z", ".zz", ".zlib", ".joblib", ".pkl", ".pickle"];
    if said.iter().any(|end| name.ends_with(end)) {
        return !start.is_empty();
    }
    let pickle = matches!(start.as_slice(), [0x80, 2..=5, ..]);
    let git = [b"blob ", b"tree ", &b"commit "[..]].iter().any(|word| start.starts_with(word));
    pickle || git || start.starts_with(b"PK\x03\x04") || start.get(257..262) == Some(b"ustar")
}

/// The name of what is inside, when the name outside tells it.
fn inner_name(name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    for (end, becomes) in [
        (".tgz", ".tar"),
        (".taz", ".tar"),
        (".tbz2", ".tar"),
        (".tbz", ".tar"),
        (".tb2", ".tar"),
        (".txz", ".tar"),
        (".tlz", ".tar"),
        (".tzst", ".tar"),
        (".svgz", ".svg"),
        (".gz", ""),
        (".bz2", ""),
        (".xz", ""),
        (".lzma", ""),
        (".zst", ""),
        (".zstd", ""),
        (".lz4", ""),
        (".zz", ""),
        (".zlib", ""),
    ] {
        if lower.ends_with(end) {
            let stem = name.get(..name.len().saturating_sub(end.len()))?;
            return (!stem.is_empty()).then(|| format!("{stem}{becomes}"));
        }
    }
    None
}
