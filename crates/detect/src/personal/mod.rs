//! Data about people: counted and classed, never quoted.

mod bank;
mod contact;
mod detector;
mod digits;
mod header;
mod national;
mod tally;

pub(crate) use detector::PersonalDetector;
