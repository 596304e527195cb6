//! From events to a verdict.

use super::gathered::{Gathered, Judgement};
use super::machine::{Adds, Event, Mode, run};
use super::reader::{Broken, Reader};
use super::source::{Inner, decoded};
use super::value::{Coding, Global, Value, cut};
use crate::model::names::{AllowedImports, Standing};
use lidless_core::ModelVerdict;
use lidless_io::{ReadAt, read_vec};
use std::sync::Arc;

/// Pickles inside pickles are followed this deep.
const DEPTH: usize = 4;
/// More opcodes than any file has, in all of its streams.
const OPCODES: u64 = 100_000_000;
/// Behind the place where streams end or break, this much is searched for another.
const SEARCHED: u64 = 64 << 10;
/// Opcodes tried where another stream may begin.
const TRIED: u64 = 2_000;
/// Places tried in one search.
const PLACES: usize = 64;

/// Judges the pickles from `start` of a source, one after the other; `allowed` are names that the
/// user says are harmless.
#[must_use]
pub fn judge_pickle(source: &dyn ReadAt, start: u64, allowed: &AllowedImports) -> Judgement {
    let mut gathered = Gathered::new(allowed);
    let streams = judge_streams(source, start, 0, &mut gathered);
    gathered.judgement(streams)
}

fn judge_streams(source: &dyn ReadAt, start: u64, depth: usize, gathered: &mut Gathered) -> usize {
    let mut reader = Reader::new(source, start);
    // PyTorch's files before 1.6: five streams, then the raw numbers.
    let legacy = is_legacy(source, start);
    let mut streams = 0usize;
    let mut opcodes = 0u64;
    while !reader.is_at_end() {
        if streams > 0 && !(is_stream(&reader) || reader.peek() == Some(0x80)) {
            if !(legacy && streams >= 5) {
                search(source, reader.position(), gathered);
            }
            break;
        }
        let begin = reader.position();
        let mut events = 0usize;
        let one =
            run(&mut reader, OPCODES.saturating_sub(opcodes), Mode::Joblib, &mut |at, event| {
                events = events.saturating_add(1);
                judge_event(source, at, &event, depth, gathered);
            });
        opcodes = opcodes.saturating_add(one.opcodes);
        // Raw numbers behind a STOP may begin like a pickle and break at once: that is none.
        if streams > 0 && one.broken.is_some() && events == 0 {
            if !(legacy && streams >= 5) {
                search(source, begin.saturating_add(1), gathered);
            }
            break;
        }
        streams = streams.saturating_add(1);
        gathered.not_weights_only |= !one.plain_opcodes;
        match one.broken {
            None => {}
            Some(Broken::Source(error)) => {
                gathered.unread = Some(error.to_string());
                break;
            }
            Some(Broken::Malformed(why)) => {
                gathered.broken = true;
                gathered.suspicious(one.end, format!("the stream breaks: {why}"));
                search(source, one.end.saturating_add(1), gathered);
                break;
            }
        }
    }
    streams
}

fn is_legacy(source: &dyn ReadAt, start: u64) -> bool {
    let magic = b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
    let head = read_vec(source, start, 16).unwrap_or_default();
    head.strip_prefix(b"\x80\x02").is_some_and(|rest| rest.starts_with(magic))
}

/// Whether another stream begins here, of a protocol that does not say so itself.
fn is_stream(reader: &Reader<'_>) -> bool {
    let mut imports = false;
    let one = run(&mut reader.clone(), TRIED, Mode::Plain, &mut |_, event| {
        imports |= matches!(event, Event::Import(global) if is_name(&global));
    });
    imports || (one.broken.is_none() && one.opcodes >= 2)
}

/// Looks for imports in what follows: a loader that stops elsewhere would read them.
fn search(source: &dyn ReadAt, from: u64, gathered: &mut Gathered) {
    let bytes = read_vec(source, from, SEARCHED).unwrap_or_default();
    let mut places = 0usize;
    for (at, pair) in bytes.windows(2).enumerate() {
        let begins = matches!(pair, [0x80, 0..=5]);
        // Two lines that name what runs code, as GLOBAL and INST have them.
        let names = matches!(pair, [b'c' | b'i', letter] if letter.is_ascii_alphabetic() || *letter == b'_');
        if !begins && !names {
            continue;
        }
        let position = from.saturating_add(u64::try_from(at).unwrap_or(0));
        let mut found = None;
        if begins && places < PLACES {
            places = places.saturating_add(1);
            run(&mut Reader::new(source, position), TRIED, Mode::Middle, &mut |_, event| {
                if let Event::Import(global) = event
                    && is_name(&global)
                {
                    found.get_or_insert(global);
                }
            });
        } else if names {
            let rest = bytes.get(at.saturating_add(1)..).unwrap_or(&[]);
            found = named(rest).filter(|global| gathered.standing(global) == Standing::Dangerous);
        }
        if let Some(global) = found {
            gathered.import(&global);
            let words = format!("imports {global} behind the place where the stream ends");
            gathered.suspicious(position, cut_line(&words));
            return;
        }
    }
}

