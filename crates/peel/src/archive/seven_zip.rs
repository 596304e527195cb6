//! 7z (7zFormat.txt of the LZMA SDK): an archive whose directory lies at its end, mostly
//! compressed itself. The directory is read first, in one request; a block of members is decoded
//! only as far as something in it is worth it.
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 6 | `7z bc af 27 1c` |
//! | 6 | 2 | version |
//! | 12 | 8 | offset of the directory, from 32 |
//! | 20 | 8 | its size |

use super::known::Known;
use super::members::{About, Members};
use super::tape::{Coming, Lying, Tape};
use crate::coding::{Coding, decode};
use crate::peeler::{Peeler, Sink};
use crate::time::filetime_seconds;
use bytes::Bytes;
use lidless_core::{Artifact, Entry, Gap, Interest, Limits};
use lidless_io::{BlockCache, Cursor, ReadAt, SequentialReader, Spool, Window, read_vec};
use sevenz_rust2::{Archive, ArchiveEntry, BlockDecoder, EncoderMethod, Error, Password};
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Memory for headers, and for dictionaries: the format's largest usual one.
const MEMORY_KIB: usize = 256 << 10;
const START: u64 = 32;
/// What is read in front of the directory: it is mostly compressed, and lies there then.
const IN_FRONT: u64 = 256 << 10;
/// The largest directory that is read ahead.
const LARGEST: u64 = 16 << 20;

/// A 7z archive.
pub(crate) struct SevenZip;

impl Peeler for SevenZip {
    fn name(&self) -> &'static str {
        "7z"
    }

    fn recognises(&self, _artifact: &Artifact, head: &[u8]) -> bool {
        head.starts_with(b"7z\xbc\xaf\x27\x1c")
    }

    fn peel(&self, artifact: &Artifact, head: &[u8], limits: &Limits, sink: &mut dyn Sink) {
        let place = artifact.entry.provenance.clone();
        let length = artifact.bytes.len();
        // The library is not ours: a panic in it is a gap like any other error.
        let read = catch_unwind(AssertUnwindSafe(|| open(artifact, head, limits, sink)));
        let why = match read {
            Ok(Ok(())) => return,
            Ok(Err(why)) => why,
            Err(_) => "a 7z archive that cannot be read".to_owned(),
        };
        sink.gap(Gap::new(&place, why, Some(length)));
    }
}

fn reason(error: &Error) -> String {
    match error {
        Error::PasswordRequired | Error::MaybeBadPassword(_) => {
            "a 7z archive whose directory is encrypted".into()
        }
        Error::UnsupportedCompressionMethod(method) if method.contains("AES") => {
            "a 7z archive whose directory is encrypted".into()
        }
        Error::UnsupportedCompressionMethod(method) => {
            format!("a 7z archive compressed by {method}")
        }
        _ => "a 7z archive that breaks off".into(),
    }
}

/// Reads the directory, and what it compresses in front of it, in one request.
fn known(artifact: &Artifact, head: &[u8]) -> Known {
    let mut known = Known::new(Arc::clone(&artifact.bytes), head);
    let mut cursor = Cursor::new(head);
    let place = cursor.skip(12).and_then(|()| Ok((cursor.u64_le()?, cursor.u64_le()?)));
    if let Ok((offset, size)) = place {
        let start = START.saturating_add(offset);
        let from = start.saturating_sub(IN_FRONT);
        let size = size.min(LARGEST).saturating_add(start.saturating_sub(from));
        if let Ok(bytes) = read_vec(&known, from, size) {
            known.keep(from, Bytes::from(bytes));
        }
    }
    known
}

