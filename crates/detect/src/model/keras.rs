//! What a Keras configuration makes the loader do: classes it names, code it carries. The same
//! tree is in `.keras` files, in HDF5 attributes and in the metadata of a SavedModel. Source:
//! Keras' serialization_lib.

use super::danger::Danger;
use super::found::{Found, shown};
use super::names::{Standing, standing};
use base64::Engine as _;
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::sync::LazyLock;

/// Keras' own names, of every kind.
static NAMES: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let lists: std::collections::BTreeMap<String, Vec<String>> =
        toml::from_str(include_str!("../../data/keras_names.toml")).unwrap_or_default();
    lists.into_values().flatten().collect()
});

/// Packages whose modules a configuration may name.
const PACKAGES: [&str; 8] = [
    "keras",
    "tf_keras",
    "tensorflow.keras",
    "tensorflow.python.keras",
    "keras_hub",
    "keras_nlp",
    "keras_cv",
    "tensorflow.python.framework",
];
/// Classes that load a file of another kind, or code.
const LOADERS: [&str; 6] = [
    "TorchModuleWrapper",
    "TFSMLayer",
    "JaxLayer",
    "FlaxLayer",
    "ModuleWrapper",
    "PickleableLayer",
];
/// Functions of Keras that fetch, load or turn protection off.
const GADGETS: [&str; 8] = [
    "get_file",
    "enable_unsafe_deserialization",
    "load_model",
    "load_weights",
    "load_img",
    "load_data",
    "save_model",
    "run_script",
];

/// Judges a configuration; false when it is no JSON.
pub(crate) fn judge_config(text: &str, found: &mut Found) -> bool {
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        // Broken, or nested deeper than any parser goes: code in it is still told.
        if text.contains("\"Lambda\"") || text.contains("\"__lambda__\"") {
            found.danger(Danger::KerasLambda, "a layer of class Lambda", None);
        }
        return false;
    };
    walk(&value, found);
    true
}

fn walk(value: &Value, found: &mut Found) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
        Value::Object(map) => {
            judge_object(map, found);
            for inner in map.values() {
                walk(inner, found);
            }
        }
        // Configurations lie in texts of others.
        Value::String(text) if text.starts_with('{') && text.contains("class_name") => {
            if let Ok(inner) = serde_json::from_str::<Value>(text) {
                walk(&inner, found);
            }
        }
        _ => {}
    }
}

fn judge_object(map: &Map<String, Value>, found: &mut Found) {
    let text = |key: &str| map.get(key).and_then(Value::as_str);
    let Some(class) = text("class_name") else { return };
    let config = map.get("config");
    let module = text("module").filter(|module| !module.is_empty());
    let last = class.rsplit(['>', '.']).next().unwrap_or(class);
    if matches!(last, "Lambda" | "__lambda__") {
        let name = config.and_then(|config| config.get("name")).and_then(Value::as_str);
        judge_lambda(name.unwrap_or(last), config, found);
        return;
    }
    if LOADERS.contains(&last) {
        found.danger(Danger::KerasLoader, &format!("class {}", shown(class)), None);
        return;
    }
    if class == "__typespec__" {
        let module = text("module").or_else(|| config?.get("module")?.as_str());
        if let Some(module) = module.filter(|module| !is_own(module)) {
            judge_name(module, text("spec_name").unwrap_or("?"), config, found);
        }
        return;
    }
    if class == "function" || class == "class" {
        // The configuration is the name of a function, and the module says where it is from.
        let name = config.and_then(Value::as_str).unwrap_or("?");
        match module {
            Some("builtins") | None => {
                if standing("builtins", name) == Standing::Dangerous || GADGETS.contains(&name) {
                    let words = format!("builtins.{}", shown(name));
                    found.danger(Danger::KerasDangerous, &words, None);
                }
            }
            Some(module) => judge_name(module, name, None, found),
        }
        return;
    }
    if let Some(module) = module {
        judge_name(module, class, config, found);
    } else if GADGETS.contains(&last) {
        found.danger(Danger::KerasLoader, &shown(class), None);
    } else if !is_marker(class) && !NAMES.contains(last) {
        found.danger(Danger::KerasCustom, &shown(class), None);
    }
    let vocabulary = config.and_then(|config| config.get("vocabulary")).and_then(Value::as_str);
    if let Some(path) = vocabulary.filter(|path| is_path(path)) {
        found.danger(Danger::KerasReads, &shown(path), None);
    }
}

/// Names that stand for values, not for classes.
fn is_marker(class: &str) -> bool {
    (class.starts_with("__") && class.ends_with("__"))
        || matches!(
            class,
            "TensorShape" | "TypeSpec" | "dtype" | "DType" | "TensorSpec" | "KerasTensor" | "slice"
        )
}

fn is_path(text: &str) -> bool {
    text.contains('/') || text.contains('\\') || text.contains("://")
}

