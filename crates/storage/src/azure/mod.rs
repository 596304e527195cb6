//! Azure Blob Storage.

mod address;
mod error;
mod list;
mod object;
mod pages;
mod probe;
mod query;
mod sign;
mod store;
mod verdict;
mod walk;

pub(crate) use store::AzureStore;
