//! Mode that joblib writes into the middle of a stream. Source: joblib's `numpy_pickle.py`.
//!
//! After the state of a `NumpyArrayWrapper` is set, its loader reads a byte, that many bytes of
//! padding, and the array; or a pickle of its own when the array holds objects. Any other loader
//! reads opcodes on; so a stream must be harmless in both readings.

use super::machine::{Event, Machine, Mode, bad, run};
use super::reader::Broken;
use super::value::{Global, Value};

/// joblib aligns to 16 bytes; a longer padding is none of its own.
const PADDING: u8 = 16;
/// Opcodes tried to find out whether an array hides a stream.
const TRIED: u64 = 2_000;

/// Steps over the array behind a wrapper whose state was set; does nothing for anything else.
pub(super) fn step_over(
    machine: &mut Machine<'_, '_>,
    at: u64,
    target: &Value,
    state: &Value,
) -> Result<(), Broken> {
    let (Value::Made(made), Value::Dict(number)) = (target, state) else { return Ok(()) };
    if machine.mode != Mode::Joblib || !is_wrapper(&made.by) {
        return Ok(());
    }
    machine.leave_frame(at);
    let get = |key| machine.dicts.get(*number, key);
    let count = get("shape").and_then(count);
    let item = get("dtype").and_then(item_bytes);
    let padded = !matches!(get("numpy_array_alignment_bytes"), None | Some(Value::Plain));
    let (Some(count), Some(item)) = (count, item) else {
        machine.say(at, Event::OddArray);
        return Err(bad("an array in the stream of a size that cannot be told"));
    };
    if item == Item::Objects {
        let inner = run(machine.reader, u64::MAX, Mode::Plain, &mut *machine.sink);
        return match inner.broken {
            Some(broken) => Err(broken),
            None => Ok(()),
        };
    }
    if hides_opcodes(machine) {
        machine.say(at, Event::OddArray);
    }
    if padded {
        let padding = machine.reader.byte()?;
        if padding > PADDING {
            machine.say(at, Event::OddArray);
        }
        machine.reader.payload(u64::from(padding), 0)?;
    }
    if let Item::Bytes(width) = item {
        machine.reader.payload(count.saturating_mul(width), 0)?;
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Item {
    Bytes(u64),
    Objects,
}

fn is_wrapper(by: &Global) -> bool {
    by.is("joblib.numpy_pickle", "NumpyArrayWrapper")
}

fn count(shape: &Value) -> Option<u64> {
    let Value::Tuple(items, _) = shape else { return None };
    items.iter().try_fold(1u64, |all, item| match item {
        Value::Int(number) => all.checked_mul(u64::try_from(*number).ok()?),
        _ => None,
    })
}

/// The size of one item, by the name the dtype was made from: `f8`, `U12`, `V16`, `O8`.
fn item_bytes(dtype: &Value) -> Option<Item> {
    let Value::Made(made) = dtype else { return None };
    let [Value::Text(name), ..] = made.from.items() else { return None };
    let name = name.trim_start_matches(['<', '>', '=', '|']);
    let mut rest = name.chars();
    let kind = rest.next()?;
    let width: u64 = rest.as_str().parse().ok()?;
    match kind {
        'O' => Some(Item::Objects),
        'U' => Some(Item::Bytes(width.checked_mul(4)?)),
        'b' | 'B' | 'i' | 'u' | 'f' | 'c' | 'S' | 'V' | 'M' | 'm' => Some(Item::Bytes(width)),
        _ => None,
    }
}

/// Whether a loader that knows nothing of arrays would import something here.
fn hides_opcodes(machine: &Machine<'_, '_>) -> bool {
    let mut reader = machine.reader.clone();
    let mut found = false;
    run(&mut reader, TRIED, Mode::Middle, &mut |_, event| {
        found |= match event {
            Event::Import(global) => super::judge::is_name(&global),
            Event::HiddenImport => true,
            _ => false,
        };
    });
    found
}
