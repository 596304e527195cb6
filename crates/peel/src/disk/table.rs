//! The table of disk images: a new format is one new file and one line here.

use super::image::Image;
use super::raw::Raw;
use super::track::Track;

/// Every format of disk images. `Raw` comes last: it looks for what lies on a disk.
pub(crate) fn images() -> Vec<Box<dyn Image>> {
    vec![Box::new(Track), Box::new(Raw)]
}
