//! The table of disk images: a new format is one new file and one line here.

use super::image::Image;
use super::parallels::Parallels;
use super::qcow::Qcow;
use super::qed::Qed;
use super::raw::Raw;
use super::told::told;
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
        Box::new(Parallels),
        Box::new(Qed),
    ];
    images.extend(told());
    images.push(Box::new(Raw));
    images
}
