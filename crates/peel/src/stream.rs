//! Compressed streams: one entry inside, spooled under the limit.

use crate::peeler::{Peeler, Sink};
use lidless_core::{Artifact, Entry, Gap, Layer, Limits};
use lidless_io::{ReadAt as _, SequentialReader, Spool, SpoolError};
use std::io::Read;
use std::sync::Arc;

/// How a stream is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    Bzip2,
    Xz,
    Zstd,
}

/// A compressed stream.
pub(crate) struct Stream(pub(crate) Coding);

/// Dictionaries larger than this are refused: they are memory that the stream asks for.
const XZ_MEMORY_KIB: u32 = 64 << 10;

impl Peeler for Stream {
    fn name(&self) -> &'static str {
        match self.0 {
            Coding::Gzip => "gzip",
            Coding::Bzip2 => "bzip2",
            Coding::Xz => "xz",
            Coding::Zstd => "zstd",
        }
    }

    fn recognises(&self, _artifact: &Artifact, head: &[u8]) -> bool {
        match self.0 {
            Coding::Gzip => {
                head.starts_with(b"\x1f\x8b\x08") && head.get(3).is_some_and(|f| f & 0xe0 == 0)
            }
            Coding::Bzip2 => {
                head.starts_with(b"BZh") && head.get(4..10) == Some(b"\x31\x41\x59\x26\x53\x59")
            }
            Coding::Xz => head.starts_with(b"\xfd7zXZ\0"),
            Coding::Zstd => head.starts_with(b"\x28\xb5\x2f\xfd"),
        }
    }

    fn peel(&self, artifact: &Artifact, _head: &[u8], limits: &Limits, sink: &mut dyn Sink) {
        let place = &artifact.entry.provenance;
        let source = SequentialReader::new(Arc::clone(&artifact.bytes));
        let limit = limits.expanded(artifact.bytes.len());
        let reader: Box<dyn Read> = match self.0 {
            Coding::Gzip => Box::new(flate2::read::MultiGzDecoder::new(source)),
            Coding::Bzip2 => Box::new(bzip2_rs::DecoderReader::new(source)),
            Coding::Xz => {
                Box::new(lzma_rust2::XzReader::new_mem_limit(source, true, XZ_MEMORY_KIB))
            }
            Coding::Zstd => match ruzstd::decoding::StreamingDecoder::new(source) {
                Ok(decoder) => Box::new(decoder),
                Err(error) => {
                    let reason = format!("a broken zstd stream: {error}");
                    sink.gap(Gap::new(place, reason, Some(artifact.bytes.len())));
                    return;
                }
            },
        };
        let (bytes, problem) = Spool::fill(reader, limit);
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
        if bytes.len() == 0 {
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

/// The name of what is inside, when the name outside tells it.
fn inner_name(name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    for (end, becomes) in [
        (".tgz", ".tar"),
        (".tbz2", ".tar"),
        (".tbz", ".tar"),
        (".txz", ".tar"),
        (".tzst", ".tar"),
        (".gz", ""),
        (".bz2", ""),
        (".xz", ""),
        (".zst", ""),
    ] {
        if lower.ends_with(end) {
            let stem = name.get(..name.len().saturating_sub(end.len()))?;
            return (!stem.is_empty()).then(|| format!("{stem}{becomes}"));
        }
    }
    None
}
