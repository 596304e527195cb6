//! The tables of partition schemes and of holders: a new one is one new file and one line here.

use super::apm::ApplePartitions;
use super::core_storage::CoreStorage;
use super::part::{Holder, Part, Scheme};
use crate::error::PeelError;
use crate::filesystem::ApfsContainer;
use lidless_io::ReadAt;

/// Every partition scheme, the surest first.
fn schemes() -> Vec<Box<dyn Scheme>> {
    vec![Box::new(ApplePartitions)]
}

/// Every holder.
fn holders() -> Vec<Box<dyn Holder>> {
    vec![Box::new(ApfsContainer), Box::new(CoreStorage)]
}

/// The parts of a disk and the name of its table; none when it has none.
pub(super) fn parts(
    disk: &dyn ReadAt,
    head: &[u8],
) -> Option<(&'static str, Result<Vec<Part>, PeelError>)> {
    schemes().into_iter().find_map(|scheme| Some((scheme.name(), scheme.parts(disk, head)?)))
}

/// The holder that a volume begins with.
pub(super) fn holder(volume: &dyn ReadAt, head: &[u8]) -> Option<Box<dyn Holder>> {
    holders().into_iter().find(|holder| holder.recognises(volume, head))
}
