//! Holders, built by hand: the tools that make them need devices.

mod held;
