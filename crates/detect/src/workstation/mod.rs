//! Backups of workstations: by the places of files, and by what their settings say.

mod detector;
mod place;
mod registry;
mod root;
mod unix;

pub(crate) use detector::WorkstationDetector;
pub(crate) use place::Markers;
pub(crate) use registry::RegistryDetector;
pub(crate) use unix::UnixDetector;
