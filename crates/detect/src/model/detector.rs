//! The detector of model files: by content, under any name.

use super::numpy::{Array, array};
use super::pickle::{Judgement, Likeness, judge_pickle, likeness};
use crate::detector::{Context, Detector, Output, View, Want};
use lidless_core::{
    Category, Confidence, Entry, Finding, Gap, Mark, ModelVerdict, Place, Severity,
};

/// Says what loading a model file would do.
pub struct ModelDetector;

/// The largest header that the reference implementation of safetensors reads.
const SAFETENSORS_HEADER: u64 = 100_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Pickle,
    Numpy(u64),
    Safetensors,
    Hdf5,
    Gguf,
}

fn has_model_name(entry: &Entry) -> bool {
    let name = entry.file_name().to_ascii_lowercase();
    [".pkl", ".pickle", ".pt", ".pth", ".bin", ".ckpt", ".joblib", ".dill", ".pdparams", ".model"]
        .iter()
        .any(|end| name.ends_with(end))
}

fn kind(entry: &Entry, head: &[u8]) -> Option<Kind> {
    if let Some(array) = array(head) {
        return match array {
            Array::Plain => None,
            Array::Objects(start) | Array::Odd(start) => Some(Kind::Numpy(start)),
        };
    }
    if head.starts_with(b"\x89HDF\r\n\x1a\n") {
        return Some(Kind::Hdf5);
    }
    if head.starts_with(b"GGUF") && head.len() >= 24 {
        return Some(Kind::Gguf);
    }
    let name = entry.file_name().to_ascii_lowercase();
    if head.get(8) == Some(&b'{') && name.ends_with(".safetensors") {
        return Some(Kind::Safetensors);
    }
    let length = u64::try_from(head.len()).unwrap_or(0);
    let whole = entry.length_bytes.is_none_or(|all| all <= length);
    let model_name = has_model_name(entry);
    match likeness(head, whole, model_name) {
        Likeness::Sure => Some(Kind::Pickle),
        // A long value first, and the rest out of sight.
        Likeness::Open if model_name || !is_text(head) => Some(Kind::Pickle),
        _ => None,
    }
}

fn is_text(head: &[u8]) -> bool {
    !head.iter().any(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31 | 127))
}

impl Detector for ModelDetector {
    fn name(&self) -> &'static str {
        "model"
    }

    fn wants(&self, entry: &Entry, head: &[u8]) -> Want {
        if kind(entry, head).is_some() { Want::Random } else { Want::Nothing }
    }

    fn detect(&self, view: &View<'_>, _context: &Context, output: &mut Output) {
        let entry = &view.artifact.entry;
        let bytes = &*view.artifact.bytes;
        match kind(entry, view.head) {
            None => {}
            Some(Kind::Pickle) => {
                let judgement = judge_pickle(bytes, 0);
                let format = if entry.path().ends_with("data.pkl") && entry.provenance.depth() > 0 {
                    "torch-zip"
                } else if judgement.streams >= 5 {
                    "torch-legacy"
                } else {
                    "pickle"
                };
                report(entry, format, &judgement, output);
            }
            Some(Kind::Numpy(start)) => {
                report(entry, "numpy-object", &judge_pickle(bytes, start), output);
            }
            Some(Kind::Safetensors) => safetensors(view, output),
            Some(Kind::Hdf5) => {
                gap(view, "an HDF5 model, its layers not looked into", "hdf5", output);
            }
            Some(Kind::Gguf) => {
                gap(view, "a GGUF model, its templates not looked into", "gguf", output);
            }
        }
    }
}

fn gap(view: &View<'_>, reason: &str, format: &str, output: &mut Output) {
    let length = Some(view.artifact.bytes.len());
    output.gaps.push(Gap::new(&view.artifact.entry.provenance, reason, length));
    output.marks.push(Mark::Model { format: format.into(), verdict: ModelVerdict::Safe });
}

fn safetensors(view: &View<'_>, output: &mut Output) {
    let head = view.head;
    let length =
        head.get(..8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes);
    let all = view.artifact.bytes.len();
    if length > SAFETENSORS_HEADER || length.saturating_add(8) > all {
        let place = Place::whole(view.artifact.entry.provenance.clone());
        output.findings.push(Finding::new(
            "model.malformed",
            Category::Malformed,
            Severity::Medium,
            Confidence::High,
            "a safetensors file whose header is longer than it can be",
            &place,
            format!("header of {length} bytes in a file of {all}"),
        ));
    }
    let verdict = ModelVerdict::Safe;
    output.marks.push(Mark::Model { format: "safetensors".into(), verdict });
}

fn report(entry: &Entry, format: &str, judgement: &Judgement, output: &mut Output) {
    if let Some(unread) = &judgement.unread {
        let reason = format!("a model read only in part: {unread}");
        output.gaps.push(Gap::new(&entry.provenance, reason, entry.length_bytes));
    }
    // Bytes that break before they import anything are no model that anybody could load.
    if judgement.broken && judgement.imports.is_empty() && !has_model_name(entry) {
        return;
    }
    let (rule, severity, title) = match judgement.verdict {
        ModelVerdict::Dangerous => {
            let what = judgement.calls.first().map_or_else(
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
    output.marks.push(Mark::Model { format: format.into(), verdict: judgement.verdict });
}
