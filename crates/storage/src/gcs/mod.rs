//! Google Cloud Storage by its JSON interface: for strangers, for access tokens and for the keys
//! of service accounts. What is signed for the XML interface (signed URLs, HMAC keys) goes to
//! `s3`, which speaks it.

mod list;
mod policy;
mod probe;
mod sign;
mod soft;
mod store;
mod verdict;

pub use policy::rights_of_gcs_policy;
pub(crate) use store::GcsStore;
