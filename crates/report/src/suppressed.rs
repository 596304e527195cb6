//! What was told apart as no finding, in words.

use crate::amount::count;
use crate::clean::clean;
use lidless_core::{RemarkKind, Report};
use std::collections::BTreeMap;

/// One line: what was told apart, counted by reason, what people decided first.
pub(crate) fn line(report: &Report) -> Option<String> {
    let mut rows: Vec<_> = report.run.suppressed.iter().filter(|(_, many)| **many > 0).collect();
    rows.sort_by_key(|(reason, many)| (!reason.is_a_decision(), std::cmp::Reverse(**many)));
    if rows.is_empty() {
        return None;
    }
    let words: Vec<String> = rows
        .iter()
        .map(|(reason, many)| format!("{} {}", count(**many), reason.words(**many)))
        .collect();
    let hint = if report.suppressed.is_empty() { " (--show-suppressed lists them)" } else { "" };
    Some(format!("{}{hint}", words.join(", ")))
}

/// A line for each that is listed: reason, rule, place, and what whoever decided it said.
pub(crate) fn rows(report: &Report) -> impl Iterator<Item = String> {
    report.suppressed.iter().map(|one| {
        let note = one.note.as_deref().map(|note| format!(": {}", clean(note))).unwrap_or_default();
        format!(
            "{} · {} · {}{note}",
            one.reason.as_str().replace('_', " "),
            clean(&one.rule),
            clean(&one.location)
        )
    })
}

/// How many are listed of how many, when not all are.
pub(crate) fn more(report: &Report) -> Option<String> {
    let all = report.run.suppressed.values().copied().fold(0, u64::saturating_add);
    let listed = u64::try_from(report.suppressed.len()).unwrap_or(u64::MAX);
    (listed > 0 && listed < all).then(|| format!("{} of {} are listed", count(listed), count(all)))
}

/// A line for each kind of remark, with the first place of each.
pub(crate) fn remarks(report: &Report) -> Vec<String> {
    let mut kinds: BTreeMap<RemarkKind, (u64, &str)> = BTreeMap::new();
    for remark in &report.remarks {
        let about = match remark.kind {
            RemarkKind::BaselineExpired | RemarkKind::BaselineStale | RemarkKind::Throttled => {
                remark.message.as_str()
            }
            RemarkKind::AllowWithoutReason | RemarkKind::ForeignAllow | RemarkKind::WouldBeNext => {
                remark.location.as_str()
            }
        };
        let row = kinds.entry(remark.kind).or_insert((0, about));
        row.0 = row.0.saturating_add(1);
    }
    kinds
        .into_iter()
        .map(|(kind, (many, place))| {
            let etc = if many > 1 { ", …" } else { "" };
            format!("{} × {}: {}{etc}", count(many), kind.words(), clean(place))
        })
        .collect()
}

/// What the user left out of local targets, by reason.
pub(crate) fn left_out(report: &Report) -> Vec<(String, u64)> {
    let mut rows: BTreeMap<&str, u64> = BTreeMap::new();
    for (reason, many) in report.coverage.iter().flat_map(|one| &one.skipped) {
        if let Some(by) = reason.strip_prefix("left out by ") {
            let row = rows.entry(by).or_default();
            *row = row.saturating_add(*many);
        }
    }
    rows.into_iter().map(|(by, many)| (clean(by), many)).collect()
}
