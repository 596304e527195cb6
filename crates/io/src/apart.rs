//! Scattered pieces of a source, read past its caches.

use crate::error::ReadError;
use crate::read_at::ReadAt;

/// A source of which every read is a [`ReadAt::read_apart`].
pub struct Apart<'s, S: ReadAt + ?Sized>(pub &'s S);

impl<S: ReadAt + ?Sized> ReadAt for Apart<'_, S> {
    fn len(&self) -> u64 {
        self.0.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        self.0.read_apart(offset, buffer)
    }

    fn gap_bytes(&self) -> u64 {
        self.0.gap_bytes()
    }

    fn lanes(&self) -> usize {
        self.0.lanes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::BlockCache;
    use crate::counted::{Counted, Tally};
    use crate::extents::{Extent, Extents};
    use crate::memory::MemoryBytes;
    use crate::read_at::read_vec;
    use crate::window::Window;
    use std::sync::Arc;

    #[test]
    fn scattered_pieces_pass_the_caches_and_bring_no_more_than_they_are() {
        let data: Vec<u8> = (0..400_000u32).map(|n| (n % 251) as u8).collect();
        let tally = Tally::default();
        let counted = Counted::new(Arc::new(MemoryBytes::new(data.clone())), tally.clone());
        let inner = BlockCache::new(Arc::new(counted), 4096, 1 << 20);
        let outer: Arc<dyn ReadAt> = Arc::new(BlockCache::new(Arc::new(inner), 65536, 1 << 20));
        let whole = Extent { at: 0, length: 300_000, source: Some(100_000) };
        let pieces = Extents::new(outer, vec![whole], 300_000);
        let seen = Counted::new(Arc::new(pieces), Tally::default());
        let window = Window::new(Arc::new(seen), 1000, 200_000);
        for at in (0..200_000u64).step_by(20_000) {
            let from = at as usize + 101_000;
            assert_eq!(read_vec(&Apart(&window), at, 77).unwrap(), data[from..from + 77]);
        }
        assert_eq!((tally.bytes(), tally.requests()), (770, 10));
        // What is kept already costs nothing.
        assert_eq!(read_vec(&window, 50_000, 77).unwrap(), data[151_000..151_077]);
        let before = tally.requests();
        assert_eq!(read_vec(&Apart(&window), 50_010, 50).unwrap(), data[151_010..151_060]);
        assert_eq!(tally.requests(), before);
        assert_eq!(read_vec(&Apart(&window), 199_990, 50).unwrap().len(), 10);
    }
}
