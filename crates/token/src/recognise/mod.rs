//! Finding credentials in text, in every form in which they leak.

mod flat;
mod gate;
mod key;
mod link;
mod scan;
mod signed;

pub use scan::{read, recognise, recognise_in};
