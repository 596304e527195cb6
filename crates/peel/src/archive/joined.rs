//! Files that were cut into parts, put together again.

use lidless_core::Artifact;
use lidless_io::number::{index, wide};
use lidless_io::{ReadAt, ReadError};
use std::sync::Arc;

/// Parts one after the other.
pub(crate) struct Joined {
    /// Where each begins in the whole.
    parts: Vec<(u64, Arc<dyn ReadAt>)>,
    length: u64,
}

impl Joined {
    pub(crate) fn new(parts: Vec<Arc<dyn ReadAt>>) -> Self {
        let mut length = 0u64;
        let mut placed = Vec::with_capacity(parts.len());
        for part in parts {
            let start = length;
            length = length.saturating_add(part.len());
            placed.push((start, part));
        }
        Self { parts: placed, length }
    }

    /// Where each part begins.
    pub(crate) fn starts(&self) -> Vec<u64> {
        self.parts.iter().map(|(start, _)| *start).collect()
    }
}

impl ReadAt for Joined {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let mut done = 0usize;
        let first = self.parts.partition_point(|(start, _)| *start <= offset).saturating_sub(1);
        for (start, part) in self.parts.get(first..).unwrap_or(&[]) {
            let at = offset.saturating_add(wide(done));
            let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) else { break };
            let within = at.saturating_sub(*start);
            if within >= part.len() {
                continue;
            }
            let left = index(part.len().saturating_sub(within));
            let wanted = rest.len().min(left);
            let Some(slot) = rest.get_mut(..wanted) else { break };
            let count = part.read_at(within, slot)?;
            done = done.saturating_add(count);
            if count < wanted {
                break;
            }
        }
        Ok(done)
    }

    fn gap_bytes(&self) -> u64 {
        self.parts.iter().map(|(_, part)| part.gap_bytes()).max().unwrap_or(0)
    }
}

/// The sibling of an artifact by file name, with bytes in it.
pub(crate) fn beside(artifact: &Artifact, name: &str) -> Option<Artifact> {
    artifact.sibling(name).filter(|one| !one.bytes.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_io::{MemoryBytes, read_vec};

    #[test]
    fn parts_read_as_one() {
        let parts = ["012", "", "34", "5678"];
        let parts = parts.map(|part| Arc::new(MemoryBytes::new(part)) as Arc<dyn ReadAt>);
        let joined = Joined::new(parts.to_vec());
        assert_eq!(joined.starts(), [0, 3, 3, 5]);
        for from in 0..11usize {
            for to in from..11 {
                let got = read_vec(&joined, from as u64, (to - from) as u64).unwrap();
                assert_eq!(got, &b"012345678"[from.min(9)..to.min(9)]);
            }
        }
    }
}
