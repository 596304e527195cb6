//! What the targets drive, so that a target says only where its bytes go.

mod look;
mod peel;

pub use look::look;
pub use peel::{peel, peel_beside, peel_image, with};
