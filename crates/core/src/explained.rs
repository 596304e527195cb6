//! What a person is told about a credential besides its grant.

use crate::operation::Operation;
use serde::Serialize;

/// What one parameter of a token means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// The parameter as the token writes it, `sp`.
    pub parameter: String,
    /// What it means, in words.
    pub meaning: String,
}

/// One thing that the holder can do, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperationRow {
    /// `blob`, `file`, `queue`, `table`.
    pub service: String,
    /// `service`, `container` or `object`: the level it happens on.
    pub level: String,
    /// The letters that allow it.
    pub letters: String,
    /// What it is, in the words of every provider.
    pub operation: Operation,
    /// What it is, in the words of its service.
    pub what: String,
}

/// A credential taken apart for a reader.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// Everything it declares, judged.
    pub grant: crate::grant::Grant,
    /// As found, redacted.
    pub token: String,
    /// Its parameters, in the order they stand.
    pub notes: Vec<Note>,
    /// What its holder can do; empty where only the grant's words say it.
    pub operations: Vec<OperationRow>,
}
