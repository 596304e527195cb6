//! From events to a verdict.

use super::machine::{Event, Run, run};
use super::reader::{Broken, Reader};
use super::value::Value;
use crate::model::names::{Standing, standing};
use lidless_core::ModelVerdict;
use lidless_io::{MemoryBytes, ReadAt};
use std::collections::BTreeSet;

/// Streams in one file: legacy checkpoints have five.
const STREAMS: usize = 64;
/// Pickles inside pickles are followed this deep.
const DEPTH: usize = 4;
/// Opcodes tried to find out whether bytes are a pickle at all.
const TRIED: u64 = 2_000;

/// What loading a pickle would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: ModelVerdict,
    /// Names it imports, sorted.
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
    /// The stream broke off before it imported anything.
    pub broken: bool,
}

#[derive(Default)]
struct Gathered {
    imports: BTreeSet<String>,
    calls: Vec<String>,
    why: Vec<String>,
    worst: Option<(ModelVerdict, u64)>,
    not_weights_only: bool,
    unread: Option<String>,
    joblib: bool,
    broken: bool,
}

impl Gathered {
    fn note(&mut self, verdict: ModelVerdict, at: u64, why: String) {
        if self.why.len() < 20 && !self.why.contains(&why) {
            self.why.push(why);
        }
        if self.worst.is_none_or(|(known, _)| verdict > known) {
            self.worst = Some((verdict, at));
        }
    }
}

/// Judges the pickles from `start` of a source, one after the other.
#[must_use]
pub fn judge_pickle(source: &dyn ReadAt, start: u64) -> Judgement {
    let mut gathered = Gathered::default();
    let streams = judge_streams(source, start, 0, &mut gathered);
    let (verdict, offset) = match gathered.worst {
        Some((verdict, at)) => (verdict, Some(at)),
        None if gathered.not_weights_only => (ModelVerdict::Safe, None),
        None => (ModelVerdict::WeightsOnly, None),
    };
    Judgement {
        verdict,
        imports: gathered.imports.into_iter().take(200).collect(),
        calls: gathered.calls,
        why: gathered.why,
        offset,
        unread: gathered.unread,
        streams,
        broken: gathered.broken,
    }
}

fn judge_streams(source: &dyn ReadAt, start: u64, depth: usize, gathered: &mut Gathered) -> usize {
    let mut reader = Reader::new(source, start);
    let mut streams = 0usize;
    while streams < STREAMS && !reader.is_at_end() {
        // After the first, only what says that it is one: raw storages follow legacy checkpoints.
        if streams > 0 && reader.peek() != Some(0x80) {
            break;
        }
        let one = run(&mut reader, u64::MAX);
        // Raw data after a STOP may begin like a pickle and break at once: that is no pickle.
        if streams > 0 && one.broken.is_some() && one.events.is_empty() {
            break;
        }
        streams = streams.saturating_add(1);
        let stopped = one.broken.is_some();
        judge_run(&one, depth, gathered);
        if stopped {
            break;
        }
    }
    streams
}

fn judge_run(one: &Run, depth: usize, gathered: &mut Gathered) {
    if !one.plain_opcodes {
        gathered.not_weights_only = true;
    }
    for (at, event) in &one.events {
        judge_event(*at, event, depth, gathered);
    }
    match &one.broken {
        None => {}
        Some(Broken::Source(error)) => gathered.unread = Some(error.to_string()),
        // Arrays lie in the middle of such a stream; only their loader knows how long they are.
        Some(Broken::Malformed(_)) if gathered.joblib => {
            gathered.unread = Some("arrays inside the stream, not read past".into());
        }
        Some(Broken::Malformed(why)) => {
            gathered.broken = true;
            let words = format!("the stream breaks: {why}");
            gathered.note(ModelVerdict::Suspicious, one.end, words);
        }
    }
}

