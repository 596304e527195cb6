//! Looks into one artifact, and into what is inside it, and inside that.

use crate::allow;
use crate::decisions::Markers;
use crate::order::interest;
use crate::questions::Questions;
use crate::versions::Versions;
use lidless_core::{
    Artifact, Encoding, Entry, Finding, Gap, Interest, Limits, Place, Remark, Text,
};
use lidless_detect::model::AllowedImports;
use lidless_detect::{Context, Detectors, Head, Output, RuleSet, View, Want};
use lidless_io::{MemoryBytes, ReadError, ReadErrorKind, read_vec};
use lidless_peel::{Peelers, Sink};
use lidless_token::Sighting;
use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// How much of an artifact every peeler and detector gets to see first.
const HEAD_BYTES: u64 = 16 << 10;
const HEAD_LENGTH: usize = 16 << 10;

/// From this size on, the middle of a text is looked at before all of it is read.
const SAMPLED_BYTES: u64 = 1 << 20;
const SAMPLE_BYTES: u64 = 4 << 10;

/// Everything it takes to look into artifacts; shared by all threads.
pub(crate) struct Inspector {
    detectors: Detectors,
    peelers: Peelers,
    context: Context,
    versions: Versions,
    markers: Markers,
    /// Secrets that issuers are to be asked about.
    pub(crate) questions: Questions,
}

/// A credential or a storage link, and where it stood.
pub(crate) struct Seen {
    pub(crate) place: Place,
    pub(crate) sighting: Sighting,
}

/// What looking into one artifact gave.
#[derive(Default)]
pub(crate) struct Outcome {
    /// Entries opened, the artifact itself included.
    pub(crate) entries: u64,
    pub(crate) output: Output,
    pub(crate) seen: Vec<Seen>,
    /// What to tell of markers in it.
    pub(crate) remarks: Vec<Remark>,
    /// Set when the artifact itself could not be read at all.
    pub(crate) unreadable: Option<String>,
}

impl Inspector {
    pub(crate) fn new(context: Context, rules: RuleSet) -> Self {
        Self {
            detectors: Detectors::with(rules),
            peelers: Peelers::new(),
            context,
            versions: Versions::default(),
            markers: Markers::None,
            questions: Questions::default(),
        }
    }

    /// With markers that are heeded where content may speak for itself.
    pub(crate) fn heeding(mut self, markers: Markers) -> Self {
        self.markers = markers;
        self
    }

    /// What the name alone says.
    pub(crate) fn names(&self, entry: &Entry, output: &mut Output) {
        self.detectors.names(entry, &self.context, output);
    }

    /// Looks into an artifact to the depth limit.
    pub(crate) fn inspect(&self, artifact: &Artifact) -> Outcome {
        let mut outcome = Outcome::default();
        self.look(artifact, 0, &mut outcome);
        outcome
    }

    fn look(&self, artifact: &Artifact, depth: usize, outcome: &mut Outcome) {
        outcome.entries = outcome.entries.saturating_add(1);
        self.detectors.names(&artifact.entry, &self.context, &mut outcome.output);
        let read = match artifact.bytes.memory() {
            Some(all) => Ok(Cow::Borrowed(all.get(..HEAD_LENGTH).unwrap_or(all))),
            None => read_vec(&*artifact.bytes, 0, HEAD_BYTES).map(Cow::Owned),
        };
        let head = match read {
            Ok(head) => head,
            Err(error) => {
                let reason = reason(&error);
                if depth == 0 {
                    outcome.unreadable = Some(reason);
                } else {
                    outcome.output.gaps.push(gap(artifact, reason));
                }
                return;
            }
        };
        // What fits into the head is not read again.
        let small = u64::try_from(head.len()).is_ok_and(|known| known == artifact.bytes.len());
        let memory = (small && artifact.bytes.memory().is_none())
            .then(|| artifact.over(Arc::new(MemoryBytes::new(head.to_vec()))));
        let artifact = memory.as_ref().unwrap_or(artifact);
        let peeler = self.peelers.find(artifact, &head);
        let first = Head::new(&head);
        let wants = self.detectors.wants(&artifact.entry, &first);
        let wanted = wants.most;
        // A model or an archive is no text, however many names stand at its beginning.
        let is_text = peeler.is_none() && wanted < Want::Random;
        let text = if is_text { self.text(artifact, &first, outcome) } else { None };
        let cut = text
            .as_ref()
            .map(|text| self.versions.cut(text.as_str(), artifact.entry.full_path(), wants));
        if let (Some(text), Some(cut)) = (&text, &cut) {
            for sighting in lidless_token::recognise_in(text.as_str(), &cut.pieces) {
                let line = text.line_of(sighting.span.start);
                let offset = u64::try_from(sighting.span.start).unwrap_or(u64::MAX);
                let place = Place::line(artifact.entry.provenance.clone(), line, offset);
                outcome.seen.push(Seen { place, sighting });
            }
        }
        if wanted > Want::Nothing {
            let view = View {
                artifact,
                head: &head,
                text: text.as_ref(),
                pieces: cut.as_ref().map(|cut| &cut.pieces),
            };
            let from = outcome.output.findings.len();
            self.detectors.detect_wanted(wants, &view, &self.context, &mut outcome.output);
            if let Some(text) = &text
                && depth == 0
                && self.markers != Markers::None
                && allow::may_speak(&artifact.entry.provenance)
            {
                let foreign = self.markers == Markers::Foreign;
                let output = &mut outcome.output;
                let (findings, suppressed) = (&mut output.findings, &mut output.suppressed);
                allow::apply(text, foreign, from, findings, suppressed, &mut outcome.remarks);
                // What is allowed is nobody's to ask about.
                let kept: Vec<_> =
                    findings.iter().filter_map(|it| it.fingerprint.clone()).collect();
                output.verifiable.retain(|one| kept.contains(&one.fingerprint));
            }
            self.questions.add(&mut outcome.output.verifiable, &self.context.key);
        }
        if let Some(cut) = cut {
            self.versions.learn(&cut);
        }
        drop(text);
        if let Some(peeler) = peeler {
            if depth >= self.context.limits.depth {
                outcome.output.gaps.push(gap(artifact, "nested deeper than the limit".into()));
                return;
            }
            let mut inside = Inside { inspector: self, depth: depth.saturating_add(1), outcome };
            // Parsers do not panic; should one do so all the same, what was found stays.
            let peeled = catch_unwind(AssertUnwindSafe(|| {
                peeler.peel(artifact, &head, &self.context.limits, &mut inside);
            }));
            if peeled.is_err() {
                let reason = format!("{} that could not be opened to its end", peeler.name());
                outcome.output.gaps.push(gap(artifact, reason));
            }
        }
    }

