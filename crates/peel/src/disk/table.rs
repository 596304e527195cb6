//! The table of disk images: a new format is one new file and one line here.

use super::dmg::{Dmg, Encrypted, SparseBundle, SparseImage};
use super::ewf::Ewf;
use super::forensic::{Aff4, Forensic};
use super::image::Image;
use super::parallels::Parallels;
use super::qcow::Qcow;
use super::qed::Qed;
use super::raw::Raw;
use super::told::told;
use super::track::Track;
use super::vdi::Vdi;
use super::vhd::Vhd;
use super::vhdx::Vhdx;
use super::vmdk::Vmdk;

/// Every format of disk images. `Raw` comes last: it looks for what lies on a disk.
pub(crate) fn images() -> Vec<Box<dyn Image>> {
    let mut images: Vec<Box<dyn Image>> = vec![
        Box::new(Vhdx),
        Box::new(Vhd),
        Box::new(Vmdk),
        Box::new(Qcow),
        Box::new(Vdi),
        Box::new(Ewf),
        Box::new(Forensic::EX01),
        Box::new(Forensic::L01),
        Box::new(Forensic::LX01),
        Box::new(Forensic::AD1),
        Box::new(Forensic::ADCRYPT),
        Box::new(Forensic::AFF),
        Box::new(Encrypted),
        Box::new(SparseImage),
        Box::new(Parallels),
        Box::new(Track),
        Box::new(Qed),
    ];
    images.extend(told());
    images.push(Box::new(Raw));
    images
}

/// Those that look like another wrapping from their beginning, and are asked before it: a zip, a
/// compressed stream, a piece of a disk.
pub(crate) fn hidden() -> Vec<Box<dyn Image>> {
    vec![Box::new(Aff4), Box::new(Dmg), Box::new(SparseBundle)]
}
