//! Folders of this machine, as a store: no credential, nothing is sent.

mod address;
mod bytes;
mod list;
mod probe;
mod refusal;
mod store;
mod tree;

pub use store::open_folder;
