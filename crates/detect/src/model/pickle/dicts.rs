//! The dictionaries of a stream: what state an object is given, and the shape of an array.

use super::value::Value;
use std::sync::Arc;

/// Dictionaries that are followed; a checkpoint has thousands.
const FOLLOWED: usize = 500_000;
/// Entries of one that are kept; array wrappers have six.
const KEPT: usize = 16;
/// Values that are kept in all of them together.
const KEPT_IN_ALL: usize = 2_000_000;

/// Names with two underscores that ordinary state has and that change nothing.
const HARMLESS: [&str; 5] =
    ["__orig_class__", "__doc__", "__module__", "__sklearn_version__", "__version__"];

#[derive(Default)]
struct Dict {
    entries: Vec<(Arc<str>, Value)>,
    /// A key that sets what an object is, not what it holds.
    odd: Option<Arc<str>>,
}

/// The dictionaries of one stream, by number.
#[derive(Default)]
pub(crate) struct Dicts {
    row: Vec<Dict>,
    kept: usize,
    /// The odd key of any that is not followed.
    odd_elsewhere: Option<Arc<str>>,
}

impl Dicts {
    /// A new one.
    pub(crate) fn add(&mut self) -> Value {
        if self.row.len() >= FOLLOWED {
            return Value::Dict(u32::MAX);
        }
        let number = u32::try_from(self.row.len()).unwrap_or(u32::MAX);
        self.row.push(Dict::default());
        Value::Dict(number)
    }

    /// Sets an entry.
    pub(crate) fn set(&mut self, number: u32, key: &Value, value: &Value) {
        let odd: Option<Arc<str>> = match key {
            Value::Text(text) if is_odd(text) => Some(Arc::clone(text)),
            Value::Made(made) if made.by.is("builtins", "str") => Some("a made-up name".into()),
            _ => None,
        };
        let Some(dict) = usize::try_from(number).ok().and_then(|at| self.row.get_mut(at)) else {
            if odd.is_some() {
                self.odd_elsewhere = odd;
            }
            return;
        };
        if odd.is_some() {
            dict.odd = odd;
        }
        if let Value::Text(text) = key
            && dict.entries.len() < KEPT
            && self.kept < KEPT_IN_ALL
        {
            self.kept = self.kept.saturating_add(1);
            dict.entries.push((Arc::clone(text), value.clone()));
        }
    }

    /// The last value that was set under a key.
    pub(crate) fn get(&self, number: u32, key: &str) -> Option<&Value> {
        let dict = usize::try_from(number).ok().and_then(|at| self.row.get(at))?;
        dict.entries.iter().rev().find(|(name, _)| &**name == key).map(|(_, value)| value)
    }

    /// A key in the state of an object that sets what it is.
    pub(crate) fn odd(&self, state: &Value) -> Option<Arc<str>> {
        match state {
            Value::Dict(number) => {
                match usize::try_from(*number).ok().and_then(|n| self.row.get(n)) {
                    Some(dict) => dict.odd.clone(),
                    None => self.odd_elsewhere.clone(),
                }
            }
            // State and slots.
            Value::Tuple(items, _) if items.len() == 2 => items
                .iter()
                .filter(|item| matches!(item, Value::Dict(_)))
                .find_map(|one| self.odd(one)),
            _ => None,
        }
    }
}

fn is_odd(key: &str) -> bool {
    key.len() > 4 && key.starts_with("__") && key.ends_with("__") && !HARMLESS.contains(&key)
}
