//! Credentials of the user's own, from where each cloud's tools keep them: environment variables
//! and files. Nothing is sent, no program is run, no metadata service is asked.

mod aws;
mod error;
mod gcs;
mod ini;
mod own;

pub use aws::aws;
pub use error::ChainError;
pub use gcs::gcs;
pub use own::{Own, Surroundings};
