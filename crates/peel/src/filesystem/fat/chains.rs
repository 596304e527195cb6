//! Chains of clusters: the table of FAT and exFAT, read in pieces where something needs them.

use crate::error::PeelError;
use bytes::Bytes;
use lidless_io::number::index;
use lidless_io::{Extent, Extents, ReadAt, read_merged};
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How much of a table is read at a time. A whole table of FAT12 fits, whose numbers straddle.
const PIECE: u64 = 64 << 10;
/// How many pieces are kept.
const KEPT: usize = 256;
/// In how many runs a file may lie.
const RUNS: usize = 1 << 20;

/// How wide the numbers of a table are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::filesystem) enum Width {
    Bits12,
    Bits16,
    /// Four bytes, of which the upper four bits do not count.
    Bits28,
    /// exFAT.
    Bits32,
}

impl Width {
    /// How many numbers fit into so many bytes.
    pub(super) fn entries(self, bytes: u64) -> u64 {
        match self {
            Self::Bits12 => bytes.saturating_mul(2) / 3,
            Self::Bits16 => bytes / 2,
            Self::Bits28 | Self::Bits32 => bytes / 4,
        }
    }

    fn offset(self, cluster: u32) -> u64 {
        let cluster = u64::from(cluster);
        match self {
            Self::Bits12 => cluster.saturating_add(cluster / 2),
            Self::Bits16 => cluster.saturating_mul(2),
            Self::Bits28 | Self::Bits32 => cluster.saturating_mul(4),
        }
    }

    /// The first number that marks an end.
    fn end(self) -> u32 {
        match self {
            Self::Bits12 => 0xff8,
            Self::Bits16 => 0xfff8,
            Self::Bits28 => 0x0fff_fff8,
            Self::Bits32 => 0xffff_fff8,
        }
    }
}

/// Where the tables and the clusters lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::filesystem) struct Geometry {
    /// For errors.
    pub(in crate::filesystem) format: &'static str,
    pub(in crate::filesystem) width: Width,
    /// Offsets of the tables, the one to believe first.
    pub(in crate::filesystem) tables: Vec<u64>,
    /// Bytes of one table.
    pub(in crate::filesystem) table_bytes: u64,
    /// How many clusters there are; they are numbered from 2.
    pub(in crate::filesystem) clusters: u32,
    /// Offset of cluster 2.
    pub(in crate::filesystem) heap: u64,
    pub(in crate::filesystem) cluster_bytes: u64,
}

impl Geometry {
    /// Whether there is such a cluster.
    pub(in crate::filesystem) fn holds(&self, cluster: u32) -> bool {
        cluster >= 2 && cluster.saturating_sub(2) < self.clusters
    }

    /// Offset of a cluster in the volume.
    pub(in crate::filesystem) fn offset(&self, cluster: u32) -> u64 {
        let number = u64::from(cluster.saturating_sub(2));
        self.heap.saturating_add(number.saturating_mul(self.cluster_bytes))
    }
}

/// Clusters that follow each other: the first, and how many.
pub(in crate::filesystem) type Run = (u32, u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    To(u32),
    End,
    Free,
    /// Bad, reserved, or no cluster of this volume.
    Other,
}

/// The chains of a volume.
pub(in crate::filesystem) struct Chains {
    volume: Arc<dyn ReadAt>,
    pub(in crate::filesystem) geometry: Geometry,
    pieces: Mutex<HashMap<(u64, u64), Bytes>>,
    /// Links followed: more than the volume can have many times over means that its chains are
    /// woven into each other.
    steps: AtomicU64,
    /// Which directory, by its first cluster, each cluster of a directory belongs to.
    owners: Mutex<HashMap<u32, u32>>,
}

impl Chains {
    pub(in crate::filesystem) fn new(volume: Arc<dyn ReadAt>, geometry: Geometry) -> Self {
        let (pieces, owners) = (Mutex::new(HashMap::new()), Mutex::new(HashMap::new()));
        Self { volume, geometry, pieces, steps: AtomicU64::new(0), owners }
    }

    pub(in crate::filesystem) fn volume(&self) -> &Arc<dyn ReadAt> {
        &self.volume
    }

