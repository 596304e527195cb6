//! Azure Blob Storage.

mod address;
mod error;
mod list;
mod pages;
mod probe;
mod query;
mod seek;
mod sign;
mod store;
mod verdict;

pub(crate) use store::AzureStore;
