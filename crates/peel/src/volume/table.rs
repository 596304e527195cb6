//! The tables of partition schemes and of holders: a new one is one new file and one line here.

use super::apm::ApplePartitions;
use super::bitlocker::BitLocker;
use super::core_storage::CoreStorage;
use super::gpt::Gpt;
use super::luks::Luks;
use super::lvm::Lvm;
use super::mbr::Mbr;
use super::md::Md;
use super::part::{Holder, Part, Scheme};
use super::told::told;
use crate::error::PeelError;
use crate::filesystem::ApfsContainer;
use lidless_io::ReadAt;

/// Every partition scheme, the surest first.
fn schemes() -> Vec<Box<dyn Scheme>> {
    vec![Box::new(Gpt), Box::new(ApplePartitions), Box::new(Mbr)]
}

/// Every holder.
fn holders() -> Vec<Box<dyn Holder>> {
    let mut holders: Vec<Box<dyn Holder>> = vec![
        Box::new(BitLocker),
        Box::new(Luks),
        Box::new(Lvm),
        Box::new(Md),
        Box::new(ApfsContainer),
        Box::new(CoreStorage),
    ];
    holders.extend(told());
    holders
}

/// The parts of a disk and the name of its table; none when it has none.
pub(crate) fn parts(
    disk: &dyn ReadAt,
    head: &[u8],
) -> Option<(&'static str, Result<Vec<Part>, PeelError>)> {
    schemes().into_iter().find_map(|scheme| Some((scheme.name(), scheme.parts(disk, head)?)))
}

/// The holder that a volume begins with.
pub(crate) fn holder(volume: &dyn ReadAt, head: &[u8]) -> Option<Box<dyn Holder>> {
    holders().into_iter().find(|holder| holder.recognises(volume, head))
}
