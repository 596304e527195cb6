//! Azure Blob Storage.

mod error;
mod list;
mod object;
mod probe;
mod sign;
mod store;

pub(crate) use store::AzureStore;
