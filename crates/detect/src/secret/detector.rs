//! Secrets in text as findings. No evidence holds a secret, its own or another of the same line.

use super::checksum::{Checksum, aws_account};
use super::engine::{Engine, Match, Sought};
use super::own::RuleSet;
use super::published::published;
use super::structure::{self, Found};
use super::verifiable::Verifiable;
use super::{decoded, key};
use crate::detector::{Context, Detector, Output, View, Want};
use crate::head::Head;
use lidless_core::{Category, Confidence, Entry, Finding, Gap, Place, Reason, Suppressed, Text};
use std::ops::Range;
use std::sync::OnceLock;

/// Finds secrets by rule, by the names they stand under, and in what is encoded.
pub(crate) struct SecretDetector {
    /// Compiled when the first text comes: a folder of models may have none.
    engine: OnceLock<Engine>,
    rules: RuleSet,
}

impl SecretDetector {
    pub(crate) fn new(rules: RuleSet) -> Self {
        Self { engine: OnceLock::new(), rules }
    }
}

/// Files whose long strings are hashes of other things.
fn is_lock_file(entry: &Entry) -> bool {
    let name = entry.lower_file_name();
    [
        "package-lock.json",
        "yarn.lock",
        "cargo.lock",
        "go.sum",
        "poetry.lock",
        "composer.lock",
        "pnpm-lock.yaml",
        "gemfile.lock",
        "pipfile.lock",
    ]
    .contains(&name)
}

impl Detector for SecretDetector {
    fn name(&self) -> &'static str {
        "secret"
    }

    fn wants(&self, _entry: &Entry, head: &Head<'_>) -> Want {
        if head.is_empty() || !head.is_text() { Want::Nothing } else { Want::Text }
    }

    fn detect(&self, view: &View<'_>, context: &Context, output: &mut Output) {
        let Some(text) = view.text else { return };
        let entry = &view.artifact.entry;
        let engine = self.engine.get_or_init(|| Engine::with(&self.rules));
        let path = entry.path();
        let found = engine.find_judged(Sought { text: text.as_str(), path }, view.pieces);
        for rule in found.stopped {
            let reason = format!("not searched to its end for secret.{}", rule.id);
            output.gaps.push(Gap::new(&entry.provenance, reason, None));
        }
        let mut look =
            Look { text, entry, context, locked: is_lock_file(entry), taken: Vec::new(), output };
        let weak = look.by_rules(found.matches);
        let named = look.by_names(structure::find(path, text.as_str(), view.pieces));
        for (found, reason) in weak.iter().filter(|(found, _)| !touches(&named, &found.span)) {
            look.leave(found, *reason);
        }
        let taken = std::mem::take(&mut look.taken);
        decoded::find(engine, view, text, &taken, context, output);
    }
}

/// One text, looked at.
struct Look<'a> {
    text: &'a Text<'a>,
    entry: &'a Entry,
    context: &'a Context,
    /// It is a lock file.
    locked: bool,
    /// Where something stands that was told already.
    taken: Vec<Range<usize>>,
    output: &'a mut Output,
}

impl Look<'_> {
    /// Adds what rules found, and answers what another look at the same place may overrule.
    fn by_rules<'t>(&mut self, found: Vec<Match<'t>>) -> Vec<(Match<'t>, Reason)> {
        let mut weak = Vec::new();
        for found in found {
            let unsure = found.rule.confidence < Confidence::High;
            match found.doubt.or((self.locked && unsure).then_some(Reason::LockFile)) {
                // What one rule takes for a word may stand under a name that says more.
                Some(reason) if is_weak(reason) => weak.push((found, reason)),
                Some(reason) => {
                    self.taken.push(found.span.clone());
                    self.leave(&found, reason);
                }
                None => {
                    self.taken.push(found.span.clone());
                    let place = place(self.text, found.start(), self.entry);
                    let mut finding = by_rule(&found, self.text.as_str(), &place, self.context);
                    if found.rule.password && found.whole.contains("://") {
                        let sure = structure::in_link(found.secret, self.entry.path());
                        finding.confidence = finding.confidence.min(sure);
                    }
                    if self.context.verify {
                        let question = Verifiable::of(&found, self.text.as_str(), &finding);
                        self.output.verifiable.extend(question);
                    }
                    self.output.findings.push(finding);
                }
            }
        }
        self.taken.sort_by_key(|span| span.start);
        weak
    }

    /// Adds what names told, and answers where that stands.
    fn by_names(&mut self, verdicts: structure::Verdicts) -> Vec<Range<usize>> {
        let mut named: Vec<Range<usize>> = Vec::new();
        for left in &verdicts.left {
            let Some(reason) = left.reason.for_report() else { continue };
            let value = self.text.as_str().get(left.span.clone());
            if let Some(value) = value.filter(|_| !touches(&self.taken, &left.span)) {
                named.push(left.span.clone());
                self.suppress("secret.password", value, reason, left.span.start);
            }
        }
        for found in verdicts.found {
            if touches(&self.taken, &found.span) {
                continue;
            }
            let Some(value) = self.text.as_str().get(found.span.clone()) else { continue };
            named.push(found.span.clone());
            let locked = self.locked.then_some(Reason::LockFile);
            match published(value).map(|_| Reason::Published).or(locked) {
                Some(reason) => self.suppress(found.rule(), value, reason, found.span.start),
                None => {
                    let place = place(self.text, found.span.start, self.entry);
                    let finding = by_name(&found, self.text.as_str(), &place, self.context);
                    self.output.findings.extend(finding);
                }
            }
        }
        if verdicts.dropped > 0 {
            let reason = "more settings in one file than are judged";
            self.output.gaps.push(Gap::new(&self.entry.provenance, reason, None));
        }
        named.sort_by_key(|span| span.start);
        self.taken.extend(named.iter().cloned());
        self.taken.sort_by_key(|span| span.start);
        named
    }

    /// Tells a match apart as no secret.
    fn leave(&mut self, found: &Match<'_>, reason: Reason) {
        let rule = format!("secret.{}", found.rule.id);
        self.suppress(&rule, found.secret, reason, found.span.start);
    }

    fn suppress(&mut self, rule: &str, value: &str, reason: Reason, offset: usize) {
        let (text, entry, context) = (self.text, self.entry, self.context);
        self.output.suppressed.add(reason, || {
            let note = (reason == Reason::Published).then(|| published(value)).flatten();
            let fingerprint = Some(context.key.of(value.as_bytes()));
            let place = place(text, offset, entry);
            Suppressed::new(rule, &place, reason, note.map(str::to_owned), fingerprint)
        });
    }
}

