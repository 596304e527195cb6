//! `lidless rules`: what the rules of secrets are, and whether they do what they say.

use crate::args::{Format, RulesArguments, RulesCommand};
use crate::{output, own_rules};
use anyhow::{Result, bail};
use lidless_core::{Confidence, Severity};
use lidless_detect::{Answer, RuleSet, SecretRule, Verify};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Lists, explains, tests or imports rules.
pub(crate) fn run(arguments: &RulesArguments) -> Result<u8> {
    match &arguments.command {
        RulesCommand::List { filter, own, format } => {
            list(&own_rules::load(&own.rules)?, filter.as_deref(), *format)
        }
        RulesCommand::Explain { rule, own, format } => {
            explain(&own_rules::load(&own.rules)?, rule, *format)
        }
        RulesCommand::Test { own } => test(&own_rules::load(&own.rules)?),
        RulesCommand::Import(import) => super::import::run(import),
    }
}

fn list(rules: &RuleSet, filter: Option<&str>, format: Format) -> Result<u8> {
    let wanted = filter.unwrap_or("").to_lowercase();
    let rules: Vec<&SecretRule> = rules
        .all()
        .filter(|rule| {
            [rule.id, rule.service, rule.title, rule.opens, word(rule.severity)]
                .iter()
                .any(|text| text.to_lowercase().contains(&wanted))
        })
        .collect();
    match format {
        Format::Human => output::to(None, |out, _| {
            let width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
            for rule in &rules {
                let severity = word(rule.severity);
                writeln!(out, "  secret.{:width$}  {severity:8}  {}", rule.id, rule.title)?;
            }
            writeln!(out, "\n  {} rules; lidless rules explain RULE says more of one", rules.len())
        })?,
        Format::Json => output::to(None, |out, _| {
            let rules: Vec<Value> = rules.iter().map(|rule| as_json(rule)).collect();
            serde_json::to_writer_pretty(
                &mut *out,
                &json!({ "schema": "lidless.rules/1", "rules": rules }),
            )?;
            writeln!(out)
        })?,
        _ => bail!("rules are written as human or json"),
    }
    Ok(0)
}

fn explain(rules: &RuleSet, name: &str, format: Format) -> Result<u8> {
    let id = name.strip_prefix("secret.").unwrap_or(name);
    let Some(rule) = rules.all().find(|rule| rule.id == id) else {
        bail!("there is no rule \"{name}\": lidless rules list shows all of them");
    };
    match format {
        Format::Human => {
            output::to(None, |out, style| write!(out, "{}", words(rules, rule, style.width)))?
        }
        Format::Json => output::to(None, |out, _| {
            serde_json::to_writer_pretty(&mut *out, &as_json(rule))?;
            writeln!(out)
        })?,
        _ => bail!("a rule is written as human or json"),
    }
    Ok(0)
}

fn test(rules: &RuleSet) -> Result<u8> {
    let said = lidless_detect::examine_secret_rules(rules);
    output::to(None, |out, _| {
        for (rule, how) in &said.wrong {
            writeln!(out, "  secret.{rule} {how}")?;
        }
        writeln!(
            out,
            "  {} rules, {} examples found, {} counter-examples left alone, {} wrong",
            said.rules,
            said.examples,
            said.counter,
            said.wrong.len()
        )
    })?;
    Ok(u8::from(!said.wrong.is_empty()))
}

/// A rule for a reader.
fn words(rules: &RuleSet, rule: &SecretRule, width: usize) -> String {
    let mut said = String::new();
    let _ = writeln!(said, "  secret.{} · {}\n", rule.id, word(rule.severity));
    let mut line = |name: &str, text: &str| {
        if text.is_empty() {
            return;
        }
        let mut column = 0_usize;
        let _ = write!(said, "  {name:<12}");
        for part in text.split(' ') {
            let length = part.chars().count();
            let next = column.saturating_add(length).saturating_add(1);
            let full = column > 0 && next.saturating_add(14) > width;
            let between = if full {
                "\n              "
            } else if column > 0 {
                " "
            } else {
                ""
            };
            column = if full || column == 0 { length } else { next };
            let _ = write!(said, "{between}{part}");
        }
        said.push('\n');
    };
    line("What it is", rule.title);
    line("Service", rule.service);
    line("Opens", rule.opens);
    line("Looks like", &look(rules, rule));
    for check in checks(rule) {
        line("Checked", &check);
    }
    line("How sure", sure(rule.confidence));
    match &rule.verify {
        Some(verify) => asked(verify, &mut line),
        None => line("Asked", "never: no harmless question of its issuer's is known"),
    }
    line("Revoke", rule.revoke);
    line("Reference", rule.reference);
    let _ = writeln!(said, "\n  Pattern\n    {}", rule.pattern);
    said
}

