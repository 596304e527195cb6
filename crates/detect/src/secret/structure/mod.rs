//! Structure, not just patterns: keys and values as the format of a file has them, judged by what
//! the key means, what the value looks like and what stands beside them.
//!
//! Every format says whether a file is of it and gives pairs, bounded in number and depth; what is
//! broken is stepped over. One judge decides on all of them, and says why when a pair is none.

mod code;
mod columns;
mod finder;
mod format;
mod hash;
mod issued;
mod json;
mod judge;
mod key;
mod lines;
mod link;
mod netrc;
mod pair;
mod reader;
mod shell;
mod sole;
mod sql;
mod surroundings;
mod table;
mod value;
mod words;
mod xml;
mod yaml;

pub(crate) use finder::{Found, Verdicts, find};
pub(crate) use judge::in_link;
