//! Archives and compressed streams.

mod opaque;
mod seven_zip;
mod stream;
mod tar;

pub(crate) use opaque::Opaque;
pub(crate) use seven_zip::SevenZip;
pub(crate) use stream::Stream;
pub(crate) use tar::Tar;