    /// All of it as text, when it is text; the first part, with a gap, when it is too long.
    fn text<'a>(
        &self,
        artifact: &'a Artifact,
        head: &Head<'a>,
        outcome: &mut Outcome,
    ) -> Option<Text<'a>> {
        let encoding = head.encoding()?;
        let length = artifact.bytes.len();
        if length <= u64::try_from(head.len()).unwrap_or(0) {
            return Some(Text::decode_as(head.bytes(), encoding));
        }
        // Large content that begins like text has to look like text in its middle as well.
        if length > SAMPLED_BYTES {
            let middle = read_vec(&*artifact.bytes, length / 2, SAMPLE_BYTES).unwrap_or_default();
            Encoding::of(&middle)?;
        }
        let limit = self.context.limits.text_bytes;
        if length <= limit
            && let Some(all) = artifact.bytes.memory()
        {
            return Some(Text::decode_as(all, encoding));
        }
        let bytes = match read_vec(&*artifact.bytes, 0, limit) {
            Ok(bytes) => bytes,
            Err(error) => {
                outcome.output.gaps.push(gap(artifact, reason(&error)));
                return Some(Text::decode_as(head.bytes(), encoding));
            }
        };
        if length > limit {
            let rest = length.saturating_sub(limit);
            let reason = "text searched only up to the limit";
            outcome.output.gaps.push(Gap::new(&artifact.entry.provenance, reason, Some(rest)));
        }
        Some(Text::decode_as(&bytes, encoding).into_owned())
    }
}

fn gap(artifact: &Artifact, reason: String) -> Gap {
    Gap::new(&artifact.entry.provenance, reason, Some(artifact.bytes.len()))
}

/// Why an object is not read that is another one by now, or none.
pub(crate) const GONE: &str = "gone or changed since it was listed";

/// A failed read in words that count together.
pub(crate) fn reason(error: &ReadError) -> String {
    match error.kind {
        ReadErrorKind::Unavailable => format!("could not be read: {}", error.message),
        ReadErrorKind::Denied => "the service refused to read it".into(),
        ReadErrorKind::Changed => GONE.into(),
        ReadErrorKind::Offline => "in the archive tier".into(),
        ReadErrorKind::Locked => "encrypted with a key that only its owner has".into(),
        ReadErrorKind::OutOfBudget => "budget spent".into(),
        ReadErrorKind::Malformed => {
            format!("the source is not as long as it said: {}", error.message)
        }
    }
}

/// Receives what a peeler finds and looks into it at once, so that nothing is held.
struct Inside<'a> {
    inspector: &'a Inspector,
    depth: usize,
    outcome: &'a mut Outcome,
}

impl Sink for Inside<'_> {
    fn entry(&mut self, artifact: Artifact) {
        self.inspector.look(&artifact, self.depth, self.outcome);
    }

    fn inert(&mut self, entry: Entry, _reason: &'static str) {
        self.outcome.entries = self.outcome.entries.saturating_add(1);
        self.inspector.names(&entry, &mut self.outcome.output);
    }

    fn interest(&self, entry: &Entry) -> Interest {
        interest(entry)
    }

    fn gap(&mut self, gap: Gap) {
        self.outcome.output.gaps.push(gap);
    }

    fn finding(&mut self, finding: Finding) {
        self.outcome.output.findings.push(finding);
    }
}

/// The bounds of a run in a context for detectors.
pub(crate) fn context(
    key: &lidless_core::FingerprintKey,
    limits: Limits,
    imports: AllowedImports,
    verify: bool,
) -> Context {
    Context { key: key.clone(), limits, imports, verify }
}
