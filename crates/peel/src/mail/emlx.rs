//! A mail as Apple Mail keeps it: a line with the length of the message, the message, and a
//! property list with flags.

use super::header::Headers;
use crate::peeler::{Peeler, Sink};
use crate::plain::is_given_text;
use lidless_core::{Artifact, Entry, Layer, Limits};
use lidless_io::{ReadAt as _, Window};
use std::sync::Arc;

/// A mail of Apple Mail.
pub(crate) struct Emlx;

/// Where the message begins, and how long it is.
fn message(head: &[u8]) -> Option<(u64, u64)> {
    let end = head.get(..24).unwrap_or(head).iter().position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(head.get(..end)?).ok()?;
    let length = line.trim().parse::<u64>().ok()?;
    let start = end.saturating_add(1);
    Headers::begin(head.get(start..)?).then(|| Some((u64::try_from(start).ok()?, length)))?
}

impl Peeler for Emlx {
    fn name(&self) -> &'static str {
        "emlx"
    }

    fn recognises(&self, artifact: &Artifact, head: &[u8]) -> bool {
        !is_given_text(artifact) && message(head).is_some()
    }

    fn peel(&self, artifact: &Artifact, head: &[u8], _limits: &Limits, sink: &mut dyn Sink) {
        let Some((start, length)) = message(head) else { return };
        let end = start.saturating_add(length);
        let rest = artifact.bytes.len().saturating_sub(end);
        for (name, at, length) in [("message.eml", start, length), ("flags.plist", end, rest)] {
            let bytes = Window::new(Arc::clone(&artifact.bytes), at, length);
            if bytes.is_empty() {
                continue;
            }
            let layer = Layer::Member { path: name.to_owned() };
            let entry = Entry::new(artifact.entry.provenance.child(layer), Some(bytes.len()));
            sink.entry(Artifact::new(entry, Arc::new(bytes)));
        }
    }
}
