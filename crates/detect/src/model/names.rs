//! The lists of names, and what a name is.

use serde::Deserialize;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, LazyLock};

/// What importing a name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// Allowed by PyTorch's own rule.
    WeightsOnly,
    /// Harmless.
    Safe,
    /// On no list.
    Unknown,
    /// Runs, loads, opens or reaches out.
    Dangerous,
}

#[derive(Deserialize)]
struct File {
    weights_only: BTreeMap<String, Vec<String>>,
    safe: BTreeMap<String, Vec<String>>,
    dangerous: Dangerous,
}

#[derive(Deserialize)]
struct Dangerous {
    modules: Vec<String>,
    builtins: Vec<String>,
}

/// Names that a user says are harmless, beside the lists that lidless brings along.
#[derive(Debug, Clone, Default)]
pub struct AllowedImports {
    pairs: Arc<HashSet<(String, String)>>,
}

/// A list of names that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("not a list of names, as in \"my.module\" = [\"Class\"]: {0}")]
pub struct AllowedImportsError(String);

impl AllowedImports {
    /// Reads a list in TOML, module by module: `"my.module" = ["Class", "function"]`.
    ///
    /// # Errors
    /// When the text is no TOML of that shape.
    pub fn from_toml(text: &str) -> Result<Self, AllowedImportsError> {
        let map: BTreeMap<String, Vec<String>> =
            toml::from_str(text).map_err(|error| AllowedImportsError(error.to_string()))?;
        Ok(Self { pairs: Arc::new(pairs(map)) })
    }

    /// Whether the user allows this name.
    #[must_use]
    pub fn has(&self, module: &str, name: &str) -> bool {
        !self.pairs.is_empty() && self.pairs.contains(&(module.to_owned(), name.to_owned()))
    }
}

struct Lists {
    weights_only: HashSet<(String, String)>,
    safe: HashSet<(String, String)>,
    dangerous: HashSet<String>,
    builtins: HashSet<String>,
}

fn pairs(map: BTreeMap<String, Vec<String>>) -> HashSet<(String, String)> {
    map.into_iter()
        .flat_map(|(module, names)| names.into_iter().map(move |name| (module.clone(), name)))
        .collect()
}

static LISTS: LazyLock<Option<Lists>> = LazyLock::new(|| {
    let file: File = toml::from_str(include_str!("../../data/model_names.toml")).ok()?;
    let mut safe = pairs(file.safe);
    for more in [
        include_str!("../../data/sklearn_names.toml"),
        include_str!("../../data/torch_names.toml"),
        include_str!("../../data/library_names.toml"),
    ] {
        safe.extend(pairs(toml::from_str(more).ok()?));
    }
    Some(Lists {
        weights_only: pairs(file.weights_only),
        safe,
        dangerous: file.dangerous.modules.into_iter().collect(),
        builtins: file.dangerous.builtins.into_iter().collect(),
    })
});

#[derive(Deserialize, Default)]
struct Python2 {
    modules: HashMap<String, String>,
    names: HashMap<String, String>,
}

static PYTHON2: LazyLock<Python2> = LazyLock::new(|| {
    toml::from_str(include_str!("../../data/python2_names.toml")).unwrap_or_default()
});

/// What Python 3 reads in place of a name of Python 2, in pickles of protocols 0 to 2.
pub(crate) fn modern<'a>(module: &'a str, name: &'a str) -> (&'a str, &'a str) {
    let old = &*PYTHON2;
    if let Some(pair) = old.names.get(&format!("{module} {name}")) {
        return pair.split_once(' ').unwrap_or((module, name));
    }
    (old.modules.get(module).map_or(module, String::as_str), name)
}

/// What importing `module.name` means. Only exact names are allowed; anything reached through a
/// dotted name or a dunder is judged by the worst it could be.
pub(crate) fn standing(module: &str, name: &str) -> Standing {
    let Some(lists) = LISTS.as_ref() else { return Standing::Unknown };
    let pair = (module.to_owned(), name.to_owned());
    if lists.weights_only.contains(&pair) {
        return Standing::WeightsOnly;
    }
    if lists.safe.contains(&pair) {
        return Standing::Safe;
    }
    let mut path = String::new();
    for part in module.split('.').chain(name.split('.')) {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(part);
        if lists.dangerous.contains(&path) {
            return Standing::Dangerous;
        }
    }
    let first = name.split('.').next().unwrap_or("");
    if module == "builtins" && lists.builtins.contains(first) {
        return Standing::Dangerous;
    }
    // A walk through attributes can end anywhere: in a module, in globals, in eval.
    let walks = name.contains('.');
    let dunder = name.split('.').any(|part| part.starts_with("__") && part.ends_with("__"));
    let through = name.split('.').any(|part| lists.dangerous.contains(part));
    if walks && (dunder || through) { Standing::Dangerous } else { Standing::Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_names_are_harmless() {
        assert_eq!(standing("collections", "OrderedDict"), Standing::WeightsOnly);
        assert_eq!(standing("torch._utils", "_rebuild_tensor_v2"), Standing::WeightsOnly);
        assert_eq!(standing("numpy.core.multiarray", "_reconstruct"), Standing::Safe);
        let (module, name) = modern("__builtin__", "set");
        assert_eq!(standing(module, name), Standing::WeightsOnly);
        assert_eq!(modern("commands", "getoutput"), ("subprocess", "getoutput"));
        assert_eq!(modern("itertools", "imap"), ("builtins", "map"));
        assert_eq!(LISTS.as_ref().map(|lists| lists.safe.is_empty()), Some(false));
        assert_eq!(standing("my.model", "Net"), Standing::Unknown);
        for (module, name) in [
            ("os", "system"),
            ("posix", "system"),
            ("os.path", "join"),
            ("builtins", "eval"),
            ("commands", "getoutput"),
            ("asyncio.unix_events", "_UnixSubprocessTransport._start"),
            ("collections", "OrderedDict.__init__.__globals__"),
            ("pathlib", "os.system"),
            ("torch", "serialization.os.system"),
            ("torch.hub", "load"),
            ("torch", "load"),
            ("builtins", "getattr"),
        ] {
            assert_eq!(standing(module, name), Standing::Dangerous, "{module}.{name}");
        }
    }
}