    /// Reads at once what these clusters need of the first table; what fails is read again, and
    /// fails, where it is needed.
    pub(in crate::filesystem) fn expect(&self, clusters: impl Iterator<Item = u32>) {
        let Some(table) = self.geometry.tables.first().copied() else { return };
        let mut wanted: BTreeSet<u64> =
            clusters.map(|cluster| self.geometry.width.offset(cluster) / PIECE).collect();
        {
            let pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
            wanted.retain(|piece| !pieces.contains_key(&(table, *piece)));
        }
        let wanted: Vec<u64> = wanted.into_iter().take(KEPT / 2).collect();
        let ranges: Vec<Range<u64>> =
            wanted.iter().map(|piece| self.range(table, *piece)).collect();
        if let Ok(read) = read_merged(&*self.volume, &ranges) {
            for (piece, bytes) in wanted.into_iter().zip(read) {
                self.keep((table, piece), bytes);
            }
        }
    }

    fn range(&self, table: u64, piece: u64) -> Range<u64> {
        let from = piece.saturating_mul(PIECE).min(self.geometry.table_bytes);
        let to = from.saturating_add(PIECE).min(self.geometry.table_bytes);
        table.saturating_add(from)..table.saturating_add(to)
    }

    fn keep(&self, key: (u64, u64), bytes: Bytes) {
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        if pieces.len() >= KEPT {
            pieces.clear();
        }
        pieces.insert(key, bytes);
    }

    fn piece(&self, table: u64, piece: u64) -> Result<Bytes, PeelError> {
        let key = (table, piece);
        if let Some(bytes) = self.pieces.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(bytes.clone());
        }
        let range = self.range(table, piece);
        let read = read_merged(&*self.volume, std::slice::from_ref(&range))?;
        let bytes = read.into_iter().next().unwrap_or_default();
        self.keep(key, bytes.clone());
        Ok(bytes)
    }

    fn spend(&self, steps: u64) -> Result<(), PeelError> {
        let most = u64::from(self.geometry.clusters).saturating_mul(16).saturating_add(1 << 20);
        let spent = self.steps.fetch_add(steps, Ordering::Relaxed);
        if spent > most {
            return Err(PeelError::Limit("more links between clusters than a volume can have"));
        }
        Ok(())
    }

    /// The chain from `first` on, up to `most` clusters of it. True when it is whole: it reached
    /// its end or `most`. Each table is asked in turn until one has a whole chain.
    ///
    /// # Errors
    /// `Read`, and `Limit` when the volume's chains are longer than the volume.
    pub(in crate::filesystem) fn runs(
        &self,
        first: u32,
        most: u64,
    ) -> Result<(Vec<Run>, bool), PeelError> {
        let mut best: Vec<Run> = Vec::new();
        for table in &self.geometry.tables {
            let (runs, whole) = self.follow(*table, first, most)?;
            if whole {
                return Ok((runs, true));
            }
            let count = |runs: &[Run]| runs.iter().map(|run| u64::from(run.1)).sum::<u64>();
            if count(&runs) > count(&best) {
                best = runs;
            }
        }
        Ok((best, false))
    }

    fn follow(&self, table: u64, first: u32, most: u64) -> Result<(Vec<Run>, bool), PeelError> {
        let mut reader = Reader { chains: self, table, at: None };
        let mut runs: Vec<Run> = Vec::new();
        if !self.geometry.holds(first) {
            return Ok((runs, most == 0));
        }
        let mut cluster = first;
        let mut count = 0u64;
        // A stone is laid at each power of two: who comes by it again walks in a circle.
        let mut stone = (first, 1u64);
        let outcome = loop {
            if count >= most {
                break true;
            }
            if runs.len() >= RUNS {
                return Err(PeelError::Limit("a file in more pieces than the limit"));
            }
            match runs.last_mut() {
                Some((from, length)) if from.checked_add(*length) == Some(cluster) => {
                    *length = length.saturating_add(1);
                }
                _ => runs.push((cluster, 1)),
            }
            count = count.saturating_add(1);
            if count >= most {
                break true;
            }
            match reader.link(cluster)? {
                Link::To(next) => cluster = next,
                Link::End => break most == u64::MAX,
                Link::Free | Link::Other => break false,
            }
            if cluster == stone.0 {
                break false;
            }
            if count >= stone.1 {
                stone = (cluster, stone.1.saturating_mul(2));
            }
        };
        self.spend(count)?;
        Ok((runs, outcome))
    }

    /// Keeps of a directory's clusters, up to `most`, those that are no other directory's; true
    /// when those are all.
    pub(in crate::filesystem) fn claim(
        &self,
        first: u32,
        runs: Vec<Run>,
        whole: bool,
        most: u64,
    ) -> (Vec<Run>, bool) {
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kept: Vec<Run> = Vec::new();
        let mut count = 0u64;
        for (start, length) in runs {
            for cluster in start..start.saturating_add(length) {
                if count >= most || *owners.entry(cluster).or_insert(first) != first {
                    return (kept, false);
                }
                count = count.saturating_add(1);
                match kept.last_mut() {
                    Some((from, length)) if from.checked_add(*length) == Some(cluster) => {
                        *length = length.saturating_add(1);
                    }
                    _ => kept.push((cluster, 1)),
                }
            }
        }
        (kept, whole)
    }

    /// Whether all of `count` clusters from `first` on are free.
    ///
    /// # Errors
    /// As [`Chains::runs`].
    pub(in crate::filesystem) fn are_free(
        &self,
        first: u32,
        count: u64,
    ) -> Result<bool, PeelError> {
        Ok(self.free(first, count)? >= count)
    }

    /// How many clusters from `first` on are free, up to `most`.
    ///
    /// # Errors
    /// As [`Chains::runs`].
    pub(in crate::filesystem) fn free(&self, first: u32, most: u64) -> Result<u64, PeelError> {
        let Some(table) = self.geometry.tables.first().copied() else { return Ok(0) };
        let mut reader = Reader { chains: self, table, at: None };
        let mut count = 0u64;
        let mut cluster = first;
        while count < most && self.geometry.holds(cluster) && reader.link(cluster)? == Link::Free {
            count = count.saturating_add(1);
            cluster = cluster.saturating_add(1);
        }
        self.spend(count)?;
        Ok(count)
    }

    /// Runs of clusters as `length` bytes.
    pub(in crate::filesystem) fn extents(&self, runs: &[Run], length: u64) -> Extents {
        let mut at = 0u64;
        let pieces = runs.iter().map(|(first, count)| {
            let bytes = u64::from(*count).saturating_mul(self.geometry.cluster_bytes);
            let bytes = bytes.min(length.saturating_sub(at));
            let source = Some(self.geometry.offset(*first));
            let piece = Extent { at, length: bytes, source };
            at = at.saturating_add(bytes);
            piece
        });
        Extents::new(Arc::clone(&self.volume), pieces.collect(), length)
    }
}