/// A reason that another look at the same place may overrule.
fn is_weak(reason: Reason) -> bool {
    matches!(reason, Reason::LowEntropy | Reason::Word | Reason::Hash | Reason::Uuid)
}

/// Whether a place shares something with one of others, which are sorted and lie apart.
pub(super) fn touches(others: &[Range<usize>], span: &Range<usize>) -> bool {
    let before = others.partition_point(|other| other.start < span.end);
    let last = before.checked_sub(1).and_then(|last| others.get(last));
    last.is_some_and(|other| span.start < other.end)
}

pub(super) fn place(text: &Text<'_>, offset: usize, entry: &Entry) -> Place {
    let at = u64::try_from(offset).unwrap_or(u64::MAX);
    Place::line(entry.provenance.clone(), text.line_of(offset), at)
}

/// A secret that its key tells, at a place; `text` is the one it was read in. What stands beside
/// it is told, the value never.
pub(super) fn by_name(
    found: &Found,
    text: &str,
    place: &Place,
    context: &Context,
) -> Option<Finding> {
    let value = text.get(found.span.clone())?;
    let length = value.chars().count();
    let finding = Finding::new(
        found.rule(),
        Category::Secret,
        found.severity(),
        found.judged.confidence,
        found.title(),
        place,
        format!("{length} characters under the name {}", found.key),
    );
    let mut finding = finding
        .with_fingerprint(context.key.of(value.as_bytes()))
        .with_detail("key", found.key.as_str());
    let details = [
        ("user", found.judged.beside.user.as_deref()),
        ("host", found.judged.beside.host.as_deref()),
        ("how", found.how()),
    ];
    for (name, detail) in details {
        if let Some(detail) = detail {
            finding = finding.with_detail(name, detail);
        }
    }
    Some(finding)
}

/// What a match says, at a place; `text` is the one it was matched in.
pub(super) fn by_rule(found: &Match<'_>, text: &str, place: &Place, context: &Context) -> Finding {
    let rule = found.rule;
    // What is no key may still be broken over lines.
    let normal: String = found.secret.replace("\\n", "").split_whitespace().collect();
    let length = found.secret.chars().count();
    let shown = found.secret.get(..rule.shown).filter(|part| !part.is_empty());
    let evidence = match shown {
        Some(prefix) => format!("{prefix}… ({length} characters)"),
        None => format!("{length} characters"),
    };
    let finding = Finding::new(
        format!("secret.{}", rule.id),
        Category::Secret,
        rule.severity,
        rule.confidence,
        rule.title,
        place,
        evidence,
    )
    .with_fingerprint(context.key.of(normal.as_bytes()))
    .with_detail("service", rule.service)
    .with_detail("revoke", rule.revoke);
    let account = (rule.checksum == Some(Checksum::AwsKeyId)).then(|| aws_account(found.secret));
    let finding = match account.flatten() {
        Some(account) => finding.with_detail("account", account),
        None => finding,
    };
    match key::read_text(rule.id, found.whole, found.secret, text, found.span.clone()) {
        Some(key) => key::describe(&key, context, finding),
        None => finding,
    }
}
