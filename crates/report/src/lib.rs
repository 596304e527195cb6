//! Reports: one picture of a case in seven formats. Everything comes from [`lidless_core::Report`];
//! there is no network and no clock here.
//!
//! Names in a report were written by strangers. In every format they are shown so that they
//! cannot play with a terminal, a page or a table.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation))]

mod amount;
mod annotate;
mod clean;
mod csv;
mod estimate;
mod format;
mod html;
mod human;
mod inspect;
mod jsonl;
mod layout;
mod markdown;
mod mint;
mod models;
mod primer;
mod render;
mod rights;
mod sarif;
mod sbom;
mod story;
mod style;
mod suppressed;
mod treemap;
mod verified;

pub use estimate::render_estimate;
pub use format::Format;
pub use inspect::{Detail, render_inspect};
pub use mint::{MintChoice, MintView, render_mint};
pub use render::render;
pub use sbom::sbom;
pub use style::Style;
