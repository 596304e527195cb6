//! Backups of workstations: by the places of files and by the first bytes of disk images.

mod detector;
mod place;

pub(crate) use detector::WorkstationDetector;
