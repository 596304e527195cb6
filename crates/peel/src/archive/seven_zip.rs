//! 7z: an archive whose directory lies at its end. Members of one block are decoded one after
//! the other: what comes first costs least.

use crate::peeler::{Peeler, Sink};
use lidless_core::{Artifact, Entry, Gap, Layer, Limits};
use lidless_io::{BlockCache, ReadAt, Spool};
use sevenz_rust2::{ArchiveReader, EntryDecision, Password};
use std::io::{Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Memory for headers, and for dictionaries: the format's largest usual one.
const MEMORY_KIB: usize = 256 << 10;

/// A 7z archive.
pub(crate) struct SevenZip;

impl Peeler for SevenZip {
    fn name(&self) -> &'static str {
        "7z"
    }

    fn recognises(&self, _artifact: &Artifact, head: &[u8]) -> bool {
        head.starts_with(b"7z\xbc\xaf\x27\x1c")
    }

    fn peel(&self, artifact: &Artifact, _head: &[u8], limits: &Limits, sink: &mut dyn Sink) {
        let place = artifact.entry.provenance.clone();
        let length = artifact.bytes.len();
        // The library is not ours: a panic in it is a gap like any other error.
        let read = catch_unwind(AssertUnwindSafe(|| members(artifact, limits, sink)));
        let why = match read {
            Ok(Ok(())) => return,
            Ok(Err(why)) => why,
            Err(_) => "a 7z archive that cannot be read".to_owned(),
        };
        sink.gap(Gap::new(&place, why, Some(length)));
    }
}

fn reason(error: &sevenz_rust2::Error) -> String {
    use sevenz_rust2::Error;
    match error {
        Error::PasswordRequired | Error::MaybeBadPassword(_) => "an encrypted 7z archive".into(),
        Error::UnsupportedCompressionMethod(method) => {
            format!("a 7z archive compressed by {method}")
        }
        _ => "a 7z archive that breaks off".into(),
    }
}

fn members(artifact: &Artifact, limits: &Limits, sink: &mut dyn Sink) -> Result<(), String> {
    let place = &artifact.entry.provenance;
    let cache = BlockCache::new(Arc::clone(&artifact.bytes), 64 << 10, 8 << 20);
    let source = Seekable { source: cache, at: 0 };
    let mut archive = ArchiveReader::new_with_memory_limit(source, Password::empty(), MEMORY_KIB)
        .map_err(|error| reason(&error))?;
    archive.set_thread_count(1);
    let mut left = limits.expanded(artifact.bytes.len());
    let mut count = 0u64;
    let mut stopped = None;
    let read = archive.for_each_entries_with_decision(|member, bytes| {
        if member.is_directory || !member.has_stream {
            return Ok(EntryDecision::Continue);
        }
        count = count.saturating_add(1);
        if count > limits.members {
            stopped = Some("more members than the limit");
            return Ok(EntryDecision::Stop);
        }
        let (content, problem) = Spool::fill(bytes, left);
        let layer = Layer::Member { path: member.name.clone() };
        let entry = Entry::new(place.child(layer), Some(member.size));
        left = left.saturating_sub(content.len());
        if !content.is_empty() {
            sink.entry(Artifact::new(entry, Arc::new(content)));
        }
        if problem.is_some() {
            stopped = Some("a 7z archive that expands past the limit, or breaks off");
            return Ok(EntryDecision::Stop);
        }
        Ok(EntryDecision::Continue)
    });
    read.map_err(|error| reason(&error))?;
    stopped.map_or(Ok(()), |why| Err(why.to_owned()))
}

/// A positioned source with a position of its own.
struct Seekable {
    source: BlockCache,
    at: u64,
}

impl Read for Seekable {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.source.read_at(self.at, buffer)?;
        self.at = self.at.saturating_add(u64::try_from(count).unwrap_or(0));
        Ok(count)
    }
}

impl Seek for Seekable {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let place = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.source.len().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = place.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}
