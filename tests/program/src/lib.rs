//! What whole-program tests share: running the binary, making repositories, minting tokens.

mod content;
mod issuer;
mod mint;
mod program;
mod repository;
mod rights_table;

pub use content::{pickle_that_runs, private_key, teams_messages};
pub use issuer::{Issuer, Reply};
pub use mint::{account_sas, random_key};
pub use program::{Ran, lidless, run, run_with, spawn};
pub use repository::Repository;
pub use rights_table::{assert_documented, rights_table};
