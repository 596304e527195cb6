//! The stream of a pickle, read in order through a small buffer; large payloads are skipped.

use lidless_io::{ReadAt, ReadError, read_vec};

/// Read at a time, and at first: most of what is tried is no pickle after a few bytes.
const CHUNK: u64 = 32 << 10;
const FIRST: u64 = 512;
/// Of a line, this much is kept: code in a string is shorter.
const KEPT_LINE: usize = 1 << 20;
/// A line longer than this is no line of a pickle: protocol 0 writes arrays as one.
const LONGEST_LINE: u64 = 1 << 30;

/// Why a stream could not be read on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The bytes are not a pickle from here on.
    Malformed(String),
    /// The source failed.
    Source(ReadError),
}

#[derive(Clone)]
pub(crate) struct Reader<'a> {
    source: &'a dyn ReadAt,
    length: u64,
    base: u64,
    buffer: Vec<u8>,
    at: usize,
    /// What is read next.
    chunk: u64,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(source: &'a dyn ReadAt, start: u64) -> Self {
        Self { source, length: source.len(), base: start, buffer: Vec::new(), at: 0, chunk: FIRST }
    }

    pub(crate) fn position(&self) -> u64 {
        self.base.saturating_add(u64::try_from(self.at).unwrap_or(0))
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.position() >= self.length
    }

    fn fill(&mut self) -> Result<(), Broken> {
        self.base = self.position();
        self.at = 0;
        self.buffer = read_vec(self.source, self.base, self.chunk).map_err(Broken::Source)?;
        self.chunk = CHUNK;
        Ok(())
    }

    /// The next byte.
    #[inline]
    pub(crate) fn byte(&mut self) -> Result<u8, Broken> {
        if let Some(byte) = self.buffer.get(self.at) {
            self.at = self.at.saturating_add(1);
            return Ok(*byte);
        }
        self.fill()?;
        match self.buffer.first() {
            Some(byte) => {
                self.at = 1;
                Ok(*byte)
            }
            None => Err(Broken::Malformed("the stream ends without STOP".into())),
        }
    }

    /// The next byte without taking it.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        if self.at >= self.buffer.len() {
            self.fill().ok()?;
        }
        self.buffer.get(self.at).copied()
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        let mut array = [0; N];
        for slot in &mut array {
            *slot = self.byte()?;
        }
        Ok(array)
    }

    /// A payload: up to `kept` bytes of it, the rest skipped unread.
    pub(crate) fn payload(&mut self, length: u64, kept: u64) -> Result<Vec<u8>, Broken> {
        let left = self.length.saturating_sub(self.position());
        if length > left {
            return Err(Broken::Malformed(format!("{length} bytes announced, {left} left")));
        }
        let end = self.position().saturating_add(length);
        let room = usize::try_from(kept.min(length)).unwrap_or(usize::MAX);
        let mut bytes = Vec::new();
        while bytes.len() < room {
            if self.at >= self.buffer.len() {
                self.fill()?;
            }
            let rest = self.buffer.get(self.at..).unwrap_or(&[]);
            let take = rest.len().min(room.saturating_sub(bytes.len()));
            if take == 0 {
                return Err(Broken::Malformed("the stream ends inside a payload".into()));
            }
            bytes.extend_from_slice(rest.get(..take).unwrap_or(&[]));
            self.at = self.at.saturating_add(take);
        }
        self.skip_to(end);
        Ok(bytes)
    }

    /// Length of the source in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    fn skip_to(&mut self, position: u64) {
        let ahead = position.saturating_sub(self.base);
        match usize::try_from(ahead) {
            Ok(at) if at <= self.buffer.len() => self.at = at,
            _ => {
                self.base = position;
                self.buffer.clear();
                self.at = 0;
            }
        }
    }

    /// The text up to the next newline; of a long one, its first part.
    pub(crate) fn line(&mut self) -> Result<String, Broken> {
        let mut line = Vec::new();
        let start = self.position();
        loop {
            match self.byte()? {
                b'\n' => break,
                byte if line.len() < KEPT_LINE => line.push(byte),
                _ if self.position().saturating_sub(start) > LONGEST_LINE => {
                    return Err(Broken::Malformed("a line without an end".into()));
                }
                _ => {}
            }
        }
        Ok(String::from_utf8_lossy(&line).into_owned())
    }
}
