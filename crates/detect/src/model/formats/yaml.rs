//! YAML beside or inside a model: what Hydra and NeMo call, and tags that make Python objects.

use crate::detector::{Context, View};
use crate::model::danger::Danger;
use crate::model::format::{Format, named};
use crate::model::forward::whole_text;
use crate::model::found::{Found, shown};
use crate::model::jinja::{is_template, judge_template};
use crate::model::targets::judge_targets;
use lidless_core::Entry;
use serde_json::{Map, Value};

const LARGEST: u64 = 8 << 20;

/// A configuration in YAML that names what to call.
pub(crate) struct Yaml;

impl Format for Yaml {
    fn name(&self) -> &'static str {
        "yaml-config"
    }

    fn recognises(&self, entry: &Entry, head: &[u8]) -> bool {
        let has = |word: &[u8]| memchr::memmem::find(head, word).is_some();
        named(entry, &[".yaml", ".yml"])
            && (has(b"_target_")
                || has(b"!!python/")
                || has(b"tag:yaml.org,2002:python/")
                || has(b"chat_template")
                || entry.provenance.depth() > 0 && has(b"target:"))
    }

    fn look(&self, view: &View<'_>, _context: &Context, found: &mut Found) {
        let Some(text) = whole_text(&*view.artifact.bytes, LARGEST) else {
            found.gap("a configuration too large to be read");
            return;
        };
        // By lines: whatever a tag or a target stands in, and however broken the rest is.
        for block in blocks(&text) {
            judge_targets(&Value::Object(block), found);
        }
        for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
            let tag = line.find("!!python/").or_else(|| line.find("tag:yaml.org,2002:python/"));
            let Some(tag) = tag.and_then(|at| line.get(at..)) else { continue };
            let object = ["object", "name:", "module:"];
            if object.iter().any(|kind| tag.contains(&format!("python/{kind}"))) {
                found.danger(Danger::YamlTag, &shown(tag), None);
            }
        }
        if text.contains("chat_template") && is_template(&text) {
            judge_template(&text, None, found);
        }
    }
}

/// Keys and values by their indentation: lines of one depth without a shallower one between
/// them are one object. Enough to see a target with its arguments.
fn blocks(text: &str) -> Vec<Map<String, Value>> {
    let mut open: Vec<(usize, Map<String, Value>)> = Vec::new();
    let mut done = Vec::new();
    for line in text.lines().take(200_000) {
        let content = line.trim_start();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let mut indent = line.len().saturating_sub(content.len());
        let mut content = content;
        let mut fresh = false;
        while let Some(item) = content.strip_prefix("- ") {
            content = item.trim_start();
            indent = line.len().saturating_sub(content.len());
            fresh = true;
        }
        while open.last().is_some_and(|(depth, _)| *depth > indent || (fresh && *depth == indent)) {
            done.extend(open.pop().map(|(_, map)| map));
        }
        // Flow style: the keys of `{a: b, c: d}` are of one object of their own.
        let flow = content.split_once('{').map(|(_, inner)| inner);
        if let Some(inner) = flow {
            let pairs = inner.split([',', '{', '}']).filter_map(pair);
            done.push(pairs.collect());
        }
        if let Some((key, value)) = pair(content) {
            if open.last().is_none_or(|(depth, _)| *depth < indent) && open.len() < 200 {
                open.push((indent, Map::new()));
            }
            if let Some((_, map)) = open.last_mut() {
                map.insert(key, value);
            }
        }
    }
    done.extend(open.into_iter().map(|(_, map)| map));
    done
}

fn pair(text: &str) -> Option<(String, Value)> {
    let (key, value) = text.split_once(':')?;
    let plain = |text: &str| {
        let text = text.trim();
        let text = text.split(" #").next().unwrap_or(text).trim();
        text.trim_matches(['"', '\'']).to_owned()
    };
    Some((plain(key), Value::String(plain(value))))
}
