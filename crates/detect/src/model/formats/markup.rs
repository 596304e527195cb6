//! Models in XML: PMML and OpenVINO. Entities, scripts, libraries and addresses in them.

use crate::detector::{Context, View};
use crate::model::danger::Danger;
use crate::model::format::Format;
use crate::model::forward::whole_text;
use crate::model::found::{Found, shown};
use lidless_core::Entry;

const LARGEST: u64 = 64 << 20;

/// A model in XML.
pub(crate) struct Markup;

impl Format for Markup {
    fn name(&self) -> &'static str {
        "xml-model"
    }

    fn recognises(&self, _entry: &Entry, head: &[u8]) -> bool {
        let has = |word: &[u8]| memchr::memmem::find(head, word).is_some();
        let xml = head.trim_ascii_start().first() == Some(&b'<');
        xml && (has(b"<PMML") || (has(b"<net ") && has(b"<layers")))
    }

    fn look(&self, view: &View<'_>, _context: &Context, found: &mut Found) {
        let bytes = &*view.artifact.bytes;
        let pmml = memchr::memmem::find(view.head, b"<PMML").is_some();
        found.format = Some(if pmml { "pmml" } else { "openvino" });
        let Some(text) = whole_text(bytes, LARGEST) else {
            found.gap("a model in XML too large to be read");
            return;
        };
        for mark in ["<!ENTITY", "<!DOCTYPE"] {
            for (at, _) in text.match_indices(mark).take(20) {
                let line = text.get(at..).and_then(|rest| rest.split('>').next()).unwrap_or("");
                if mark == "<!ENTITY" || line.contains("SYSTEM") || line.contains("PUBLIC") {
                    found.danger(Danger::MarkupEntity, &shown(line), u64::try_from(at).ok());
                }
            }
        }
        if text.contains("<xi:include") || text.contains("<?xml-stylesheet") {
            found.danger(Danger::MarkupLibrary, "an include or a style sheet", None);
        }
        attributes(&text, pmml, found);
    }
}

/// Values of attributes that name a library, and elements that carry a script.
fn attributes(text: &str, pmml: bool, found: &mut Found) {
    for tag in text.split('<').skip(1).take(1_000_000) {
        let tag = tag.split('>').next().unwrap_or("");
        let name = tag.split([' ', '\t', '\n', '/']).next().unwrap_or("");
        let lower = name.to_ascii_lowercase();
        if matches!(lower.as_str(), "script" | "javascript" | "exec" | "command") {
            found.danger(Danger::MarkupLibrary, &shown(tag), None);
            continue;
        }
        let mut parts = tag.split(['"', '\'']);
        while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
            let key = key.trim().trim_end_matches('=').trim();
            let key = key.rsplit([' ', '\n', '\t', ':']).next().unwrap_or("");
            let end = value.rsplit('.').next().unwrap_or("").to_ascii_lowercase();
            let library = matches!(end.as_str(), "so" | "dll" | "dylib" | "py" | "sh" | "exe");
            let names = ["library", "extension", "plugin", "impl", "implementation", "path"];
            let java = pmml && name == "Extension" && value.starts_with("java.lang.");
            if (library && (names.contains(&key) || value.contains(['/', '\\']))) || java {
                found.danger(Danger::MarkupLibrary, &shown(value), None);
            }
        }
    }
}