fn open(
    artifact: &Artifact,
    head: &[u8],
    limits: &Limits,
    sink: &mut dyn Sink,
) -> Result<(), String> {
    let known: Arc<dyn ReadAt> = Arc::new(known(artifact, head));
    let mut source = Seekable { source: Arc::clone(&known), at: 0 };
    let archive = Archive::read_with_memory_limit(&mut source, &Password::empty(), MEMORY_KIB)
        .map_err(|error| reason(&error))?;
    let mut members = Members::new(&artifact.entry.provenance, limits, sink);
    let mut blocks: Vec<Vec<usize>> = vec![Vec::new(); archive.blocks.len()];
    for (index, file) in archive.files.iter().enumerate() {
        if file.is_directory {
            continue;
        }
        if !members.one_more(None) {
            break;
        }
        let block = archive.stream_map.file_block_index.get(index).copied().flatten();
        match block.and_then(|block| blocks.get_mut(block)).filter(|_| file.has_stream) {
            Some(block) => block.push(index),
            None => {
                let entry = members.entry(&about(file));
                members.sink.inert(entry, "an empty member");
            }
        }
    }
    let left = limits.expanded(artifact.bytes.len());
    let cache = BlockCache::new(Arc::clone(&known), 64 << 10, 8 << 20).reading_ahead(1 << 20);
    // Decoders of the library read byte by byte.
    let source = BufReader::with_capacity(64 << 10, Seekable { source: Arc::new(cache), at: 0 });
    let stored = Lying::new(known);
    let mut all = Blocks { artifact, archive: &archive, source, stored, members, left };
    for (block, files) in blocks.into_iter().enumerate() {
        all.block(block, &files);
    }
    all.members.finish();
    Ok(())
}

fn about(file: &ArchiveEntry) -> About {
    let mut about = About::new(file.name.clone(), file.size);
    if file.has_last_modified_date {
        about.modified = filetime_seconds(u64::from(file.last_modified_date));
    }
    about
}

/// How a block of members is read.
enum How {
    /// It lies there as it is.
    Stored,
    /// By a coding of our own.
    Own(Coding),
    /// By the library.
    Library,
    /// Not at all.
    Closed(String),
}

struct Blocks<'a> {
    artifact: &'a Artifact,
    archive: &'a Archive,
    source: BufReader<Seekable>,
    /// The archive, for members that are stored.
    stored: Lying,
    members: Members<'a>,
    /// How much more may come out of the archive.
    left: u64,
}

