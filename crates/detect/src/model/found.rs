//! What was found out about one model file.

use super::danger::Danger;
use super::pickle::Judgement;
use super::pickle::{cut, cut_line};

/// Different things that are said of one file; the rest are counted.
const KEPT: usize = 30;

/// What looking at a model file gave.
#[derive(Default)]
pub(crate) struct Found {
    /// What is wrong, where, and how it shows.
    pub(crate) dangers: Vec<(Danger, String, Option<u64>)>,
    /// What could not be seen.
    pub(crate) gaps: Vec<String>,
    /// What its pickles do, when it holds pickles.
    pub(crate) judgement: Option<Judgement>,
    /// The format, when it is told better than by the table.
    pub(crate) format: Option<&'static str>,
    /// It was no model after all.
    pub(crate) is_none: bool,
}

impl Found {
    /// Notes something wrong; `evidence` is shown, cut short and without what looks secret.
    pub(crate) fn danger(&mut self, danger: Danger, evidence: &str, offset: Option<u64>) {
        let evidence = cut_line(evidence);
        let known = self.dangers.iter().any(|(d, e, _)| *d == danger && *e == evidence);
        if !known && self.dangers.len() < KEPT {
            self.dangers.push((danger, evidence, offset));
        }
    }

    /// Notes what could not be seen.
    pub(crate) fn gap(&mut self, reason: impl Into<String>) {
        let reason = reason.into();
        if !self.gaps.contains(&reason) && self.gaps.len() < KEPT {
            self.gaps.push(reason);
        }
    }
}

/// A word from a file, for evidence: one line, short, without what looks like a credential.
pub(crate) fn shown(text: &str) -> String {
    cut(text)
}
