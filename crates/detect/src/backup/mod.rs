//! Backups, by the products that made them.

mod detector;
mod facts;
mod product;

pub(crate) use detector::BackupDetector;
