//! The table of disk images: a new format is one new file and one line here.

use super::ewf::Ewf;
use super::forensic::Forensic;
use super::image::Image;
use super::raw::Raw;

/// Every format of disk images. `Raw` comes last: it looks for what lies on a disk.
pub(crate) fn images() -> Vec<Box<dyn Image>> {
    vec![
        Box::new(Ewf),
        Box::new(Forensic::EX01),
        Box::new(Forensic::L01),
        Box::new(Forensic::LX01),
        Box::new(Forensic::AD1),
        Box::new(Forensic::ADCRYPT),
        Box::new(Forensic::AFF),
        Box::new(Raw),
    ]
}
