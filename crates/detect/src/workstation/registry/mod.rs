//! What the registry of a Windows machine says of it and of who used it.

mod accounts;
mod detector;
mod facts;
mod software;
mod system;
mod user;

pub(crate) use detector::RegistryDetector;
