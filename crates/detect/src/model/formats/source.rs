//! Source code inside a model: TorchScript, torch.package, handlers of model archives. Only
//! inside an archive: Python files elsewhere are just that.

use crate::detector::{Context, View};
use crate::model::danger::Danger;
use crate::model::format::{Format, named};
use crate::model::forward::whole_text;
use crate::model::found::{Found, shown};
use lidless_core::Entry;

const LARGEST: u64 = 16 << 20;

/// Source inside a model.
pub(crate) struct Source;

/// Operations of TorchScript that reach out.
const OPERATIONS: [&str; 7] = [
    "torch.save(",
    "torch.load(",
    "torch.from_file(",
    "aten::save",
    "aten::from_file",
    "torch.ops.aten.save",
    "ops.prim.load",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Script,
    Package,
    Manifest,
}

fn kind(entry: &Entry, head: &[u8]) -> Option<Kind> {
    if entry.provenance.depth() == 0 {
        return None;
    }
    let path = entry.path();
    let inside = |folder: &str| path.starts_with(folder) || path.contains(&format!("/{folder}"));
    if inside(".data/extern_modules") {
        return Some(Kind::Package);
    }
    if inside("MAR-INF/MANIFEST.json") && head.trim_ascii_start().first() == Some(&b'{') {
        return Some(Kind::Manifest);
    }
    (inside("code/") && named(entry, &[".py"])).then_some(Kind::Script)
}

impl Format for Source {
    fn name(&self) -> &'static str {
        "torchscript"
    }

    fn recognises(&self, entry: &Entry, head: &[u8]) -> bool {
        kind(entry, head).is_some()
    }

    fn look(&self, view: &View<'_>, _context: &Context, found: &mut Found) {
        let Some(text) = whole_text(&*view.artifact.bytes, LARGEST) else {
            found.gap("source in a model too long to be read");
            return;
        };
        match kind(&view.artifact.entry, view.head) {
            Some(Kind::Package) => {
                found.format = Some("torch-package");
                let modules: Vec<&str> = text.lines().take(5).collect();
                let words = format!("source that imports {}", shown(&modules.join(", ")));
                found.danger(Danger::PackageSource, &words, None);
            }
            Some(Kind::Manifest) => {
                found.format = Some("model-archive");
                let value: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
                let handler = value.pointer("/model/handler").and_then(|handler| handler.as_str());
                // A name without a file is one of the server's own handlers.
                if let Some(handler) = handler.filter(|name| name.contains(['.', ':', '/'])) {
                    found.danger(Danger::HandlerSource, &shown(handler), None);
                }
            }
            _ => {
                for line in text.lines() {
                    if OPERATIONS.iter().any(|operation| line.contains(operation)) {
                        found.danger(Danger::ScriptReads, &shown(line.trim()), None);
                    }
                }
            }
        }
    }
}
