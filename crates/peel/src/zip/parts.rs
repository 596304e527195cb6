//! Archives that were cut into parts: `NAME.z01`, `NAME.z02`, ..., and `NAME.zip` as the last.

use super::directory::End;
use crate::archive::{Joined, beside};
use lidless_core::Artifact;
use std::sync::Arc;

/// More parts than this are none of a tool.
const MOST: u32 = 999;

/// Whether an artifact is a part that is read through the last one.
pub(super) fn is_part(artifact: &Artifact) -> bool {
    let name = artifact.entry.file_name();
    let Some((stem, end)) = name.rsplit_once('.') else { return false };
    let numbered = end.strip_prefix(['z', 'Z']).is_some_and(|digits| {
        digits.len() >= 2 && digits.bytes().all(|digit| digit.is_ascii_digit())
    });
    numbered
        && [".zip", ".ZIP"].iter().any(|last| beside(artifact, &format!("{stem}{last}")).is_some())
}

/// How many parts lie in front of the one that ends with this record.
pub(super) fn in_front(end: &End) -> Option<u32> {
    (end.part > 0 && end.part <= MOST && end.first_part <= end.part).then_some(end.part)
}

/// All parts of an archive put together, the artifact being the last; where each begins.
pub(super) fn join(artifact: &Artifact, in_front: u32) -> Option<(Artifact, Vec<u64>)> {
    let name = artifact.entry.file_name();
    let (stem, _) = name.rsplit_once('.')?;
    let mut parts = Vec::new();
    for number in 1..=in_front {
        let part = [format!("{stem}.z{number:02}"), format!("{stem}.Z{number:02}")];
        parts.push(part.iter().find_map(|name| beside(artifact, name))?.bytes);
    }
    parts.push(Arc::clone(&artifact.bytes));
    let joined = Joined::new(parts);
    let starts = joined.starts();
    Some((artifact.over(Arc::new(joined)), starts))
}

/// Where what counts in a part lies in the whole.
pub(super) fn shifted(starts: &[u64], part: u32, offset: u64) -> u64 {
    let start = usize::try_from(part).ok().and_then(|part| starts.get(part));
    start.copied().unwrap_or(0).saturating_add(offset)
}
