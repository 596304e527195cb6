//! exFAT: what large sticks and cards hold.

mod boot;
mod directory;
mod files;
mod upcase;

pub(super) use files::ExFat;
