//! Mapping pairs: where the clusters of an attribute lie.
//!
//! Each pair is a byte whose lower half says how many bytes the length has and whose upper half
//! how many the distance to the run before, both in clusters, signed; no distance is a hole. A
//! byte of 0 ends them.

use super::boot::Geometry;
use lidless_io::{Extent, Extents, ReadAt};
use std::sync::Arc;

/// Clusters that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    /// The first one, in the attribute.
    pub(super) vcn: u64,
    /// How many.
    pub(super) length: u64,
    /// The first one on the volume; none for a hole.
    pub(super) lcn: Option<u64>,
}

/// Reads mapping pairs that begin at `first_vcn`; none when they are not well formed.
pub(super) fn decode(pairs: &[u8], first_vcn: u64) -> Option<Vec<Run>> {
    let mut runs = Vec::new();
    let (mut rest, mut vcn, mut lcn) = (pairs, first_vcn, 0i64);
    while let Some((head, after)) = rest.split_first() {
        if *head == 0 {
            break;
        }
        let (length, after) = after.split_at_checked(usize::from(head & 15))?;
        let (distance, after) = after.split_at_checked(usize::from(head >> 4))?;
        rest = after;
        let length = u64::try_from(signed(length)?).ok().filter(|length| *length > 0)?;
        let place = if distance.is_empty() {
            None
        } else {
            lcn = lcn.checked_add(signed(distance)?)?;
            // -1 marks a hole in volumes of NTFS 1.2.
            if lcn == -1 { None } else { Some(u64::try_from(lcn).ok()?) }
        };
        runs.push(Run { vcn, length, lcn: place });
        vcn = vcn.checked_add(length).filter(|vcn| *vcn < 1 << 52)?;
    }
    Some(runs)
}

fn signed(bytes: &[u8]) -> Option<i64> {
    let last = *bytes.last()?;
    let mut whole = if last & 0x80 == 0 { [0u8; 8] } else { [0xff; 8] };
    whole.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(i64::from_le_bytes(whole))
}

/// Puts runs together to `length` bytes; what lies past `initialised` reads as zeros.
pub(super) fn extents(
    volume: &Arc<dyn ReadAt>,
    geometry: &Geometry,
    runs: &[Run],
    length: u64,
    initialised: u64,
) -> Extents {
    let mut pieces: Vec<Extent> = Vec::with_capacity(runs.len());
    for run in runs {
        let Some(lcn) = run.lcn else { continue };
        let at = run.vcn.saturating_mul(geometry.cluster);
        let bytes = run.length.saturating_mul(geometry.cluster);
        let bytes = bytes.min(initialised.saturating_sub(at));
        let source = lcn.saturating_mul(geometry.cluster);
        pieces.push(Extent { at, length: bytes, source: Some(source) });
    }
    Extents::new(Arc::clone(volume), pieces, length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_signed_and_holes_keep_the_place() {
        let pairs = [0x21, 0x18, 0x34, 0x56, 0x11, 4, 0xf0, 0x01, 9, 0x11, 1, 0x02, 0, 0xff];
        let run = |vcn, length, lcn| Run { vcn, length, lcn };
        assert_eq!(
            decode(&pairs, 7).unwrap(),
            [
                run(7, 0x18, Some(0x5634)),
                run(31, 4, Some(0x5624)),
                run(35, 9, None),
                run(44, 1, Some(0x5626))
            ]
        );
        for broken in [&[0x11, 1][..], &[0x11, 0, 1], &[0x11, 0xff, 1], &[0x11, 1, 0x80], &[0x19]] {
            assert_eq!(decode(broken, 0), None, "{broken:?}");
        }
        lidless_kit::cut_and_flip(&pairs, |bytes| {
            let _ = decode(bytes, u64::MAX);
        });
    }
}
