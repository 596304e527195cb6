//! Archives and compressed streams.

mod ahead;
mod ar;
mod cab;
mod cpio;
mod known;
mod members;
mod rar;
mod rpm;
mod seven_zip;
mod sfx;
mod split;
mod stream;
mod tape;
mod tar;
mod wim;

pub(crate) use crate::joined::{Joined, beside};
pub(crate) use ar::Ar;
pub(crate) use cab::Cab;
pub(crate) use cpio::Cpio;
pub(crate) use known::Known;
pub(crate) use rar::Rar;
pub(crate) use rpm::Rpm;
pub(crate) use seven_zip::SevenZip;
pub(crate) use sfx::Sfx;
pub(crate) use split::Split;
pub(crate) use stream::Stream;
pub(crate) use tar::Tar;
pub(crate) use wim::Wim;
