//! A part of another source.

use crate::error::ReadError;
use crate::number::index;
use crate::read_at::ReadAt;
use bytes::Bytes;
use std::ops::Range;
use std::sync::Arc;

/// The bytes `start..start + length` of a source, as a source of their own.
#[derive(Clone)]
pub struct Window {
    source: Arc<dyn ReadAt>,
    start: u64,
    length: u64,
}

impl Window {
    /// Cuts a window; what lies past the end of `source` is left out.
    #[must_use]
    pub fn new(source: Arc<dyn ReadAt>, start: u64, length: u64) -> Self {
        let start = start.min(source.len());
        let length = length.min(source.len().saturating_sub(start));
        Self { source, start, length }
    }

    /// The offset in the source, and what of the buffer lies inside the window, if any.
    fn cut<'b>(&self, offset: u64, buffer: &'b mut [u8]) -> Option<(u64, &'b mut [u8])> {
        let wanted = index(self.length.saturating_sub(offset)).min(buffer.len());
        let rest = buffer.get_mut(..wanted).filter(|rest| !rest.is_empty())?;
        Some((self.start.saturating_add(offset), rest))
    }
}

impl ReadAt for Window {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        match self.cut(offset, buffer) {
            Some((offset, buffer)) => self.source.read_at(offset, buffer),
            None => Ok(0),
        }
    }

    fn read_apart(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        match self.cut(offset, buffer) {
            Some((offset, buffer)) => self.source.read_apart(offset, buffer),
            None => Ok(0),
        }
    }

    fn read_ranges(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, ReadError> {
        let moved: Vec<Range<u64>> = ranges
            .iter()
            .map(|range| {
                self.start.saturating_add(range.start.min(self.length))
                    ..self.start.saturating_add(range.end.min(self.length))
            })
            .collect();
        self.source.read_ranges(&moved)
    }

    fn gap_bytes(&self) -> u64 {
        self.source.gap_bytes()
    }

    fn lanes(&self) -> usize {
        self.source.lanes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryBytes;
    use crate::read_at::read_vec;

    #[test]
    fn a_window_cannot_be_read_past() {
        let window = Window::new(Arc::new(MemoryBytes::new(&b"0123456789"[..])), 3, 4);
        assert_eq!(read_vec(&window, 0, 100).unwrap(), b"3456");
        assert_eq!(read_vec(&window, 2, 100).unwrap(), b"56");
        assert_eq!(window.read_ranges(&[0..2, 3..9]).unwrap(), vec!["34", "6"]);
        assert_eq!(Window::new(Arc::new(window), 3, u64::MAX).len(), 1);
    }
}
