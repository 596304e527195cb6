//! A pickle machine that executes nothing.

mod array;
mod dicts;
mod gathered;
mod judge;
mod literal;
mod machine;
mod opcode;
mod reader;
mod recognise;
mod source;
mod value;

pub use gathered::Judgement;
pub(crate) use judge::cut_line;
pub use judge::judge_pickle;
pub(crate) use literal::unescape;
pub(crate) use recognise::{Likeness, likeness};
pub(crate) use value::cut;
