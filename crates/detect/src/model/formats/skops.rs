//! skops: `schema.json` names every class and function that loading would import.

use crate::detector::{Context, View};
use crate::model::danger::Danger;
use crate::model::format::Format;
use crate::model::forward::whole_text;
use crate::model::found::{Found, shown};
use crate::model::names::{Standing, standing};
use lidless_core::Entry;
use serde_json::Value;

const LARGEST: u64 = 256 << 20;

/// The schema of a skops file.
pub(crate) struct Skops;

impl Format for Skops {
    fn name(&self) -> &'static str {
        "skops"
    }

    fn recognises(&self, _entry: &Entry, head: &[u8]) -> bool {
        let has = |word: &[u8]| memchr::memmem::find(head, word).is_some();
        head.trim_ascii_start().first() == Some(&b'{')
            && has(b"\"__loader__\"")
            && has(b"\"__module__\"")
    }

    fn look(&self, view: &View<'_>, context: &Context, found: &mut Found) {
        let Some(text) = whole_text(&*view.artifact.bytes, LARGEST) else {
            found.gap("a skops schema too large to be read");
            return;
        };
        match serde_json::from_str::<Value>(&text) {
            Ok(value) => walk(&value, context, found),
            Err(error) => found.danger(Danger::Malformed, &format!("a schema: {error}"), None),
        }
    }
}

fn walk(value: &Value, context: &Context, found: &mut Found) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, context, found)),
        Value::Object(map) => {
            let text = |key: &str| map.get(key).and_then(Value::as_str);
            if let (Some(module), Some(class)) = (text("__module__"), text("__class__")) {
                judge(module, class, text("__loader__").unwrap_or(""), map, context, found);
            }
            map.values().for_each(|item| walk(item, context, found));
        }
        _ => {}
    }
}

fn judge(
    module: &str,
    class: &str,
    loader: &str,
    map: &serde_json::Map<String, Value>,
    context: &Context,
    found: &mut Found,
) {
    // The content of a function is where it is from; a method names what it is looked up on.
    let inner = map.get("content").and_then(Value::as_object);
    let part = |key: &str| inner.and_then(|inner| inner.get(key)).and_then(Value::as_str);
    let (module, class) = match loader {
        "FunctionNode" => {
            (part("module_path").unwrap_or(module), part("function").unwrap_or(class))
        }
        _ => (module, class),
    };
    let name = shown(&format!("{module}.{class}"));
    let reaches = match loader {
        "OperatorFuncNode" | "MethodNode" | "PartialNode" => {
            part("func").is_some_and(|f| f.starts_with("__"))
                || !matches!(module, "operator" | "functools")
                    && standing(module, class) == Standing::Dangerous
        }
        _ => standing(module, class) == Standing::Dangerous,
    };
    let known = standing(module, class) < Standing::Unknown
        || context.imports.has(module, class)
        || matches!(
            loader,
            "DictNode" | "ListNode" | "TupleNode" | "SetNode" | "JsonNode" | "SliceNode"
                | "NdArrayNode" | "DTypeNode" | "SparseMatrixNode" | "MaskedArrayNode"
                | "RandomStateNode" | "RandomGeneratorNode" | "BytesNode" | "BytearrayNode"
                | "DefaultDictNode" | "OrderedDictNode" | "CachedNode"
        )
        // skops trusts the types of these libraries itself.
        || ["sklearn.", "numpy", "scipy."].iter().any(|start| module.starts_with(start));
    if reaches && !known {
        found.danger(Danger::SkopsDangerous, &name, None);
    } else if !known && !matches!(module, "builtins" | "operator" | "functools") {
        found.danger(Danger::SkopsUnknown, &name, None);
    }
}
