//! Cabinets of Windows.

mod folder;
mod peel;

pub(crate) use peel::Cab;
