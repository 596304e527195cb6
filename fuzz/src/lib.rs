//! What the targets drive, so that a target says only where its bytes go.

mod look;
mod peel;
mod text;

pub use look::look;
pub use peel::{peel, peel_beside, peel_image, with};
pub use text::look_at_text;
