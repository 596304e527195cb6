//! Reads `rules/secret/*.toml` and writes them as one table of constants, so that starting the
//! program parses nothing. A rule file needs no line of code: it only has to lie in the folder.
//!
//! A few words stand for what many patterns share: `@start@` the start of a word and `@word@` the
//! start of one that may follow an underscore; `@key@` the rest of a name with key, token, secret
//! and the like in it, and the sign after it; `@is@` the rest of any name and the sign after it;
//! `@end@` the end of a run of token characters.

#[path = "src/secret/shorthand.rs"]
mod shorthand;
#[path = "src/secret/start.rs"]
mod start;

use serde::Deserialize;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    service: String,
    rule: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    id: String,
    title: String,
    opens: String,
    severity: String,
    #[serde(default)]
    confidence: Option<String>,
    pattern: String,
    literals: Vec<String>,
    #[serde(default)]
    ignore_case: bool,
    #[serde(default)]
    shown: usize,
    #[serde(default)]
    entropy: f64,
    #[serde(default)]
    window: usize,
    #[serde(default)]
    password: bool,
    #[serde(default)]
    checksum: Option<String>,
    examples: Vec<Text>,
    counter: Vec<Text>,
    revoke: String,
    reference: String,
}

/// A text, or the pieces of one: so that no real-looking token stands in the file.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Whole(String),
    Pieces(Vec<String>),
}

impl Text {
    fn joined(&self) -> String {
        match self {
            Self::Whole(text) => text.clone(),
            Self::Pieces(pieces) => pieces.concat(),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?)
        .join("../../rules/secret")
        .canonicalize()?;
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.retain(|path| path.extension().is_some_and(|end| end == "toml"));
    paths.sort();
    let mut out = String::from("static TABLE: &[Rule] = &[\n");
    for path in &paths {
        println!("cargo::rerun-if-changed={}", path.display());
        let file: File = toml::from_str(&std::fs::read_to_string(path)?)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        for rule in &file.rule {
            write_rule(&mut out, &file.service, rule)
                .map_err(|error| format!("{}: {}: {error}", path.display(), rule.id))?;
        }
    }
    out.push_str("];\n");
    std::fs::write(Path::new(&std::env::var("OUT_DIR")?).join("secret_rules.rs"), out)?;
    Ok(())
}

fn write_rule(out: &mut String, service: &str, rule: &Rule) -> Result<(), Box<dyn Error>> {
    let pattern = shorthand::expand(&rule.pattern);
    let parsed = regex_syntax::Parser::new().parse(&pattern)?;
    let longest = parsed.properties().maximum_len();
    let reach = match (longest, rule.window) {
        (_, window) if window > 0 => window,
        (Some(longest), _) => longest,
        (None, _) => return Err("the pattern has no longest match and the rule no window".into()),
    };
    let starts = start::begins_a_word(&parsed, &rule.literals, rule.ignore_case);
    let examples: Vec<String> = rule.examples.iter().map(Text::joined).collect();
    let counter: Vec<String> = rule.counter.iter().map(Text::joined).collect();
    writeln!(
        out,
        "Rule {{ id: {:?}, service: {service:?}, title: {:?}, opens: {:?}, \
         severity: Severity::{}, confidence: Confidence::{}, pattern: {pattern:?}, \
         literals: &{:?}, ignore_case: {}, shown: {}, entropy: {:?}, starts_word: {starts}, reach: {reach}, \
         password: {}, checksum: {}, examples: &{examples:?}, counter: &{counter:?}, \
         revoke: {:?}, reference: {:?}, own: None }},",
        rule.id,
        rule.title,
        rule.opens,
        variant(&rule.severity),
        variant(rule.confidence.as_deref().unwrap_or("high")),
        rule.literals,
        rule.ignore_case,
        rule.shown,
        rule.entropy,
        rule.password,
        rule.checksum
            .as_deref()
            .map_or_else(|| "None".to_owned(), |name| format!("Some(Checksum::{})", variant(name))),
        rule.revoke,
        rule.reference,
    )?;
    Ok(())
}

/// `aws_key_id` as `AwsKeyId`; a word that names no variant fails to compile.
fn variant(word: &str) -> String {
    word.split('_')
        .map(|part| {
            let mut letters = part.chars();
            letters.next().map_or_else(String::new, |first| {
                first.to_ascii_uppercase().to_string() + letters.as_str()
            })
        })
        .collect()
}
