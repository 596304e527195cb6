//! GGUF: `GGUF`, version, counts, keys with values, then the tensors. Source: the GGUF
//! specification of ggml. Only the keys are read; the templates among them are judged.

use crate::detector::{Context, View};
use crate::model::danger::Danger;
use crate::model::format::Format;
use crate::model::forward::Forward;
use crate::model::found::{Found, shown};
use crate::model::jinja::judge_template;
use lidless_core::Entry;

/// The keys of the largest known vocabulary take 12 MB.
const MOST: u64 = 64 << 20;
/// The longest template that is read.
const TEMPLATE: u64 = 4 << 20;
const STRING: u32 = 8;
const ARRAY: u32 = 9;

/// A GGUF file.
pub(crate) struct Gguf;

impl Format for Gguf {
    fn name(&self) -> &'static str {
        "gguf"
    }

    fn recognises(&self, _entry: &Entry, head: &[u8]) -> bool {
        head.starts_with(b"GGUF") && head.len() >= 24
    }

    fn look(&self, view: &View<'_>, _context: &Context, found: &mut Found) {
        let bytes = &*view.artifact.bytes;
        let mut forward = Forward::new(bytes, 4, bytes.len(), MOST);
        if keys(&mut forward, found).is_none() {
            let left = forward.left();
            found.danger(
                Danger::Malformed,
                &format!("keys that break off {left} bytes before the end"),
                Some(forward.position()),
            );
        }
    }
}

fn keys(forward: &mut Forward<'_>, found: &mut Found) -> Option<()> {
    let version = forward.u32_le()?;
    if !(1..=3).contains(&version) {
        found.gap(format!("a GGUF file of version {version}"));
        return Some(());
    }
    let wide = version > 1;
    let tensors = number(forward, wide)?;
    let count = number(forward, wide)?;
    // A tensor takes 24 bytes of header at least, a key 13.
    if tensors > forward.left() / 24 || count > forward.left() / 13 {
        return None;
    }
    for _ in 0..count {
        let key = text(forward, wide, 64 << 10)?;
        let kind = forward.u32_le()?;
        if kind == STRING && key.contains("chat_template") {
            let offset = forward.position();
            let length = number(forward, wide)?;
            if length > TEMPLATE {
                forward.skip(length).then_some(())?;
                found.gap("a chat template too long to be read");
                continue;
            }
            let template = String::from_utf8_lossy(forward.take(length)?).into_owned();
            judge_template(&template, Some(offset), found);
        } else {
            value(forward, kind, wide, 0)?;
        }
        if key.len() > 1024 {
            found.danger(Danger::Malformed, &format!("a key {}", shown(&key)), None);
        }
    }
    Some(())
}

fn number(forward: &mut Forward<'_>, wide: bool) -> Option<u64> {
    if wide { forward.u64_le() } else { forward.u32_le().map(u64::from) }
}

fn text(forward: &mut Forward<'_>, wide: bool, most: u64) -> Option<String> {
    let length = number(forward, wide)?;
    if length > most {
        return None;
    }
    Some(String::from_utf8_lossy(forward.take(length)?).into_owned())
}

fn width(kind: u32) -> Option<u64> {
    Some(match kind {
        0 | 1 | 7 => 1,
        2 | 3 => 2,
        4..=6 => 4,
        10..=12 => 8,
        _ => return None,
    })
}

fn value(forward: &mut Forward<'_>, kind: u32, wide: bool, depth: u8) -> Option<()> {
    match kind {
        STRING => {
            let length = number(forward, wide)?;
            forward.skip(length).then_some(())
        }
        ARRAY => {
            let kind = forward.u32_le()?;
            let count = number(forward, wide)?;
            if let Some(width) = width(kind) {
                return forward.skip(count.checked_mul(width)?).then_some(());
            }
            // No known key nests more than one array in another.
            if depth > 4 || count > forward.left() {
                return None;
            }
            for _ in 0..count {
                value(forward, kind, wide, depth.saturating_add(1))?;
            }
            Some(())
        }
        _ => forward.skip(width(kind)?).then_some(()),
    }
}
