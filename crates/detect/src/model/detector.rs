//! The detector of model files: by content, under any name.

use super::danger::Danger;
use super::found::Found;
use super::pickle::Judgement;
use super::table::FORMATS;
use crate::detector::{Context, Detector, Output, View, Want};
use crate::head::Head;
use lidless_core::{
    Category, Confidence, Entry, Finding, Gap, Mark, ModelVerdict, Place, Severity,
};

/// Says what loading a model file would do.
pub struct ModelDetector;

impl Detector for ModelDetector {
    fn name(&self) -> &'static str {
        "model"
    }

    fn wants(&self, entry: &Entry, head: &Head<'_>) -> Want {
        if FORMATS.iter().any(|format| format.recognises(entry, head)) {
            Want::Random
        } else {
            Want::Nothing
        }
    }

    fn detect(&self, view: &View<'_>, context: &Context, output: &mut Output) {
        let entry = &view.artifact.entry;
        let Some(format) = FORMATS.iter().find(|format| format.recognises(entry, view.head)) else {
            return;
        };
        let mut found = Found::default();
        format.look(view, context, &mut found);
        for reason in &found.gaps {
            output.gaps.push(Gap::new(&entry.provenance, reason.clone(), entry.length_bytes));
        }
        if found.is_none {
            return;
        }
        let name = found.format.unwrap_or(format.name());
        let mut verdict = ModelVerdict::Safe;
        for (danger, evidence, offset) in &found.dangers {
            verdict = verdict.max(danger.words().verdict);
            output.findings.push(finding(entry, name, *danger, evidence, *offset));
        }
        match &found.judgement {
            Some(judgement) => report(entry, name, judgement, output),
            None if !found.dangers.is_empty() || !found.gaps.is_empty() => {}
            None => output.findings.push(harmless(entry, name)),
        }
        if found.judgement.is_none() {
            output.marks.push(mark(entry, name, verdict));
        }
    }
}

fn mark(entry: &Entry, format: &str, verdict: ModelVerdict) -> Mark {
    Mark::Model { format: format.into(), verdict, location: entry.provenance.to_string() }
}

fn finding(
    entry: &Entry,
    format: &str,
    danger: Danger,
    evidence: &str,
    offset: Option<u64>,
) -> Finding {
    let words = danger.words();
    let category =
        if words.rule == "model.malformed" { Category::Malformed } else { Category::Model };
    let place = Place { provenance: entry.provenance.clone(), line: None, offset };
    Finding::new(
        words.rule,
        category,
        words.severity,
        Confidence::High,
        words.title,
        &place,
        evidence,
    )
    .with_detail("format", format)
    .with_detail("verdict", words.verdict.as_str())
    .with_detail("why", vec![words.why])
    .with_detail("reference", words.reference)
}

fn harmless(entry: &Entry, format: &str) -> Finding {
    let place = Place::whole(entry.provenance.clone());
    Finding::new(
        "model.safe",
        Category::Model,
        Severity::Info,
        Confidence::High,
        "a model without code",
        &place,
        format,
    )
    .with_detail("format", format)
    .with_detail("verdict", ModelVerdict::Safe.as_str())
}

fn report(entry: &Entry, format: &str, judgement: &Judgement, output: &mut Output) {
    if let Some(unread) = &judgement.unread {
        let reason = format!("a model read only in part: {unread}");
        output.gaps.push(Gap::new(&entry.provenance, reason, entry.length_bytes));
    }
    let (rule, severity, title) = match judgement.verdict {
        ModelVerdict::Dangerous => {
            // A call with a text says the most.
            let mut calls = judgement.calls.iter();
            let telling = calls.find(|call| call.contains("(\""));
            let what = telling.or(judgement.calls.first()).map_or_else(
                || judgement.why.first().cloned().unwrap_or_default(),
                |call| format!("would run {call}"),
            );
            ("model.dangerous", Severity::Critical, format!("a model that runs code: {what}"))
        }
        ModelVerdict::Suspicious if judgement.broken => (
            "model.malformed",
            if judgement.imports.is_empty() { Severity::Medium } else { Severity::High },
            "a model whose stream breaks off".to_owned(),
        ),
        ModelVerdict::Suspicious => {
            ("model.suspicious", Severity::High, "a model built to mislead".to_owned())
        }
        ModelVerdict::UnknownImport => (
            "model.unknown_import",
            Severity::High,
            "a model that imports what is on no list".to_owned(),
        ),
        ModelVerdict::WeightsOnly => (
            "model.weights_only",
            Severity::Info,
            "a model that loads with weights_only".to_owned(),
        ),
        ModelVerdict::Safe => ("model.safe", Severity::Info, "a model without code".to_owned()),
    };
    let category = if rule == "model.malformed" { Category::Malformed } else { Category::Model };
    let place =
        Place { provenance: entry.provenance.clone(), line: None, offset: judgement.offset };
    let evidence = if judgement.calls.is_empty() {
        judgement
            .why
            .first()
            .cloned()
            .unwrap_or_else(|| format!("{} imports", judgement.imports.len()))
    } else {
        judgement.calls.join("; ")
    };
    let finding = Finding::new(rule, category, severity, Confidence::High, title, &place, evidence)
        .with_detail("format", format)
        .with_detail("verdict", judgement.verdict.as_str())
        .with_detail("imports", judgement.imports.clone())
        .with_detail("calls", judgement.calls.clone())
        .with_detail("why", judgement.why.clone());
    output.findings.push(finding);
    output.marks.push(mark(entry, format, judgement.verdict));
}
