//! Secrets in text as findings. No evidence holds a secret, its own or another of the same line.

use super::checksum::{Checksum, aws_account};
use super::engine::{Engine, Match, Sought};
use super::own::RuleSet;
use super::password;
use crate::detector::{Context, Detector, Output, View, Want};
use base64::Engine as _;
use lidless_core::{Category, Confidence, Entry, Finding, Gap, Place, Severity, Text};
use std::sync::OnceLock;

/// Finds secrets by rule and passwords by name.
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
        let path = entry.path();
        let engine = self.engine.get_or_init(|| Engine::with(&self.rules));
        let found = engine.find(Sought { text: text.as_str(), path: &path });
        for rule in found.stopped {
            let reason = format!("not searched to its end for secret.{}", rule.id);
            output.gaps.push(Gap::new(&entry.provenance, reason, None));
        }
        for found in found.matches {
            taken.push(found.span.clone());
            output.findings.push(by_rule(&found, text, entry, context));
        }
        if is_lock_file(entry) {
            return;
        }
        for found in password::find(&path, text.as_str()) {
            let overlaps =
                taken.iter().any(|span| span.start < found.span.end && found.span.start < span.end);
            let Some(value) = text.as_str().get(found.span.clone()).filter(|_| !overlaps) else {
                continue;
            };
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
                &place(text, found.span.start, entry),
                evidence,
            );
            output.findings.push(finding.with_fingerprint(context.key.of(value.as_bytes())));
        }
    }
}

fn place(text: &Text, offset: usize, entry: &Entry) -> Place {
    let at = u64::try_from(offset).unwrap_or(u64::MAX);
    Place::line(entry.provenance.clone(), text.line_of(offset), at)
}

fn by_rule(found: &Match<'_>, text: &Text, entry: &Entry, context: &Context) -> Finding {
    let rule = found.rule;
    let is_key = matches!(rule.id, "private_key" | "putty_key");
    let encrypted = is_key && is_encrypted(found.whole, found.secret);
    // The same key in two places is one secret, however its lines are broken.
    let normal: String = found.secret.replace("\\n", "").split_whitespace().collect();
    let length = found.secret.chars().count();
    let shown = found.secret.get(..rule.shown).filter(|part| !part.is_empty());
    let evidence = match shown {
        Some(prefix) => format!("{prefix}… ({length} characters)"),
        None => format!("{length} characters"),
    };
    let severity = if encrypted { Severity::High } else { rule.severity };
    let title =
        if encrypted { format!("{} (encrypted)", rule.title) } else { rule.title.to_owned() };
    let start = if is_key {
        found.span.start.saturating_sub(found.whole.find(found.secret).unwrap_or(0))
    } else {
        found.span.start
    };
    let finding = Finding::new(
        format!("secret.{}", rule.id),
        Category::Secret,
        severity,
        rule.confidence,
        title,
        &place(text, start, entry),
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
    if is_key { finding.with_detail("encrypted", encrypted) } else { finding }
}

/// Whether a private key asks for a passphrase before it can be used.
fn is_encrypted(whole: &str, body: &str) -> bool {
    if whole.contains("ENCRYPTED") || whole.contains("Encryption: aes") {
        return true;
    }
    if whole.contains("BEGIN OPENSSH") {
        let packed: String = body.replace("\\n", "").split_whitespace().collect();
        let head = packed.get(..64).unwrap_or("");
        let bytes = base64::engine::general_purpose::STANDARD.decode(head).unwrap_or_default();
        // `openssh-key-v1\0`, then the cipher with its length: `none` when there is none.
        return bytes.get(19..23).is_some_and(|cipher| cipher != b"none");
    }
    false
}
