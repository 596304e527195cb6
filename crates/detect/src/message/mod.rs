//! Messages of people: counted, never kept.

mod detector;
mod leveldb;
mod teams;

pub(crate) use detector::MessageDetector;
pub(crate) use leveldb::ChatCacheDetector;