impl Blocks<'_> {
    fn block(&mut self, block: usize, files: &[usize]) {
        let archive = self.archive;
        let found = |index: &usize| archive.files.get(*index);
        let how = self.how(block);
        if let How::Closed(why) = &how {
            for file in files.iter().filter_map(found) {
                self.members.closed(&about(file), why.clone());
            }
            return;
        }
        let entries: Vec<(About, Entry)> = files
            .iter()
            .filter_map(found)
            .map(|file| {
                let about = about(file);
                let entry = self.members.entry(&about);
                (about, entry)
            })
            .collect();
        let wanted: Vec<bool> = entries
            .iter()
            .map(|(_, entry)| self.members.sink.interest(entry) != Interest::None)
            .collect();
        // What lies behind the last wanted member is not decoded.
        let count =
            wanted.iter().rposition(|wanted| *wanted).map_or(0, |last| last.saturating_add(1));
        for (_, entry) in entries.iter().skip(count) {
            self.members.sink.inert(entry.clone(), LISTED);
        }
        if count == 0 {
            return;
        }
        let needed = entries.iter().take(count).map(|(about, _)| about.length);
        let needed = needed.fold(0u64, u64::saturating_add);
        let mut queue = entries.into_iter().zip(wanted).take(count);
        let whole = match how {
            How::Stored => {
                let (start, _) = self.packed(block);
                give(&mut self.members, &mut self.stored, start, &mut queue)
            }
            How::Own(coding) => {
                let reader = SequentialReader::new(Arc::new(self.window(block)));
                let mut tape = Coming::new(decode(coding, reader), self.left);
                let whole = give(&mut self.members, &mut tape, 0, &mut queue);
                self.left = self.left.saturating_sub(needed);
                whole && tape.problem.is_none()
            }
            How::Library | How::Closed(_) => self.library(block, &mut queue),
        };
        if !whole {
            let mut bytes = 0u64;
            for ((about, entry), _) in queue {
                bytes = bytes.saturating_add(about.length);
                self.members.sink.inert(entry, "a member of an archive that cannot be opened");
            }
            let why = "a 7z archive that expands past the limit, or breaks off";
            self.members.gap(why, Some(bytes));
        }
    }

    fn how(&self, block: usize) -> How {
        let Some(coders) = self.archive.blocks.get(block).map(|block| &block.coders) else {
            return How::Closed("a 7z archive that breaks off".to_owned());
        };
        let own = |id: &[u8]| match id {
            EncoderMethod::ID_DEFLATE => Some(Coding::Deflate),
            EncoderMethod::ID_DEFLATE64 => Some(Coding::Deflate64),
            EncoderMethod::ID_BZIP2 => Some(Coding::Bzip2),
            EncoderMethod::ID_ZSTD => Some(Coding::Zstd),
            EncoderMethod::ID_LZ4 => Some(Coding::Lz4),
            _ => None,
        };
        let ids = || coders.iter().map(|coder| coder.encoder_method_id());
        if ids().any(|id| id == EncoderMethod::ID_AES256_SHA256) {
            return How::Closed("encrypted members of a 7z archive".to_owned());
        }
        if let [one] = coders.as_slice() {
            if one.encoder_method_id() == EncoderMethod::ID_COPY {
                return How::Stored;
            }
            if let Some(coding) = own(one.encoder_method_id()) {
                return How::Own(coding);
            }
        }
        let library: [&[u8]; 14] = [
            EncoderMethod::ID_COPY,
            EncoderMethod::ID_DELTA,
            EncoderMethod::ID_LZMA,
            EncoderMethod::ID_LZMA2,
            EncoderMethod::ID_PPMD,
            EncoderMethod::ID_BCJ_X86,
            EncoderMethod::ID_BCJ2,
            EncoderMethod::ID_BCJ_PPC,
            EncoderMethod::ID_BCJ_IA64,
            EncoderMethod::ID_BCJ_ARM,
            EncoderMethod::ID_BCJ_ARM64,
            EncoderMethod::ID_BCJ_ARM_THUMB,
            EncoderMethod::ID_BCJ_SPARC,
            EncoderMethod::ID_BCJ_RISCV,
        ];
        match ids().find(|id| !library.contains(id)) {
            None => How::Library,
            Some(_) => {
                How::Closed("a member of a 7z archive compressed in a way that is not read".into())
            }
        }
    }

    fn window(&self, block: usize) -> Window {
        let (start, size) = self.packed(block);
        Window::new(Arc::clone(&self.artifact.bytes), start, size)
    }

    /// Where the packed bytes of a block begin that has one stream of them, and their number.
    fn packed(&self, block: usize) -> (u64, u64) {
        let map = &self.archive.stream_map;
        let stream = map.block_first_pack_stream_index().get(block).copied().unwrap_or(usize::MAX);
        let offset = map.pack_stream_offsets().get(stream).copied().unwrap_or(u64::MAX);
        let size = self.archive.pack_sizes().get(stream).copied().unwrap_or(0);
        (START.saturating_add(self.archive.pack_pos()).saturating_add(offset), size)
    }

    /// Hands out what the library decodes; false when it could not to the end.
    fn library(&mut self, block: usize, queue: &mut impl Iterator<Item = Queued>) -> bool {
        let password = Password::empty();
        let decoder = BlockDecoder::new_with_memory_limit(
            1,
            MEMORY_KIB,
            block,
            self.archive,
            &password,
            &mut self.source,
        );
        let (members, left) = (&mut self.members, &mut self.left);
        let mut whole = true;
        let mut more = true;
        let read = decoder.for_each_entries(&mut |file, bytes| {
            if !file.has_stream || file.is_directory {
                return Ok(true);
            }
            let Some(((about, entry), wanted)) = queue.next() else {
                more = false;
                return Ok(false);
            };
            // What is passed over is decoded as well.
            if file.size > *left {
                whole = false;
                return Ok(false);
            }
            *left = left.saturating_sub(file.size);
            if !wanted {
                members.sink.inert(entry, LISTED);
                return Ok(true);
            }
            let (content, problem) = Spool::fill(bytes, about.length);
            if !content.is_empty() {
                members.sink.entry(Artifact::new(entry, Arc::new(content)));
            }
            whole = problem.is_none();
            Ok(whole)
        });
        whole && (read.is_ok() || !more)
    }
}

const LISTED: &str = "a member of an archive that is listed only";

/// Hands out members that follow each other on a tape from `at` on; false when it ended before
/// them.
fn give(
    members: &mut Members<'_>,
    tape: &mut dyn Tape,
    mut at: u64,
    queue: &mut impl Iterator<Item = Queued>,
) -> bool {
    for ((about, entry), wanted) in queue {
        let start = at;
        at = at.saturating_add(about.length);
        if !wanted {
            members.sink.inert(entry, LISTED);
            continue;
        }
        let Ok(bytes) = tape.member(start, about.length) else { return false };
        let short = bytes.len() < about.length;
        if !bytes.is_empty() {
            members.sink.entry(Artifact::new(entry, bytes));
        }
        if short {
            return false;
        }
    }
    true
}

type Queued = ((About, Entry), bool);

/// A positioned source with a position of its own.
struct Seekable {
    source: Arc<dyn ReadAt>,
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
