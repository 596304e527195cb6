//! The lidless command line.
fn main() {}