fn named(rest: &[u8]) -> Option<Arc<Global>> {
    let mut lines = rest.splitn(3, |byte| *byte == b'\n');
    let (module, name) = (lines.next()?, lines.next()?);
    lines.next()?;
    if module.len() > 100 || name.len() > 100 {
        return None;
    }
    let text = |line: &[u8]| std::str::from_utf8(line).ok().map(str::to_owned);
    let global = Global { module: text(module)?, name: text(name)? };
    is_name(&global).then(|| Arc::new(global))
}

/// Whether both parts could be names to Python.
pub(super) fn is_name(global: &Global) -> bool {
    let identifier = |name: &str| {
        !name.is_empty()
            && name.split('.').all(|part| {
                part.starts_with(|c: char| c.is_alphabetic() || c == '_')
                    && part.chars().all(|c| c.is_alphanumeric() || c == '_')
            })
    };
    identifier(&global.module) && identifier(&global.name)
}

fn judge_event(source: &dyn ReadAt, at: u64, event: &Event, depth: usize, gathered: &mut Gathered) {
    match event {
        Event::Import(global) => judge_import(at, global, gathered),
        Event::HiddenImport => {
            gathered.suspicious(at, "imports a name that is made up while loading");
        }
        Event::Extension(code) => {
            gathered.suspicious(at, format!("imports by extension number {code}"));
        }
        Event::Inner(value) => judge_inner(source, at, value, depth, gathered),
        Event::Straddles => gathered
            .suspicious(at, "a frame does not hold what it should: two loaders read two things"),
        Event::OddArray => {
            gathered.suspicious(at, "an array in the stream is not what its loader writes");
        }
        Event::Persistent(id) => judge_persistent(at, id, gathered),
        Event::Build(target, odd) => judge_build(at, target, odd.as_deref(), gathered),
        Event::Add(target, adds) => match target {
            // The class itself, or something nobody can name.
            Value::Global(global) => {
                gathered.suspicious(at, cut_line(&format!("adds items to {global} itself")));
            }
            Value::Unknown => gathered.not_weights_only = true,
            Value::Made(made) => {
                let keyed = made.by.module == "collections" && *adds == Adds::Keys;
                if !keyed || !matches!(made.by.name.as_str(), "OrderedDict" | "Counter") {
                    gathered.not_weights_only = true;
                }
            }
            _ => gathered.not_weights_only = true,
        },
        Event::Call(target, arguments) => {
            judge_call(source, at, target, arguments, depth, gathered);
        }
    }
}

fn judge_import(at: u64, global: &Arc<Global>, gathered: &mut Gathered) {
    gathered.import(global);
    if is_nested_loader(global) && global.module == "torch.storage" {
        // Judged where it is called, by what it is given.
        gathered.not_weights_only = true;
        return;
    }
    match gathered.standing(global) {
        Standing::WeightsOnly => {}
        Standing::Safe => gathered.not_weights_only = true,
        Standing::Unknown => gathered.note(
            ModelVerdict::UnknownImport,
            at,
            cut_line(&format!("imports {global}, which is on no list: {}", library(global))),
        ),
        Standing::Dangerous => gathered.note(
            ModelVerdict::Dangerous,
            at,
            cut_line(&format!("imports {global}, which runs, loads or reaches out")),
        ),
    }
}

/// Where a name comes from.
fn library(global: &Global) -> String {
    match global.module.split('.').next().unwrap_or("") {
        "__main__" => "code of whoever saved the file".to_owned(),
        first => format!("from the library {first}"),
    }
}

fn judge_build(at: u64, target: &Value, odd: Option<&str>, gathered: &mut Gathered) {
    if let Some(key) = odd {
        let key = cut(key);
        gathered.suspicious(at, format!("sets {key} on an object: that changes what it is"));
    }
    match target {
        Value::Made(made) => {
            if gathered.standing(&made.by) != Standing::WeightsOnly {
                gathered.not_weights_only = true;
            }
        }
        Value::Global(global) => {
            gathered.suspicious(at, cut_line(&format!("sets state on {global} itself")));
        }
        _ => gathered.not_weights_only = true,
    }
}