fn judge_event(at: u64, event: &Event, depth: usize, gathered: &mut Gathered) {
    match event {
        Event::Import(global) => {
            gathered.imports.insert(global.to_string());
            gathered.joblib |= global.module == "joblib.numpy_pickle";
            if global.module == "torch.storage" && global.name == "_load_from_bytes" {
                // Judged where it is called, by what it is given.
                gathered.not_weights_only = true;
                return;
            }
            match standing(&global.module, &global.name) {
                Standing::WeightsOnly => {}
                Standing::Safe => gathered.not_weights_only = true,
                Standing::Unknown => gathered.note(
                    ModelVerdict::UnknownImport,
                    at,
                    format!("imports {global}, which is on no list"),
                ),
                Standing::Dangerous => {
                    gathered.note(ModelVerdict::Dangerous, at, format!("imports {global}"));
                }
            }
        }
        Event::HiddenImport => gathered.note(
            ModelVerdict::Suspicious,
            at,
            "imports a name that is made up while loading".into(),
        ),
        Event::Extension(code) => gathered.note(
            ModelVerdict::Suspicious,
            at,
            format!("imports by extension number {code}"),
        ),
        Event::Straddles => gathered.note(
            ModelVerdict::Suspicious,
            at,
            "an opcode reaches over the edge of its frame: two loaders read two things".into(),
        ),
        Event::Persistent(id) => {
            if !is_storage(id) {
                gathered.note(
                    ModelVerdict::UnknownImport,
                    at,
                    "asks the loader for an object that is no tensor storage".into(),
                );
            }
        }
        Event::Build(target) => {
            if matches!(target, Value::Unknown) {
                gathered.not_weights_only = true;
            }
        }
        Event::Call(target, arguments) => judge_call(at, target, arguments, depth, gathered),
    }
}

fn judge_call(at: u64, target: &Value, arguments: &Value, depth: usize, gathered: &mut Gathered) {
    let Value::Global(global) = target else {
        gathered.note(
            ModelVerdict::Suspicious,
            at,
            "calls something that is not a plain name".into(),
        );
        return;
    };
    let nested = matches!(
        (global.module.as_str(), global.name.as_str()),
        ("torch.storage", "_load_from_bytes")
            | ("pickle" | "_pickle" | "cPickle" | "dill" | "cloudpickle", "loads")
    );
    if nested {
        let items = match arguments {
            Value::Tuple(items, _) => items.as_slice(),
            _ => &[],
        };
        match items.first() {
            Some(Value::Bytes(bytes)) if depth < DEPTH => {
                let inner = MemoryBytes::new(bytes.to_vec());
                judge_streams(&inner, 0, depth.saturating_add(1), gathered);
            }
            _ => gathered.note(
                ModelVerdict::Suspicious,
                at,
                "loads a pickle inside the pickle that cannot be read".into(),
            ),
        }
    }
    if standing(&global.module, &global.name) == Standing::Dangerous && gathered.calls.len() < 20 {
        gathered.calls.push(format!("{global}({})", arguments.shown()));
    }
}

fn is_storage(id: &Value) -> bool {
    match id {
        Value::Tuple(items, _) => {
            matches!(items.first(), Some(Value::Text(kind)) if &**kind == "storage")
        }
        _ => false,
    }
}

/// Whether bytes are a pickle: of protocol 2 and up by their first opcodes, of 0 and 1 only when
/// they import or stop properly, because any text begins with some opcode.
pub(crate) fn looks_like_pickle(head: &[u8], whole: bool, model_name: bool) -> bool {
    let source = MemoryBytes::new(head.to_vec());
    let mut reader = Reader::new(&source, 0);
    match head {
        [0x80, 0..=5, ..] => {
            let one = run(&mut reader, TRIED);
            // The head of a long stream breaks off where the head ends.
            let ran_on = one.broken.is_none() || !whole || one.opcodes >= 4;
            ran_on && one.opcodes >= 2 && (one.opcodes >= 4 || model_name)
        }
        [first, ..] if b"(cIVSFLNgJKM]}i)".contains(first) => {
            let one = run(&mut reader, TRIED);
            let imports = one.events.iter().any(|(_, event)| {
                matches!(event, Event::Import(global) if is_identifier(&global.module) && is_identifier(&global.name))
            });
            let acts = one
                .events
                .iter()
                .any(|(_, event)| matches!(event, Event::Call(..) | Event::Build(_)));
            imports && (acts || (one.broken.is_none() && model_name))
        }
        _ => false,
    }
}

fn is_identifier(name: &str) -> bool {
    !name.is_empty()
        && name.split('.').all(|part| {
            part.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && part.chars().all(|c| c.is_alphanumeric() || c == '_')
        })
}
