//! The incident, made up again: the account, what it held, and the repository that gave it away.
//!
//! Everything is made from fixed seeds: the same bytes each time, no real name, key or message.

mod account;
mod checkpoint;
mod checksum;
mod contents;
mod credentials;
mod disk;
mod git;
mod history;
mod lorem;
mod models;
mod pickle;
mod registry;
mod teams;
mod workstation;
mod zip;

pub use account::{Links, account, links};
pub use contents::contents;
pub use history::repository;
