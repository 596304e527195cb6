//! What the events of a file add up to.

use super::value::Global;
use crate::model::names::{AllowedImports, Standing, standing};
use lidless_core::ModelVerdict;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// What loading a pickle would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: ModelVerdict,
    /// Names it imports, sorted; the first two hundred.
    pub imports: Vec<String>,
    /// Calls that are no harmless ones, with their arguments cut short.
    pub calls: Vec<String>,
    /// The lines that made the verdict.
    pub why: Vec<String>,
    /// Offset of the first thing that made the verdict.
    pub offset: Option<u64>,
    /// What kept the rest from being read, when it was the source and not the stream.
    pub unread: Option<String>,
    /// Streams read.
    pub streams: usize,
    /// The stream broke off.
    pub broken: bool,
}

/// Lines that a report can bear.
const LINES: usize = 20;
/// Different names of one file that are counted; a checkpoint has dozens.
const NAMES: usize = 10_000;

/// Values that are looked into; tokens that begin alike are many.
const INNER: usize = 200;

#[derive(Default)]
pub(super) struct Gathered {
    imports: BTreeSet<String>,
    seen: HashSet<Arc<Global>>,
    known: HashMap<Arc<Global>, Standing>,
    calls: Vec<String>,
    why: Vec<String>,
    worst: Option<(ModelVerdict, u64)>,
    allowed: AllowedImports,
    inner: usize,
    pub(super) not_weights_only: bool,
    pub(super) unread: Option<String>,
    pub(super) broken: bool,
}

impl Gathered {
    pub(super) fn new(allowed: &AllowedImports) -> Self {
        Self { allowed: allowed.clone(), ..Self::default() }
    }

    pub(super) fn note(&mut self, verdict: ModelVerdict, at: u64, why: impl Into<String>) {
        let why = why.into();
        if self.why.len() < LINES && !self.why.contains(&why) {
            self.why.push(why);
        }
        if self.worst.is_none_or(|(known, _)| verdict > known) {
            self.worst = Some((verdict, at));
        }
    }

    pub(super) fn suspicious(&mut self, at: u64, why: impl Into<String>) {
        self.note(ModelVerdict::Suspicious, at, why);
    }

    /// Values that look like pickles are looked into, up to a number of them.
    pub(super) fn may_look_inside(&mut self) -> bool {
        self.inner = self.inner.saturating_add(1);
        self.inner <= INNER
    }

    /// What a name means; names repeat.
    pub(super) fn standing(&mut self, global: &Arc<Global>) -> Standing {
        if let Some(standing) = self.known.get(global) {
            return *standing;
        }
        let mut standing = standing(&global.module, &global.name);
        if standing > Standing::Safe && self.allowed.has(&global.module, &global.name) {
            standing = Standing::Safe;
        }
        if self.known.len() < NAMES {
            self.known.insert(Arc::clone(global), standing);
        }
        standing
    }

    pub(super) fn import(&mut self, global: &Arc<Global>) {
        if self.imports.len() < NAMES && !self.seen.contains(global) {
            self.seen.insert(Arc::clone(global));
            self.imports.insert(global.to_string());
        }
    }

    pub(super) fn call(&mut self, call: String) {
        if self.calls.len() < LINES {
            self.calls.push(call);
        }
    }

    pub(super) fn judgement(self, streams: usize) -> Judgement {
        let (verdict, offset) = match self.worst {
            Some((verdict, at)) => (verdict, Some(at)),
            None if self.not_weights_only => (ModelVerdict::Safe, None),
            None => (ModelVerdict::WeightsOnly, None),
        };
        Judgement {
            verdict,
            imports: self.imports.into_iter().take(200).collect(),
            calls: self.calls,
            why: self.why,
            offset,
            unread: self.unread,
            streams,
            broken: self.broken,
        }
    }
}
