//! What looking into what was listed would take, before anything is read.

use serde::Serialize;
use std::collections::BTreeMap;

/// What one kind of object would take.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Share {
    /// How many there are.
    pub objects: u64,
    /// What they hold.
    pub bytes_listed: u64,
    /// About how much of it would be read.
    pub bytes_to_read: u64,
    /// About how many requests that takes.
    pub requests: u64,
}

/// What it would cost the owner of the stores of one service.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cost {
    /// Whose list prices these are.
    pub service: String,
    /// US dollars, about.
    pub dollars: f64,
}

/// What looking into everything would take. An estimate: kinds of objects are read to different
/// depths, and what is found decides about more.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Estimate {
    /// All together.
    pub all: Share,
    /// By kind of object.
    pub kinds: BTreeMap<String, Share>,
    /// By service whose prices are known; stores of this machine and others cost nothing here.
    pub costs: Vec<Cost>,
}
