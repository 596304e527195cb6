//! Configurations of gitleaks (version 8): `[[rules]]`, allowlists, what they extend.

use super::allow::{Allow, Target, usable};
use super::draft::{Draft, Verdict, printable};
use super::file::RulesFile;
use super::pattern::Dialect;
use lidless_core::Confidence;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Config {
    rules: Vec<toml::Value>,
    allowlist: Option<toml::Value>,
    allowlists: Vec<Allowlist>,
    extend: Option<Extend>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Extend {
    #[serde(alias = "usedefault")]
    use_default: bool,
    path: String,
    #[serde(alias = "disabledrules")]
    disabled_rules: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    regex: String,
    #[serde(default)]
    path: String,
    #[serde(default, alias = "secretgroup")]
    secret_group: usize,
    #[serde(default)]
    entropy: f64,
    #[serde(default)]
    keywords: Vec<String>,
    #[serde(default)]
    allowlist: Option<toml::Value>,
    #[serde(default)]
    allowlists: Vec<Allowlist>,
    #[serde(default)]
    required: Vec<toml::Value>,
    #[serde(default, alias = "skipreport")]
    skip_report: bool,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Allowlist {
    condition: String,
    commits: Vec<String>,
    paths: Vec<String>,
    #[serde(alias = "regextarget")]
    regex_target: String,
    regexes: Vec<String>,
    #[serde(alias = "stopWords")]
    stopwords: Vec<String>,
    #[serde(alias = "targetrules")]
    target_rules: Vec<String>,
}

/// Reads a configuration.
pub(crate) fn read(table: toml::Table) -> Result<RulesFile, String> {
    let config: Config =
        table.try_into().map_err(|error: toml::de::Error| printable(error.message()))?;
    let mut file = RulesFile::new("gitleaks", "imported from gitleaks");
    let mut targeted: BTreeMap<String, Vec<Allow>> = BTreeMap::new();
    let old = config.allowlist.map(one_or_many).transpose()?.unwrap_or_default();
    for allowlist in config.allowlists.into_iter().chain(old) {
        let targets = allowlist.target_rules.clone();
        let (allow, said) = allow(allowlist);
        file.notes.extend(said.into_iter().map(|what| format!("exceptions of the file: {what}")));
        let Some(allow) = allow else { continue };
        if targets.is_empty() {
            file.allow.push(allow);
        } else {
            for target in targets {
                targeted.entry(target).or_default().push(allow.clone());
            }
        }
    }
    if let Some(extend) = config.extend {
        extends(extend, &mut file.notes);
    }
    for (index, value) in config.rules.into_iter().enumerate() {
        let name = value.get("id").and_then(toml::Value::as_str).map(printable);
        let id = name.unwrap_or_else(|| format!("rule {}", index.saturating_add(1)));
        let rule: Rule = match value.try_into() {
            Ok(rule) => rule,
            Err(error) => {
                let error: toml::de::Error = error;
                file.said.push((id, Verdict::Refused(printable(error.message()))));
                continue;
            }
        };
        let more = targeted.get(&rule.id).cloned().unwrap_or_default();
        let (draft, said) = match draft(rule, more) {
            Ok(read) => read,
            Err(why) => {
                file.said.push((id, Verdict::Refused(why)));
                continue;
            }
        };
        file.take(draft, Dialect::Go, said);
    }
    Ok(file)
}

fn extends(extend: Extend, notes: &mut Vec<String>) {
    if extend.use_default {
        notes.push(
            "it extends the rules that gitleaks brings: import that configuration as well; the \
             built-in rules of lidless run in any case"
                .to_owned(),
        );
    }
    if !extend.path.is_empty() {
        notes.push(format!("it extends {}: import that file as well", printable(&extend.path)));
    }
    if !extend.disabled_rules.is_empty() {
        let rules = printable(&extend.disabled_rules.join(", "));
        notes.push(format!("it switches rules off, which has no effect here: {rules}"));
    }
}

fn draft(rule: Rule, more: Vec<Allow>) -> Result<(Draft, Vec<String>), String> {
    if rule.skip_report {
        return Err("only other rules use it (skipReport)".to_owned());
    }
    if rule.regex.is_empty() {
        let why = if rule.path.is_empty() {
            "it has no pattern"
        } else {
            "it finds files by their names alone"
        };
        return Err(why.to_owned());
    }
    let mut said = Vec::new();
    if !rule.required.is_empty() {
        said.push("it is found without the rules that it requires nearby".to_owned());
    }
    let mut draft = Draft::new(rule.id.trim(), &rule.regex);
    draft.title = rule.description;
    // Gitleaks says nothing of how sure a rule is.
    draft.confidence = Confidence::Medium;
    draft.group = rule.secret_group;
    draft.entropy = rule.entropy;
    draft.keywords = rule.keywords;
    draft.as_written = true;
    draft.path = Some(rule.path).filter(|path| !path.is_empty());
    let old = rule.allowlist.map(one_or_many).transpose()?.unwrap_or_default();
    for allowlist in rule.allowlists.into_iter().chain(old) {
        let (allow, differences) = allow(allowlist);
        said.extend(differences);
        draft.allow.extend(allow);
    }
    draft.allow.extend(more);
    Ok((draft, said))
}

/// `[allowlist]`, or `[[allowlist]]` as some write it.
fn one_or_many(value: toml::Value) -> Result<Vec<Allowlist>, String> {
    let all = match value {
        toml::Value::Array(all) => all,
        one => vec![one],
    };
    all.into_iter()
        .map(|one| one.try_into().map_err(|error: toml::de::Error| printable(error.message())))
        .collect()
}

fn allow(list: Allowlist) -> (Option<Allow>, Vec<String>) {
    let mut said = Vec::new();
    let all = matches!(list.condition.to_ascii_uppercase().as_str(), "AND" | "&&");
    if !list.commits.is_empty() {
        if all {
            said.push("an exception that asks for a commit is not used".to_owned());
            return (None, said);
        }
        said.push("exceptions by commit are not used".to_owned());
    }
    let target = match list.regex_target.as_str() {
        "match" => Target::Match,
        "line" => Target::Line,
        _ => Target::Secret,
    };
    let (regexes, left) = usable(list.regexes, Dialect::Go);
    let (paths, also) = usable(list.paths, Dialect::Go);
    let left = left.saturating_add(also);
    if left > 0 {
        said.push(format!("{left} patterns of its exceptions are not understood and not used"));
        if all {
            // One check fewer would leave more alone.
            return (None, said);
        }
    }
    let stopwords: Vec<String> = list.stopwords;
    let empty = regexes.is_empty() && paths.is_empty() && stopwords.is_empty();
    ((!empty).then_some(Allow { regexes, target, paths, stopwords, all }), said)
}