struct Reader<'a> {
    chains: &'a Chains,
    table: u64,
    at: Option<(u64, Bytes)>,
}

impl Reader<'_> {
    fn link(&mut self, cluster: u32) -> Result<Link, PeelError> {
        let geometry = &self.chains.geometry;
        let offset = geometry.width.offset(cluster);
        let number = offset / PIECE;
        let bytes = match &self.at {
            Some((at, bytes)) if *at == number => bytes,
            _ => {
                let bytes = self.chains.piece(self.table, number)?;
                &self.at.insert((number, bytes)).1
            }
        };
        let from = index(offset.saturating_sub(number.saturating_mul(PIECE)));
        let rest = bytes.get(from..).unwrap_or(&[]);
        let value = match (geometry.width, rest) {
            (Width::Bits12, [low, high, ..]) => {
                let both = u32::from(u16::from_le_bytes([*low, *high]));
                if cluster & 1 == 0 { both & 0xfff } else { both >> 4 }
            }
            (Width::Bits16, [low, high, ..]) => u32::from(u16::from_le_bytes([*low, *high])),
            (Width::Bits28, [a, b, c, d, ..]) => u32::from_le_bytes([*a, *b, *c, *d]) & 0x0fff_ffff,
            (Width::Bits32, [a, b, c, d, ..]) => u32::from_le_bytes([*a, *b, *c, *d]),
            _ => return Ok(Link::Other),
        };
        Ok(match value {
            0 => Link::Free,
            next if geometry.holds(next) => Link::To(next),
            end if end >= geometry.width.end() => Link::End,
            _ => Link::Other,
        })
    }
}
