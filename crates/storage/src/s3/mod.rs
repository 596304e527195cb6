//! Amazon S3 and what speaks its language: R2, Spaces, MinIO, Ceph, and the XML interface of
//! Google Cloud Storage.

mod address;
mod configuration;
mod list;
mod probe;
mod refusal;
mod rights;
mod seek;
mod sign;
mod store;
mod verdict;
mod versions;

pub(crate) use store::S3Store;
