//! Azure Blob Storage.

mod address;
mod error;
mod include;
mod list;
mod pages;
mod probe;
mod query;
mod sign;
mod state;
mod store;
mod verdict;

pub(crate) use store::AzureStore;
