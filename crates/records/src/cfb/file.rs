//! A compound file: its allocation tables and its streams.

use super::directory::{Root, Stored, StoredKind, read};
use super::header::{Header, LAST_SECTOR, malformed};
use crate::error::RecordError;
use lidless_io::number::{index, u32_le, wide};
use lidless_io::{BlockCache, Extent, Extents, ReadAt, read_merged, read_vec};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What the small reads of the tables cost, and how far they run ahead.
const BLOCK_BYTES: u64 = 32 << 10;
const CACHE_BYTES: u64 = 4 << 20;
const AHEAD_BYTES: u64 = 1 << 20;
/// The most that one table may take in memory: that of a file of 8 GiB.
const LARGEST_TABLE: u64 = 64 << 20;
/// The largest directory: half a million entries.
const LARGEST_DIRECTORY: u64 = 64 << 20;
const MINI_SECTOR: u64 = 64;

/// A compound file that was opened. Streams are read on demand.
pub struct CompoundFile {
    source: Arc<dyn ReadAt>,
    sector_bytes: u64,
    cutoff: u64,
    fat: Vec<u32>,
    mini_fat: Vec<u32>,
    mini: Arc<dyn ReadAt>,
    root: Root,
    stored: Vec<Stored>,
    /// Where each path, in lower case, stands in `stored`.
    by_path: HashMap<String, usize>,
}

impl CompoundFile {
    /// Opens a compound file: reads its header, its tables and its directory.
    ///
    /// # Errors
    /// `Malformed` for what is none, or has no directory; `Limit` for tables past every bound;
    /// `Read`.
    pub fn open(source: Arc<dyn ReadAt>) -> Result<Self, RecordError> {
        let cache = BlockCache::new(source, BLOCK_BYTES, CACHE_BYTES).reading_ahead(AHEAD_BYTES);
        let source: Arc<dyn ReadAt> = Arc::new(cache);
        let header = Header::parse(&read_vec(&*source, 0, 512)?)?;
        let mut file = Self {
            sector_bytes: header.sector_bytes,
            cutoff: header.cutoff,
            fat: Vec::new(),
            mini_fat: Vec::new(),
            mini: Arc::new(Extents::new(Arc::clone(&source), Vec::new(), 0)),
            root: Root::default(),
            stored: Vec::new(),
            by_path: HashMap::new(),
            source,
        };
        let tables = file.fat_sectors(&header)?;
        file.fat = file.numbers(&tables)?;
        let directory = file.chain(header.directory, LARGEST_DIRECTORY);
        if directory.is_empty() {
            return Err(malformed(48, "a directory", header.directory));
        }
        let bytes = file.gather(&directory)?;
        (file.root, file.stored) = read(&bytes, header.version);
        for (index, one) in file.stored.iter().enumerate().filter(|(_, one)| one.is_reached) {
            file.by_path.entry(one.path.to_ascii_lowercase()).or_insert(index);
        }
        let mini_fat = file.chain(header.mini_fat, LARGEST_TABLE);
        file.mini_fat = file.numbers(&mini_fat)?;
        let length = file.root.length_bytes;
        file.mini = Arc::new(file.laid(&file.chain(file.root.start, length), length));
        Ok(file)
    }

    /// Length of the whole file in bytes.
    #[must_use]
    pub fn length_bytes(&self) -> u64 {
        self.source.len()
    }

    /// Everything in the directory but its root; what its tree does not lead to comes last.
    #[must_use]
    pub fn stored(&self) -> &[Stored] {
        &self.stored
    }

