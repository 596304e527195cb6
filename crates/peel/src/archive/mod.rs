//! Archives and compressed streams.

mod ahead;
mod ar;
mod cpio;
mod members;
mod opaque;
mod rpm;
mod seven_zip;
mod stream;
mod tape;
mod tar;

pub(crate) use ar::Ar;
pub(crate) use cpio::Cpio;
pub(crate) use opaque::Opaque;
pub(crate) use rpm::Rpm;
pub(crate) use seven_zip::SevenZip;
pub(crate) use stream::Stream;
pub(crate) use tar::Tar;
