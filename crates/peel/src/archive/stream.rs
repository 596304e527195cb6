//! Compressed streams: one entry inside, spooled under the limit. A large archive inside is read
//! while it is unpacked: what is passed over in it is never kept.

use super::cpio::{self, is_cpio};
use super::members::Members;
use super::tape::Coming;
use super::tar::{self, is_tar};
use crate::coding::{Coding, decode};
use crate::peeler::{Peeler, Sink};
use lidless_core::{Artifact, Entry, Gap, Layer, Limits};
use lidless_io::{ReadAt, SequentialReader, Spool, SpoolError, read_vec};
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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
            Coding::Lzip => head.starts_with(b"LZIP\x01"),
            Coding::Lzop => head.starts_with(b"\x89LZO\0\r\n\x1a\n"),
            Coding::Compress => {
                head.starts_with(b"\x1f\x9d")
                    && head.get(2).is_some_and(|flags| flags & 0x60 == 0 && flags & 0x1f >= 9)
            }
            Coding::Zlib => is_zlib(artifact, head),
            // Nothing tells raw deflate from noise.
            Coding::Deflate | Coding::Deflate64 => false,
        }
    }

    fn peel(&self, artifact: &Artifact, _head: &[u8], limits: &Limits, sink: &mut dyn Sink) {
        let fed = Arc::new(AtomicU64::new(0));
        let source = SequentialReader::new(Arc::clone(&artifact.bytes));
        let source = Fed { source, fed: Arc::clone(&fed) };
        let mut stream = decode(self.0, source);
        let one = One { coding: self.0, artifact, fed };
        let limit = limits.expanded(artifact.bytes.len());
        let first = limit.min(HELD);
        let (start, problem) = Spool::fill(stream.by_ref().take(first), first);
        if problem.is_some() || start.len() < first || limit <= HELD {
            // Whether more would come is known by asking for it.
            let over = problem.is_none() && start.len() == first && more(&mut *stream);
            one.say(problem.or(over.then_some(SpoolError::TooLarge { limit })), sink);
            return one.give(Arc::new(start), sink);
        }
        let held = match read_vec(&start, 0, first) {
            Ok(held) => held,
            Err(_) => return one.say(Some(SpoolError::TooLarge { limit }), sink),
        };
        if is_tape(&held) {
            let entry = one.entry(None);
            let place = entry.provenance.clone();
            sink.inert(entry, "an archive that is read while it is unpacked");
            let walk = if is_tar(&held) { tar::walk } else { cpio::walk };
            let rest = std::io::Cursor::new(held).chain(stream);
            let mut tape = Coming::new(rest, limit);
            let mut members = Members::new(&place, limits, sink);
            walk(&mut tape, &mut members);
            members.finish();
            return one.say(tape.problem, sink);
        }
        let whole = std::io::Cursor::new(held).chain(stream);
        let (bytes, problem) = Spool::fill(whole, limit);
        one.say(problem, sink);
        one.give(Arc::new(bytes), sink);
    }
}

/// How many bytes of a stream are unpacked before it is decided how the rest is read.
const HELD: u64 = 8 << 20;

/// Whether unpacked bytes begin an archive that can be read front to back.
fn is_tape(start: &[u8]) -> bool {
    is_tar(start) || is_cpio(start)
}

fn more(stream: &mut dyn Read) -> bool {
    let mut one = [0u8; 1];
    matches!(stream.read(&mut one), Ok(1))
}

/// A stream that is being unpacked.
struct One<'a> {
    coding: Coding,
    artifact: &'a Artifact,
    /// How many of its bytes the decoder has taken.
    fed: Arc<AtomicU64>,
}

impl One<'_> {
    fn entry(&self, length: Option<u64>) -> Entry {
        let layer = match inner_name(self.artifact.entry.file_name()) {
            Some(path) => Layer::Member { path },
            None => Layer::Decoded { encoding: self.coding.name().to_owned() },
        };
        Entry::new(self.artifact.entry.provenance.child(layer), length)
    }

    fn give(&self, bytes: Arc<dyn ReadAt>, sink: &mut dyn Sink) {
        if !bytes.is_empty() {
            sink.entry(Artifact::new(self.entry(Some(bytes.len())), bytes));
        }
    }

    /// Says why not all of it was seen, and how many bytes of it were not reached.
    fn say(&self, problem: Option<SpoolError>, sink: &mut dyn Sink) {
        let why = match problem {
            Some(SpoolError::TooLarge { .. }) => "expands past the limit",
            Some(SpoolError::Broken { .. }) => "breaks off",
            None => return,
        };
        let reason = format!("a {} stream that {why}", self.coding.name());
        let left = self.artifact.bytes.len().saturating_sub(self.fed.load(Ordering::Relaxed));
        sink.gap(Gap::new(&self.artifact.entry.provenance, reason, Some(left)));
    }
}

/// Counts what a decoder takes.
struct Fed {
    source: SequentialReader,
    fed: Arc<AtomicU64>,
}

impl Read for Fed {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.fed.fetch_add(u64::try_from(count).unwrap_or(0), Ordering::Relaxed);
        Ok(count)
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
    let name = artifact.entry.lower_file_name();
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
        (".tz", ".tar"),
        (".lz", ""),
        (".z", ""),
        (".tzo", ".tar"),
        (".lzo", ""),
    ] {
        if lower.ends_with(end) {
            let stem = name.get(..name.len().saturating_sub(end.len()))?;
            return (!stem.is_empty()).then(|| format!("{stem}{becomes}"));
        }
    }
    None
}
