//! UDF: what DVDs, Blu-rays and some sticks hold.

mod descriptor;
mod entry;
mod extents;
mod files;
mod sessions;
mod space;
mod volume;

pub(super) use files::Udf;