fn is_own(module: &str) -> bool {
    PACKAGES.iter().any(|package| {
        module.strip_prefix(package).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

fn judge_name(module: &str, name: &str, config: Option<&Value>, found: &mut Found) {
    let full = shown(&format!("{module}.{name}"));
    let last = name.rsplit(['>', '.']).next().unwrap_or(name);
    if is_own(module) {
        if GADGETS.contains(&last) || module.ends_with("saving.serialization_lib") {
            found.danger(Danger::KerasLoader, &full, None);
        } else if !NAMES.contains(last) && !is_marker(last) {
            // A function or a class of Keras that no configuration of its own names.
            let known_module = module.contains(".layers") || module.contains(".models");
            let custom = if known_module { Danger::KerasCustom } else { Danger::KerasForeign };
            found.danger(custom, &full, None);
        }
        return;
    }
    if module == "builtins" && matches!(name, "dict" | "list" | "tuple" | "set" | "str" | "slice") {
        return;
    }
    let arguments = match config {
        Some(config) => shown(&config.to_string()),
        None => String::new(),
    };
    let call = format!("{full}({arguments})");
    match standing(module, name) {
        Standing::WeightsOnly | Standing::Safe => {}
        Standing::Dangerous => found.danger(Danger::KerasDangerous, &call, None),
        Standing::Unknown => found.danger(Danger::KerasForeign, &full, None),
    }
}

/// Code of a Lambda layer is marshalled and in base64: the names in it are plain text.
fn judge_lambda(name: &str, config: Option<&Value>, found: &mut Found) {
    let mut code = Vec::new();
    if let Some(config) = config {
        collect_code(config, &mut code, 0);
    }
    let words: Vec<String> = code.iter().flat_map(|code| names_in(code)).collect();
    let dangerous: Vec<&String> = words
        .iter()
        .filter(|word| {
            standing(word, "x") == Standing::Dangerous
                || standing("builtins", word) == Standing::Dangerous
                || matches!(word.as_str(), "system" | "popen" | "urlopen" | "check_output")
        })
        .collect();
    let bytes: usize = code.iter().map(Vec::len).sum();
    let layer = shown(name);
    if dangerous.is_empty() {
        let what = if bytes > 0 { format!("{bytes} bytes of code") } else { "a function".into() };
        found.danger(Danger::KerasLambda, &format!("layer {layer}: {what}"), None);
    } else {
        let mut list: Vec<&str> = dangerous.iter().map(|word| word.as_str()).collect();
        list.dedup();
        list.truncate(6);
        let words = format!("layer {layer}: code that names {}", list.join(", "));
        found.danger(Danger::KerasLambdaDangerous, &words, None);
    }
}

fn collect_code(value: &Value, code: &mut Vec<Vec<u8>>, depth: u8) {
    if code.len() >= 16 || depth > 16 {
        return;
    }
    match value {
        Value::String(text) if text.len() > 24 => {
            let clean: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            code.extend(base64::engine::general_purpose::STANDARD.decode(clean));
        }
        Value::Array(items) => {
            items.iter().for_each(|item| collect_code(item, code, depth.saturating_add(1)));
        }
        Value::Object(map) => {
            map.values().for_each(|item| collect_code(item, code, depth.saturating_add(1)));
        }
        _ => {}
    }
}

/// Words of letters in bytes, as marshal writes names.
fn names_in(code: &[u8]) -> Vec<String> {
    code.split(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_'))
        .filter(|word| (2..=64).contains(&word.len()))
        .take(500)
        .map(|word| String::from_utf8_lossy(word).into_owned())
        // The byte in front of a name is its length or kind, and may be a letter.
        .flat_map(|word| {
            let rest = word.get(1..).unwrap_or("").to_owned();
            [word, rest]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(config: &str) -> Vec<Danger> {
        let mut found = Found::default();
        assert!(judge_config(config, &mut found));
        found.dangers.iter().map(|(danger, ..)| *danger).collect()
    }

    #[test]
    fn classes_of_keras_are_harmless_and_others_are_not() {
        for plain in [
            r#"{"module":"keras","class_name":"Sequential","config":{"layers":[{"module":"keras.layers","class_name":"Dense","config":{"activation":"relu","kernel_initializer":{"module":"keras.initializers","class_name":"GlorotUniform","config":{}}}}]}}"#,
            r#"{"class_name":"Functional","config":{"layers":[{"class_name":"InputLayer","config":{}},{"class_name":"TFOpLambda","config":{"function":"math.add"}}]}}"#,
            r#"{"module":"keras.src.models.functional","class_name":"Functional","config":{},"registered_name":"Functional"}"#,
            r#"{"class_name":"function","module":"builtins","config":"my_loss"}"#,
            r#"{"class_name":"__tuple__","items":[1,2]}"#,
            r#"{"class_name":"StringLookup","config":{"vocabulary":["a","b"]}}"#,
        ] {
            assert_eq!(judged(plain), [], "{plain}");
        }
        for (config, danger) in [
            (r#"{"class_name":"Lambda","config":{"name":"x"}}"#, Danger::KerasLambda),
            (
                r#"{"class_name":"Bidirectional","config":{"layer":{"class_name":"Lambda","config":{}}}}"#,
                Danger::KerasLambda,
            ),
            (
                r#"{"module":"os","class_name":"function","config":"system"}"#,
                Danger::KerasDangerous,
            ),
            (
                r#"{"module":"builtins","class_name":"function","config":"eval"}"#,
                Danger::KerasDangerous,
            ),
            (r#"{"module":"my.code","class_name":"Layer","config":{}}"#, Danger::KerasForeign),
            (
                r#"{"module":"keras.utils","class_name":"get_file","config":{}}"#,
                Danger::KerasLoader,
            ),
            (
                r#"{"module":"keras.layers","class_name":"TorchModuleWrapper","config":{}}"#,
                Danger::KerasLoader,
            ),
            (r#"{"class_name":"Mine","config":{}}"#, Danger::KerasCustom),
            (
                r#"{"class_name":"StringLookup","config":{"vocabulary":"/etc/passwd"}}"#,
                Danger::KerasReads,
            ),
        ] {
            assert_eq!(judged(config), [danger], "{config}");
        }
        let code = base64::engine::general_purpose::STANDARD
            .encode(b"\xe3\x00\x00\x00\xda\x02os\xda\x06system\xda\x02id");
        let lambda =
            format!(r#"{{"class_name":"Lambda","config":{{"function":["{code}",null,null]}}}}"#);
        assert_eq!(judged(&lambda), [Danger::KerasLambdaDangerous]);
    }
}
