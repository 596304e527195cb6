//! The bytes of a member, read only when somebody asks for them.

use super::local::{Local, local};
use crate::archive::Known;
use crate::coding::{Coding, decode, lzma_of_zip};
use lidless_io::{
    MemoryBytes, ReadAt, ReadError, ReadErrorKind, SequentialReader, Spool, SpoolError, Window,
    read_vec,
};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Members up to this size are read in one go, with their header.
const WHOLE: u64 = 1 << 20;
/// How long the extra field of a local header mostly is at most: it is read along.
const EXTRA: u64 = 160;

/// Whether a compression method can be undone.
pub(super) fn is_supported(method: u16) -> bool {
    matches!(method, 0 | 8 | 9 | 12 | 14 | 93 | 95)
}

/// A member: located on the first read, unpacked on the first read.
pub(super) struct Member {
    pub(super) archive: Arc<Known>,
    /// Offset of its local header.
    pub(super) header: u64,
    pub(super) name_length: u64,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) packed: u64,
    pub(super) unpacked: u64,
    /// The run of members that it is fetched with; empty when it is fetched alone.
    pub(super) run: Range<u64>,
    /// The most it may expand to.
    pub(super) limit: u64,
    pub(super) opened: OnceLock<Opened>,
}

/// A member that was opened.
pub(super) struct Opened {
    /// What its local header says, when there is one.
    pub(super) local: Option<Local>,
    /// Why not all of it is there, when some of it is.
    pub(super) problem: Option<&'static str>,
    /// What is there.
    pub(super) bytes: Result<Arc<dyn ReadAt>, ReadError>,
}

fn broken(why: &str) -> ReadError {
    ReadError::new(ReadErrorKind::Malformed, format!("a zip member is broken: {why}"))
}

impl Member {
    pub(super) fn opened(&self) -> &Opened {
        self.opened.get_or_init(|| {
            let mut opened = Opened { local: None, problem: None, bytes: Err(broken("")) };
            opened.bytes = self.open(&mut opened.local, &mut opened.problem);
            opened
        })
    }

    /// Whether it reads well as it is: an encryption flag that lies does not keep it from that.
    pub(super) fn is_plain(&self) -> bool {
        if self.method == 0 {
            // Encryption puts twelve bytes in front.
            return self.packed == self.unpacked;
        }
        let opened = self.opened();
        opened.problem.is_none()
            && opened.bytes.as_ref().is_ok_and(|bytes| bytes.len() == self.unpacked)
    }

    fn open(
        &self,
        found: &mut Option<Local>,
        problem: &mut Option<&'static str>,
    ) -> Result<Arc<dyn ReadAt>, ReadError> {
        let whole = if self.packed <= WHOLE { self.packed } else { 0 };
        let guess = self.name_length.saturating_add(30 + EXTRA).saturating_add(whole);
        let head = self.archive.read_in(&self.run, self.header, guess)?;
        let Some(local) = local(&head) else {
            return Err(broken("no local header where the directory says"));
        };
        let start = local.length;
        *found = Some(local);
        let packed: Arc<dyn ReadAt> = match usize::try_from(start)
            .ok()
            .and_then(|start| Some(start..start.checked_add(usize::try_from(self.packed).ok()?)?))
            .filter(|range| range.end <= head.len())
        {
            Some(range) => Arc::new(MemoryBytes::new(head.slice(range))),
            None => {
                let archive: Arc<dyn ReadAt> = self.archive.clone();
                let window = Window::new(archive, self.header.saturating_add(start), self.packed);
                if window.len() < self.packed {
                    *problem = Some("a zip member that breaks off");
                }
                if self.packed <= WHOLE {
                    Arc::new(MemoryBytes::new(read_vec(&window, 0, self.packed)?))
                } else {
                    Arc::new(window)
                }
            }
        };
        if self.method == 0 {
            return Ok(packed);
        }
        let reader = SequentialReader::new(packed);
        let stream = match self.method {
            8 => decode(Coding::Deflate, reader),
            9 => decode(Coding::Deflate64, reader),
            12 => decode(Coding::Bzip2, reader),
            // Bit 1 says that the stream marks its own end.
            14 => lzma_of_zip(reader, (self.flags & 2 == 0).then_some(self.unpacked))?,
            93 => decode(Coding::Zstd, reader),
            95 => decode(Coding::Xz, reader),
            _ => return Err(broken("a compression method that is not known")),
        };
        let (bytes, failure) = Spool::fill(stream, self.limit);
        match failure {
            // What came before the break is what a lenient loader would see.
            Some(SpoolError::Broken { .. }) if bytes.is_empty() => {
                return Err(broken("a stream that breaks off at once"));
            }
            Some(SpoolError::Broken { .. }) => *problem = Some("a zip member that breaks off"),
            Some(SpoolError::TooLarge { .. }) => {
                *problem = Some("a zip member that expands past the limit");
            }
            None => {}
        }
        Ok(Arc::new(bytes))
    }
}

impl ReadAt for Member {
    fn len(&self) -> u64 {
        match self.opened.get() {
            None if self.method == 0 => {
                self.packed.min(self.archive.len().saturating_sub(self.header))
            }
            // A directory may lie about the others, so they are opened. One that cannot be read
            // still is not empty: reading it says why.
            _ => self.opened().bytes.as_ref().map_or(1, |bytes| bytes.len()),
        }
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        self.opened().bytes.as_ref().map_err(Clone::clone)?.read_at(offset, buffer)
    }
}