/// What `--verify` asks, and what the answers mean.
fn asked(verify: &Verify, line: &mut impl FnMut(&str, &str)) {
    line("Asked", &format!("with --verify: {}", verify.shown()));
    for (name, value) in verify.headers {
        line("", &format!("{name}: {value}"));
    }
    if let Some(basic) = verify.basic {
        line("", &format!("Authorization: Basic, of {basic}"));
    }
    if let Some(sign) = &verify.sign {
        line("", &format!("signed for {} (AWS Signature Version 4), not sent", sign.service));
    }
    if !verify.only.is_empty() {
        line("", &format!("only for one that begins with {}", verify.only.join(", ")));
    }
    if let Some(pair) = &verify.pair {
        let only = if pair.only.is_empty() {
            String::new()
        } else {
            format!(" ({}…)", pair.only.join("…, "))
        };
        line("Needs", &format!("{}{only}, near it: {{pair}}", pair.name));
    }
    line("Live when", &means(verify.live));
    line("Dead when", &means(verify.dead));
    if let Some(doubt) = verify.doubt {
        line("", &format!("not known then: {doubt} (a named --endpoint decides)"));
    }
    let shown: Vec<&str> = verify.identity.iter().map(|(name, _)| *name).collect();
    let shown = shown.join(", ");
    line("Shown", if shown.is_empty() { "nothing of the answer" } else { &shown });
    line("Endpoint", &format!("verify:{}=URL", verify.issuer));
    line("Documented", verify.reference);
}

fn means(row: &[Answer]) -> String {
    let one = |answer: &Answer| {
        let status: Vec<String> = answer.status.iter().map(ToString::to_string).collect();
        let status = status.join(" or ");
        match (answer.at, answer.is) {
            ("", _) => status,
            ("json", _) => format!("{status} with a JSON object"),
            (at, []) => format!("{status} with {at}"),
            (at, is) => format!("{status} with {at} {}", is.join(" or ")),
        }
    };
    row.iter().map(one).collect::<Vec<_>>().join(", or ")
}

/// An example with all of its secret but the public prefix taken out.
fn look(rules: &RuleSet, rule: &SecretRule) -> String {
    let Some(example) = rule.examples.first() else { return String::new() };
    let Some(span) = lidless_detect::secret_span(rules, rule, example) else {
        return String::new();
    };
    let (before, secret) = example.split_at_checked(span.start).unwrap_or(("", example));
    let (secret, after) = secret.split_at_checked(span.len()).unwrap_or((secret, ""));
    let shown = secret.get(..rule.shown).unwrap_or("");
    let flat = |text: &str| text.replace('\n', "⏎");
    let length = secret.chars().count();
    format!("{}{shown}… ({length} characters){}", flat(before), flat(after))
}

fn checks(rule: &SecretRule) -> Vec<String> {
    let mut said = Vec::new();
    let case = if rule.ignore_case { ", in any case" } else { "" };
    if rule.literals.is_empty() {
        said.push("every text is searched for it whole: it has no literal".to_owned());
    } else {
        let literals = rule.literals.join("  ");
        said.push(format!("one of these stands in it or near it{case}: {literals}"));
    }
    if rule.entropy > 0.0 {
        said.push(format!("at least {:.1} bits of entropy a character", rule.entropy));
    }
    if let Some(checksum) = rule.checksum {
        said.push(checksum.words().to_owned());
    }
    if rule.password {
        said.push("it is no placeholder, reference or word".to_owned());
    }
    said
}

fn as_json(rule: &SecretRule) -> Value {
    json!({
        "id": format!("secret.{}", rule.id),
        "service": rule.service,
        "title": rule.title,
        "opens": rule.opens,
        "severity": rule.severity,
        "confidence": rule.confidence,
        "pattern": rule.pattern,
        "literals": rule.literals,
        "ignore_case": rule.ignore_case,
        "entropy": (rule.entropy > 0.0).then_some(rule.entropy),
        "checked": checks(rule),
        "revoke": rule.revoke,
        "reference": rule.reference,
        "verify": rule.verify.as_ref().map(|verify| json!({
            "issuer": verify.issuer,
            "asked": verify.shown(),
            "needs": verify.pair.as_ref().map(|pair| pair.name),
            "live_when": means(verify.live),
            "dead_when": means(verify.dead),
            "doubt": verify.doubt,
            "shown": verify.identity.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            "reference": verify.reference,
        })),
    })
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High => "high",
        Severity::Medium => "medium",
        Severity::Low => "low",
        Severity::Info => "info",
    }
}

fn sure(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "high: the form alone leaves little doubt",
        Confidence::Medium => "medium: a name near it or a common form tells",
        Confidence::Low => "low: it may well be nothing",
    }
}
