//! The table of formats, from the most particular to the most general.

use super::code::Code;
use super::columns::{Passwd, Pgpass};
use super::format::{Format, Source};
use super::json::Json;
use super::lines::Lines;
use super::netrc::Netrc;
use super::pair::Pairs;
use super::shell::Shell;
use super::sole::Sole;
use super::sql::Sql;
use super::words;
use super::xml::Xml;
use super::yaml::Yaml;
use lidless_core::Holds;

/// A new format is one new file and one line here; the first that fits has a file.
const TABLE: [&dyn Format; 11] =
    [&Sole, &Netrc, &Pgpass, &Passwd, &Json, &Xml, &Sql, &Shell, &Yaml, &Lines, &Code];

/// Larger files than these are data: read only where a word in them speaks of a secret, as programs
/// are.
const LARGEST: usize = 8 << 20;

/// Read at any size, each line by itself and only so many.
const OF_ANY_SIZE: [&dyn Format; 5] = [&Passwd, &Sql, &Shell, &Lines, &Code];

/// The format a file is read as.
pub(crate) fn format_of(source: &Source<'_>) -> &'static dyn Format {
    let table: &[&'static dyn Format] =
        if source.text.len() > LARGEST { &OF_ANY_SIZE } else { &TABLE };
    table.iter().find(|format| format.fits(source)).copied().unwrap_or(&Code)
}

/// Every pair of a file, in its own format.
pub(crate) fn pairs<'t>(source: &Source<'t>) -> Pairs<'t> {
    let mut pairs = Pairs::new(source.text);
    let format = format_of(source);
    // A program is looked through for these words anyway.
    if format.is_program() || format.is_always_read() || words::any(source.text) {
        format.read(source, &mut pairs);
    }
    // Of what is read whole nothing is known of the pieces.
    if let Some(pieces) = source.pieces.filter(|_| !format.is_program()) {
        pieces.note(Holds::PAIR, &(0..source.text.len()));
        pieces.note(Holds::WORD, &(0..source.text.len()));
    }
    pairs
}
