//! Rule files of Nosey Parker and of Kingfisher: YAML with a list `rules`.

use super::draft::{Draft, Pieces, Verdict, printable};
use super::file::RulesFile;
use super::pattern::Dialect;
use lidless_core::Confidence;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_saphyr::Options;

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    rules: Vec<Rule>,
    /// Named lists of rules: nothing to find by.
    #[serde(default)]
    rulesets: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Rule {
    #[serde(default)]
    name: String,
    id: String,
    pattern: String,
    #[serde(default)]
    min_entropy: Option<f64>,
    #[serde(default)]
    confidence: Option<String>,
    #[serde(default)]
    visible: Option<bool>,
    #[serde(default)]
    examples: Option<Vec<String>>,
    #[serde(default)]
    negative_examples: Option<Vec<String>>,
    #[serde(default)]
    references: Option<Vec<String>>,
    #[serde(default)]
    validation: Option<IgnoredAny>,
    #[serde(default)]
    revocation: Option<IgnoredAny>,
    #[serde(default)]
    pattern_requirements: Option<IgnoredAny>,
    #[serde(default)]
    depends_on_rule: Option<Vec<IgnoredAny>>,
}

/// Files with more nodes than this are refused.
const NODES: usize = 400_000;

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_nodes: NODES,
            max_events: 3 * NODES,
            max_depth: 64,
            max_documents: 16,
            max_aliases: 1_000,
            max_anchors: 1_000,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 20_000,
            max_replay_stack_depth: 8,
        },
    }
}

/// Reads a file.
pub(crate) fn read(text: &str) -> Result<RulesFile, String> {
    let read: File = serde_saphyr::from_str_with_options(text, options())
        .map_err(|error| printable(&error.to_string()))?;
    let kingfisher = read.rules.iter().any(|rule| rule.id.starts_with("kingfisher."));
    let (format, service) = if kingfisher {
        ("Kingfisher", "imported from Kingfisher")
    } else {
        ("Nosey Parker", "imported from Nosey Parker")
    };
    let mut file = RulesFile::new(format, service);
    if read.rules.is_empty() && read.rulesets.is_some() {
        file.notes.push("it has lists of rules and no rules".to_owned());
    }
    let mut validated = 0_usize;
    for rule in read.rules {
        if rule.visible == Some(false) {
            let why = "only other rules use it (visible: false)".to_owned();
            file.said.push((printable(&rule.id), Verdict::Refused(why)));
            continue;
        }
        let mut said = Vec::new();
        if rule.pattern_requirements.is_some() {
            said.push(
                "what else it asks of the secret (pattern_requirements) is not checked".to_owned(),
            );
        }
        if rule.depends_on_rule.is_some_and(|rules| !rules.is_empty()) {
            said.push("it is found without the rules that it depends on".to_owned());
        }
        if rule.validation.is_some() || rule.revocation.is_some() {
            validated = validated.saturating_add(1);
        }
        let mut draft = Draft::new(rule.id.trim(), rule.pattern.trim_end());
        draft.title = rule.name;
        draft.confidence = match rule.confidence.as_deref() {
            Some("high") => Confidence::High,
            Some("low") => Confidence::Low,
            _ => Confidence::Medium,
        };
        draft.entropy = rule.min_entropy.unwrap_or(0.0);
        draft.as_written = true;
        draft.reference =
            rule.references.and_then(|all| all.into_iter().next()).unwrap_or_default();
        let texts = |all: Option<Vec<String>>| {
            all.unwrap_or_default().into_iter().map(Pieces::Whole).collect()
        };
        draft.examples = texts(rule.examples);
        draft.counter = texts(rule.negative_examples);
        file.take(draft, Dialect::Bytes, said);
    }
    if validated > 0 {
        file.notes.push(format!(
            "validation of {validated} rules is not taken: no request that a file writes is sent"
        ));
    }
    Ok(file)
}