fn judge_persistent(at: u64, id: &Value, gathered: &mut Gathered) {
    let storage = match id.items() {
        [kind, class, _, _, ..] => is_word(kind, b"storage") && matches!(class, Value::Global(_)),
        _ => false,
    };
    // Legacy checkpoints of tensors that share storage name them by module and by number.
    let module = matches!(id.items(), [kind, ..] if is_word(kind, b"module"));
    if !storage {
        let what = if module { "source code" } else { "an object that is no tensor storage" };
        gathered.note(ModelVerdict::UnknownImport, at, format!("asks the loader for {what}"));
    }
}

fn is_word(value: &Value, word: &[u8]) -> bool {
    match value {
        Value::Text(text) => text.as_bytes() == word,
        Value::Payload(payload) => payload.coding == Coding::Bytes && payload.head == word,
        _ => false,
    }
}

fn is_nested_loader(global: &Global) -> bool {
    matches!(
        (global.module.as_str(), global.name.as_str()),
        ("torch.storage", "_load_from_bytes")
            | (
                "pickle" | "_pickle" | "cPickle" | "dill" | "cloudpickle" | "dill._dill",
                "loads" | "_loads"
            )
            | ("cloudpickle.cloudpickle" | "joblib.externals.cloudpickle", "loads")
    )
}

/// Rebuilders that call, or make an object of, what they are given first.
fn calls_its_first(global: &Global) -> bool {
    global.is("torch._tensor", "_rebuild_from_type_v2")
        || global.is("torch._utils", "_rebuild_wrapper_subclass")
        || global.is("functools", "partial")
        || global.is("copyreg", "_reconstructor")
        || global.is("copyreg", "__newobj__")
        || global.is("copyreg", "__newobj_ex__")
        || global.name.starts_with("__pyx_unpickle_")
        || matches!(
            global.name.as_str(),
            "newObj" | "_new_Index" | "_new_DatetimeIndex" | "_new_PeriodIndex"
        )
        || (global.name == "_reconstruct" && global.module.starts_with("numpy."))
}

fn judge_call(
    source: &dyn ReadAt,
    at: u64,
    target: &Value,
    arguments: &Value,
    depth: usize,
    gathered: &mut Gathered,
) {
    let Value::Global(global) = target else {
        gathered.suspicious(at, "calls something that is not a plain name");
        return;
    };
    if calls_its_first(global) && !matches!(arguments.items(), [Value::Global(_), ..]) {
        let words = format!("{global} is given something to call that is not a plain name");
        gathered.suspicious(at, words);
    }
    if is_nested_loader(global) {
        judge_nested(source, at, arguments, depth, gathered);
    }
    let known = gathered.standing(global);
    let nested = global.module == "torch.storage" && is_nested_loader(global);
    if known != Standing::WeightsOnly {
        gathered.not_weights_only = true;
    }
    if known == Standing::Dangerous && !nested {
        gathered.call(cut_line(&format!("{global}({})", arguments.shown())));
    }
}

/// A pickle that lies in a value: nothing loads it yet, and what loads it may come along.
fn judge_inner(source: &dyn ReadAt, at: u64, value: &Value, depth: usize, gathered: &mut Gathered) {
    if depth >= DEPTH || !gathered.may_look_inside() {
        return;
    }
    let Some(bytes) = decoded(source, value) else { return };
    let mut inner = Gathered::default();
    let streams = judge_streams(&bytes, 0, depth.saturating_add(1), &mut inner);
    let judgement = inner.judgement(streams);
    if judgement.verdict == ModelVerdict::Dangerous {
        let what = judgement.calls.first().or(judgement.why.first()).map_or("", String::as_str);
        gathered.suspicious(at, cut_line(&format!("holds a pickle that would run {what}")));
    }
}

fn judge_nested(
    source: &dyn ReadAt,
    at: u64,
    arguments: &Value,
    depth: usize,
    gathered: &mut Gathered,
) {
    let inner = match arguments.items().first() {
        Some(Value::Payload(payload)) if depth < DEPTH => Inner::new(source, payload),
        _ => None,
    };
    match inner {
        Some(inner) => {
            judge_streams(&inner, 0, depth.saturating_add(1), gathered);
        }
        None => gathered.suspicious(at, "loads a pickle inside the pickle that cannot be read"),
    }
}

/// A line for a report, however long the names in it are.
pub(crate) fn cut_line(line: &str) -> String {
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(240).collect()
}
