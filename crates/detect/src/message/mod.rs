//! Messages of people: counted, never kept.

mod detector;
mod teams;

pub(crate) use detector::MessageDetector;
