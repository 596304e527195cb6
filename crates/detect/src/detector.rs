//! The face of every detector.

use crate::head::Head;
use crate::model::AllowedImports;
use crate::secret::Verifiable;
use lidless_core::{
    Artifact, Entry, Finding, FingerprintKey, Gap, Limits, Mark, Pieces, Suppressions, Text,
};

/// How much of an entry a detector wants, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Want {
    /// Nothing at all.
    Nothing,
    /// Its first bytes, up to [`View::head`].
    Head,
    /// All of it, decoded as text, when it is text.
    Text,
    /// Any part of it, read at offsets.
    Random,
}

/// What a run gives to every detector.
#[derive(Debug, Clone)]
pub struct Context {
    /// The key of this case's fingerprints.
    pub key: FingerprintKey,
    /// The bounds.
    pub limits: Limits,
    /// Names that models may import, beside the known ones.
    pub imports: AllowedImports,
    /// Whether secrets whose issuer can be asked are handed on, in memory only.
    pub verify: bool,
}

/// One opened entry.
#[derive(Debug)]
pub struct View<'a> {
    /// The entry and its bytes.
    pub artifact: &'a Artifact,
    /// Its first bytes (up to 16 KiB; all of it when it is shorter).
    pub head: &'a [u8],
    /// All of it as text, when it is text and a detector wanted it.
    pub text: Option<&'a Text<'a>>,
    /// What is known of the pieces of the text; none when nothing is.
    pub pieces: Option<&'a Pieces>,
}

/// What a detector found. Evidence in it is redacted already.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Output {
    /// Findings.
    pub findings: Vec<Finding>,
    /// Evidence that adds up over many entries.
    pub marks: Vec<Mark>,
    /// What could not be seen.
    pub gaps: Vec<Gap>,
    /// What looked like a secret and is none.
    pub suppressed: Suppressions,
    /// Secrets to ask their issuers about; only when the context wants them. Never stored.
    pub verifiable: Vec<Verifiable>,
}

/// One kind of thing to find.
pub trait Detector: Send + Sync {
    /// A short name, for logs and limits.
    fn name(&self) -> &'static str;

    /// What can be said from the name and the listing alone; called for every listed entry, so
    /// it must be cheap. Says nothing by default.
    fn names(&self, entry: &Entry, context: &Context, output: &mut Output) {
        let _ = (entry, context, output);
    }

    /// What it wants to see of an entry, given its first bytes.
    fn wants(&self, entry: &Entry, head: &Head<'_>) -> Want;

    /// Looks at an entry. Called only when it wanted more than nothing; `view.text` is there
    /// when it wanted text and the entry is text.
    fn detect(&self, view: &View<'_>, context: &Context, output: &mut Output);
}
