//! Azure storage: blobs, and the services beside them in one account.
//!
//! Blobs have a store of their own ([`store`]); what the other services do differently is a
//! [`service::Service`] each, and a line in [`service::TABLE`].

mod address;
mod error;
mod files;
mod include;
mod list;
mod meaning;
mod opening;
mod pages;
mod peeked;
mod probe;
mod query;
mod queues;
mod seek;
mod service;
mod shared;
mod sign;
mod state;
mod store;
mod tables;
mod verdict;

pub(crate) use opening::{endpoint, open, others};
