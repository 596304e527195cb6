//! Looks at bytes as the program does: at the file, and at what is inside it.

use lidless_core::{
    Artifact, Entry, Finding, FingerprintKey, Gap, Layer, Limits, Provenance, Severity, Text,
};
use lidless_detect::model::{AllowedImports, ModelDetector};
use lidless_detect::{Context, Detector, Head, Output, View, Want};
use lidless_io::{MemoryBytes, read_vec};
use lidless_peel::{Peelers, Sink};
use std::sync::Arc;

/// What is found in a file and in what is inside it.
pub(crate) fn look(path: &str, bytes: &[u8]) -> Output {
    let place = Provenance::new(Layer::File { path: format!("/{path}") });
    let artifact = Artifact::new(
        Entry::new(place, Some(bytes.len() as u64)),
        Arc::new(MemoryBytes::new(bytes.to_vec())),
    );
    let mut inside = Inside { output: Output::default(), depth: 0 };
    inside.entry(artifact);
    inside.output
}

struct Inside {
    output: Output,
    depth: usize,
}

impl Sink for Inside {
    fn entry(&mut self, artifact: Artifact) {
        let Ok(head) = read_vec(&*artifact.bytes, 0, 16 << 10) else { return };
        let (limits, key) = (Limits::default(), FingerprintKey::from_bytes([0; 32]));
        let wants = ModelDetector.wants(&artifact.entry, &Head::new(&head));
        if wants > Want::Nothing {
            let all = read_vec(&*artifact.bytes, 0, u64::MAX).unwrap();
            let text = if wants == Want::Text { Text::decode(&all) } else { None };
            let view = View { artifact: &artifact, head: &head, text: text.as_ref(), pieces: None };
            ModelDetector.detect(
                &view,
                &Context { key, limits, imports: AllowedImports::default(), verify: false },
                &mut self.output,
            );
        }
        if let Some(peeler) = Peelers::new().find(&artifact, &head)
            && self.depth < limits.depth
        {
            self.depth += 1;
            peeler.peel(&artifact, &head, &limits, self);
            self.depth -= 1;
        }
    }

    fn inert(&mut self, _entry: Entry, _reason: &'static str) {}

    fn gap(&mut self, gap: Gap) {
        self.output.gaps.push(gap);
    }

    fn finding(&mut self, finding: Finding) {
        self.output.findings.push(finding);
    }
}

/// The worst finding, if there is any.
pub(crate) fn worst(output: &Output) -> Option<Severity> {
    output.findings.iter().map(|finding| finding.severity).max()
}