    /// The entry at a path, compared without regard to case as the format wants it.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&Stored> {
        self.by_path.get(&path.to_ascii_lowercase()).and_then(|index| self.stored.get(*index))
    }

    /// The class of the whole file: which program made it.
    #[must_use]
    pub fn class_id(&self) -> [u8; 16] {
        self.root.class_id
    }

    /// The bytes of a stream. It ends where its chain of sectors ends, if that is before the
    /// length in the directory; loops end at that length.
    #[must_use]
    pub fn stream(&self, stored: &Stored) -> Arc<dyn ReadAt> {
        if stored.kind != StoredKind::Stream {
            return Arc::new(Extents::new(Arc::clone(&self.source), Vec::new(), 0));
        }
        let length = stored.length_bytes;
        if length < self.cutoff {
            let sectors = follow(&self.mini_fat, stored.start, length.div_ceil(MINI_SECTOR));
            let pieces = pieces(&sectors, MINI_SECTOR, 0);
            let length = length.min(total(&pieces));
            return Arc::new(Extents::new(Arc::clone(&self.mini), pieces, length));
        }
        Arc::new(self.laid(&self.chain(stored.start, length), length))
    }

    /// Reads at most `most` bytes of the stream at a path; none when there is no such stream.
    ///
    /// # Errors
    /// `Read`.
    pub fn read(&self, path: &str, most: u64) -> Result<Option<Vec<u8>>, RecordError> {
        match self.find(path) {
            Some(stored) if stored.kind == StoredKind::Stream => {
                Ok(Some(read_vec(&*self.stream(stored), 0, most)?))
            }
            _ => Ok(None),
        }
    }

    /// The sectors of the FAT: those in the header, and those in the chain of DIFAT sectors,
    /// whose last number is the next of them.
    fn fat_sectors(&self, header: &Header) -> Result<Vec<u32>, RecordError> {
        let mut sectors = header.fat.clone();
        let mut seen = HashSet::new();
        let mut next = header.difat;
        let numbers = usize::try_from(self.sector_bytes).unwrap_or(512) / 4;
        while next < LAST_SECTOR && seen.insert(next) {
            let bytes = read_vec(&*self.source, self.offset(next), self.sector_bytes)?;
            let last = numbers.saturating_sub(1);
            for index in 0..last {
                match u32_le(&bytes, index.saturating_mul(4)) {
                    Some(sector) if sector < LAST_SECTOR => sectors.push(sector),
                    _ => {}
                }
            }
            if table_bytes(sectors.len(), self.sector_bytes) > LARGEST_TABLE {
                return Err(RecordError::Limit("a compound file with tables past the limit"));
            }
            next = u32_le(&bytes, last.saturating_mul(4)).unwrap_or(u32::MAX);
        }
        Ok(sectors)
    }

    fn offset(&self, sector: u32) -> u64 {
        u64::from(sector).saturating_add(1).saturating_mul(self.sector_bytes)
    }

    /// The numbers in sectors of a table.
    fn numbers(&self, sectors: &[u32]) -> Result<Vec<u32>, RecordError> {
        let bytes = self.gather(sectors)?;
        Ok(bytes.chunks_exact(4).filter_map(|four| u32_le(four, 0)).collect())
    }

    /// The bytes of whole sectors, those that follow each other with one request.
    fn gather(&self, sectors: &[u32]) -> Result<Vec<u8>, RecordError> {
        if table_bytes(sectors.len(), self.sector_bytes) > LARGEST_TABLE {
            return Err(RecordError::Limit("a compound file with tables past the limit"));
        }
        let ranges: Vec<_> = sectors
            .iter()
            .map(|sector| self.offset(*sector))
            .map(|start| start..start.saturating_add(self.sector_bytes))
            .collect();
        let size = usize::try_from(self.sector_bytes).unwrap_or(512);
        let mut whole = Vec::with_capacity(sectors.len().saturating_mul(size));
        for (count, bytes) in (1usize..).zip(read_merged(&*self.source, &ranges)?) {
            whole.extend_from_slice(&bytes);
            // Past the end nothing is allocated, and what follows keeps its place.
            whole.resize(count.saturating_mul(size), 0xff);
        }
        Ok(whole)
    }

    /// The sectors of a chain, as many as `length` bytes need.
    fn chain(&self, start: u32, length: u64) -> Vec<u32> {
        let most = length.div_ceil(self.sector_bytes);
        let inside = self.source.len().div_ceil(self.sector_bytes);
        follow(&self.fat, start, most.min(inside))
    }

    fn laid(&self, sectors: &[u32], length: u64) -> Extents {
        let pieces = pieces(sectors, self.sector_bytes, self.sector_bytes);
        let length = length.min(total(&pieces));
        Extents::new(Arc::clone(&self.source), pieces, length)
    }
}

fn table_bytes(sectors: usize, sector_bytes: u64) -> u64 {
    wide(sectors).saturating_mul(sector_bytes)
}

/// Follows a chain for at most `most` steps. One that comes back to its first sector ends there;
/// other loops end with the steps.
fn follow(table: &[u32], start: u32, most: u64) -> Vec<u32> {
    let most = index(most).min(table.len());
    let mut found = Vec::new();
    let mut next = start;
    while next < LAST_SECTOR && found.len() < most {
        let Some(after) = usize::try_from(next).ok().and_then(|index| table.get(index)) else {
            break;
        };
        found.push(next);
        next = *after;
        if next == start {
            break;
        }
    }
    found
}

/// Sectors as pieces, those that follow each other as one; `first` is where sector 0 lies.
fn pieces(sectors: &[u32], sector_bytes: u64, first: u64) -> Vec<Extent> {
    let mut pieces: Vec<Extent> = Vec::new();
    let mut at = 0u64;
    for sector in sectors {
        let source = u64::from(*sector).saturating_mul(sector_bytes).saturating_add(first);
        match pieces.last_mut() {
            Some(last)
                if last.source.map(|start| start.saturating_add(last.length)) == Some(source) =>
            {
                last.length = last.length.saturating_add(sector_bytes);
            }
            _ => pieces.push(Extent { at, length: sector_bytes, source: Some(source) }),
        }
        at = at.saturating_add(sector_bytes);
    }
    pieces
}

fn total(pieces: &[Extent]) -> u64 {
    pieces.last().map_or(0, |last| last.at.saturating_add(last.length))
}
