//! Secrets in what a text holds encoded, at the place of the encoded text.

use super::decode::{Layer, expand, is_free};
use super::detector::{by_name, by_rule, place};
use super::engine::{Engine, Sought};
use super::{key, structure};
use crate::detector::{Context, Output, View};
use lidless_core::{Category, Confidence, Finding, Gap, Severity, Text};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Adds what is found decoded and does not stand where something is `taken` already.
pub(super) fn find(
    engine: &Engine,
    view: &View<'_>,
    text: &Text<'_>,
    taken: &[Range<usize>],
    context: &Context,
    output: &mut Output,
) {
    let entry = &view.artifact.entry;
    let mut found: Vec<Finding> = Vec::new();
    let mut told: BTreeSet<(String, Option<String>, u64)> = BTreeSet::new();
    let mut here_before: BTreeMap<(String, u64), u64> = BTreeMap::new();
    let mut taken = taken.to_vec();
    taken.sort_by_key(|range| range.start);
    let taken = taken.as_slice();
    let complete = expand(text.as_str(), view.pieces, taken, &mut |layer| {
        let mut add = |finding: Option<Finding>, part: Range<usize>| {
            let origin = layer.origin(&part);
            let Some(finding) = finding.filter(|_| is_free(taken, &origin)) else { return };
            let at = u64::try_from(origin.start).unwrap_or(u64::MAX);
            let fingerprint = finding.fingerprint.as_ref().map(ToString::to_string);
            // A layer in a layer may show the same again.
            if told.insert((finding.rule.clone(), fingerprint, at)) {
                let mut finding = finding.with_detail("decoded", layer.codings.to_vec());
                // Several of a rule in one encoded text: each needs an id of its own.
                let same = here_before.entry((finding.rule.clone(), at)).or_insert(0u64);
                if *same > 0 {
                    finding.id = format!("{}-{same}", finding.id);
                }
                *same = same.saturating_add(1);
                found.push(finding);
            }
        };
        let here = |part: &Range<usize>| place(text, layer.origin(part).start, entry);
        match layer.text {
            Some(inner) => {
                let matches = engine.find(Sought { text: inner, path: "" }).matches;
                let spans: Vec<_> = matches.iter().map(|one| one.span.clone()).collect();
                for one in matches {
                    let part = one.span.clone();
                    add(Some(by_rule(&one, inner, &here(&part), context)), part);
                }
                let named = if layer.is_whole {
                    structure::find("", inner, None).found
                } else {
                    Vec::new()
                };
                for one in named {
                    let near = |s: &&Range<usize>| s.start < one.span.end && one.span.start < s.end;
                    if spans.iter().find(near).is_none() {
                        add(by_name(&one, inner, &here(&one.span), context), one.span.clone());
                    }
                }
            }
            None => {
                for finding in keys(layer, &here(&(0..0)), context) {
                    add(Some(finding), 0..0);
                }
            }
        }
    });
    if !complete {
        let reason = "too much encoded text in one file";
        output.gaps.push(Gap::new(&entry.provenance, reason, None));
    }
    output.findings.extend(found);
}

/// The keys of a binary key file that stands in a text.
fn keys(layer: &Layer<'_>, place: &lidless_core::Place, context: &Context) -> Vec<Finding> {
    let found = key::read_bytes(layer.key);
    let finds = found.iter().map(|key| {
        let finding = Finding::new(
            "secret.private_key",
            Category::Secret,
            Severity::Critical,
            Confidence::High,
            "private key",
            place,
            String::new(),
        );
        let revoke = "Make a new pair; remove the public part wherever it was accepted";
        key::describe(key, context, finding.with_detail("revoke", revoke))
    });
    finds.collect()
}
