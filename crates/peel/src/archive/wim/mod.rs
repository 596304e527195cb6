//! Windows images (WIM, split WIM, ESD), looked at like the volumes they were taken from.

mod files;
mod header;
mod metadata;
mod peel;
mod resource;

pub(crate) use peel::Wim;
