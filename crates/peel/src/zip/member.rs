//! The bytes of a member, read only when somebody asks for them.

use lidless_io::{
    Cursor, MemoryBytes, ReadAt, ReadError, ReadErrorKind, SequentialReader, Spool, SpoolError,
    Window, read_vec,
};
use std::sync::{Arc, OnceLock};

/// A member: located on the first read, unpacked on the first read.
pub(crate) struct Member {
    pub(crate) archive: Arc<dyn ReadAt>,
    /// Offset of its local header.
    pub(crate) header: u64,
    pub(crate) name_length: u64,
    pub(crate) method: u16,
    pub(crate) packed: u64,
    pub(crate) unpacked: u64,
    /// The most it may expand to.
    pub(crate) limit: u64,
    pub(crate) opened: OnceLock<Result<Arc<dyn ReadAt>, ReadError>>,
}

fn broken(why: &str) -> ReadError {
    ReadError::new(ReadErrorKind::Malformed, format!("a zip member is broken: {why}"))
}

impl Member {
    fn open(&self) -> Result<Arc<dyn ReadAt>, ReadError> {
        // The local header is 30 bytes, its name, and an extra field of its own length. Reading
        // on a little mostly brings the content along.
        let head = read_vec(&*self.archive, self.header, self.name_length.saturating_add(30))?;
        let mut cursor = Cursor::new(&head);
        let lengths = (|| {
            cursor.skip(26)?;
            Ok::<_, lidless_io::CursorError>((cursor.u16_le()?, cursor.u16_le()?))
        })();
        let (name, extra) = match lengths {
            Ok(lengths) if head.starts_with(b"PK\x03\x04") => lengths,
            _ => return Err(broken("no local header where the directory says")),
        };
        let start = self
            .header
            .saturating_add(30)
            .saturating_add(u64::from(name))
            .saturating_add(u64::from(extra));
        let packed = Window::new(Arc::clone(&self.archive), start, self.packed);
        if self.method == 0 {
            return Ok(Arc::new(packed));
        }
        let source: Arc<dyn ReadAt> = if self.packed <= 1 << 20 {
            Arc::new(MemoryBytes::new(read_vec(&packed, 0, self.packed)?))
        } else {
            Arc::new(packed)
        };
        let reader = SequentialReader::new(source);
        let (bytes, problem) = match self.method {
            8 => Spool::fill(flate2::read::DeflateDecoder::new(reader), self.limit),
            12 => Spool::fill(bzip2_rs::DecoderReader::new(reader), self.limit),
            93 => match ruzstd::decoding::StreamingDecoder::new(reader) {
                Ok(decoder) => Spool::fill(decoder, self.limit),
                Err(_) => return Err(broken("a zstd stream that is none")),
            },
            95 => {
                Spool::fill(lzma_rust2::XzReader::new_mem_limit(reader, true, 64 << 10), self.limit)
            }
            _ => return Err(broken("a compression method that is not known")),
        };
        match problem {
            Some(SpoolError::TooLarge { .. }) => Err(ReadError::new(
                ReadErrorKind::OutOfBudget,
                "a zip member expands past the limit",
            )),
            // What came before the break is what a lenient loader would see.
            Some(SpoolError::Broken { .. }) if bytes.len() == 0 => {
                Err(broken("a stream that breaks off at once"))
            }
            _ => Ok(Arc::new(bytes)),
        }
    }

    fn opened(&self) -> Result<&Arc<dyn ReadAt>, ReadError> {
        self.opened.get_or_init(|| self.open()).as_ref().map_err(Clone::clone)
    }
}

impl ReadAt for Member {
    fn len(&self) -> u64 {
        match self.opened.get() {
            Some(Ok(bytes)) => bytes.len(),
            Some(Err(_)) => 0,
            // Known before anything is read only for stored members; a directory may lie about
            // the others, so they are opened.
            None if self.method == 0 => self.packed,
            None => self.opened().map_or(self.unpacked.min(1), |bytes| bytes.len()),
        }
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        self.opened()?.read_at(offset, buffer)
    }
}
