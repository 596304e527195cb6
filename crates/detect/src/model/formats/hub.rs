//! Configurations of models in JSON: chat templates in them, and the Python files they ask for.

use crate::detector::{Context, View};
use crate::model::danger::Danger;
use crate::model::format::Format;
use crate::model::forward::whole_text;
use crate::model::found::{Found, shown};
use crate::model::jinja::{is_template, judge_template};
use crate::model::targets::judge_targets;
use lidless_core::Entry;
use serde_json::Value;

/// A tokenizer's configuration with all of its tokens has 3 MB.
const LARGEST: u64 = 32 << 20;

/// A configuration of a model hub.
pub(crate) struct Hub;

const WORDS: [&[u8]; 5] = [
    b"\"chat_template\"",
    b"\"auto_map\"",
    b"\"tokenizer_class\"",
    b"\"architectures\"",
    b"\"_target_\"",
];

impl Format for Hub {
    fn name(&self) -> &'static str {
        "hub-config"
    }

    fn recognises(&self, entry: &Entry, head: &[u8]) -> bool {
        if head.trim_ascii_start().first() != Some(&b'{') {
            return false;
        }
        let name = entry.lower_file_name();
        matches!(name, "tokenizer_config.json" | "processor_config.json" | "chat_template.json")
            || WORDS.iter().any(|word| memchr::memmem::find(head, word).is_some())
    }

    fn look(&self, view: &View<'_>, _context: &Context, found: &mut Found) {
        let Some(text) = whole_text(&*view.artifact.bytes, LARGEST) else {
            found.gap("a configuration too large to be read");
            return;
        };
        let Ok(value) = serde_json::from_str::<Value>(&text) else {
            // Broken JSON is no model; templates in it are still judged.
            if is_template(&text) {
                judge_template(&text, None, found);
            }
            found.is_none = found.dangers.is_empty();
            return;
        };
        templates(&value, false, found);
        remote_code(&value, found);
        judge_targets(&value, found);
    }
}

/// Every text that is a template, wherever it stands: loaders take several keys.
fn templates(value: &Value, wanted: bool, found: &mut Found) {
    match value {
        Value::String(text) if wanted || is_template(text) => judge_template(text, None, found),
        Value::Array(items) => items.iter().for_each(|item| templates(item, wanted, found)),
        Value::Object(map) => {
            for (key, value) in map {
                templates(value, wanted || key.contains("template"), found);
            }
        }
        _ => {}
    }
}

fn remote_code(value: &Value, found: &mut Found) {
    let Some(map) = value.get("auto_map").and_then(Value::as_object) else { return };
    let mut names: Vec<String> = Vec::new();
    for value in map.values() {
        match value {
            Value::String(name) => names.push(shown(name)),
            Value::Array(all) => names.extend(all.iter().filter_map(Value::as_str).map(shown)),
            _ => {}
        }
    }
    names.dedup();
    if !names.is_empty() {
        names.truncate(4);
        found.danger(Danger::RemoteCode, &names.join(", "), None);
    }
}
