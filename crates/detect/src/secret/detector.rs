//! Secrets in text as findings. No evidence holds a secret, its own or another of the same line.

use super::checksum::{Checksum, aws_account};
use super::decoded;
use super::engine::{Engine, Match};
use super::key;
use super::password::{self, Password};
use crate::detector::{Context, Detector, Output, View, Want};
use lidless_core::{Category, Confidence, Entry, Finding, Place, Severity, Text};
use std::sync::OnceLock;

/// Finds secrets by rule and passwords by name.
pub(crate) struct SecretDetector {
    /// Compiled when the first text comes: a folder of models may have none.
    engine: OnceLock<Engine>,
}

impl SecretDetector {
    pub(crate) fn new() -> Self {
        Self { engine: OnceLock::new() }
    }
}

/// Files whose long strings are hashes of other things.
fn is_lock_file(entry: &Entry) -> bool {
    let name = entry.file_name().to_ascii_lowercase();
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
    .contains(&name.as_str())
}

impl Detector for SecretDetector {
    fn name(&self) -> &'static str {
        "secret"
    }

    fn wants(&self, _entry: &Entry, head: &[u8]) -> Want {
        if head.is_empty() || !Text::is_text(head) { Want::Nothing } else { Want::Text }
    }

    fn detect(&self, view: &View<'_>, context: &Context, output: &mut Output) {
        let Some(text) = view.text else { return };
        let entry = &view.artifact.entry;
        let mut taken: Vec<std::ops::Range<usize>> = Vec::new();
        let engine = self.engine.get_or_init(Engine::new);
        for found in engine.find(text.as_str()) {
            taken.push(found.span.clone());
            output.findings.push(by_rule(
                &found,
                text.as_str(),
                &place(text, found.start(), entry),
                context,
            ));
        }
        if !is_lock_file(entry) {
            let by_rule = taken.clone();
            for found in password::find(&entry.path(), text.as_str()) {
                let near = |span: &std::ops::Range<usize>| {
                    span.start < found.span.end && found.span.start < span.end
                };
                if by_rule.iter().any(near) {
                    continue;
                }
                let place = place(text, found.span.start, entry);
                output.findings.extend(by_name(&found, text.as_str(), &place, context));
                taken.push(found.span);
            }
        }
        decoded::find(engine, view, text, &taken, context, output);
    }
}

pub(super) fn place(text: &Text, offset: usize, entry: &Entry) -> Place {
    let at = u64::try_from(offset).unwrap_or(u64::MAX);
    Place::line(entry.provenance.clone(), text.line_of(offset), at)
}

/// What a password under a name says, at a place.
pub(super) fn by_name(
    found: &Password,
    text: &str,
    place: &Place,
    context: &Context,
) -> Option<Finding> {
    let value = text.get(found.span.clone())?;
    let severity = match found.confidence {
        Confidence::High => Severity::High,
        Confidence::Medium => Severity::Medium,
        Confidence::Low => Severity::Low,
    };
    let key: String = found.key.chars().filter(|c| !c.is_control()).take(60).collect();
    let evidence = format!("{} characters under the name {key}", value.chars().count());
    let finding = Finding::new(
        "secret.password",
        Category::Secret,
        severity,
        found.confidence,
        "password in configuration",
        place,
        evidence,
    );
    Some(finding.with_fingerprint(context.key.of(value.as_bytes())))
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
