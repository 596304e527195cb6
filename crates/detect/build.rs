//! Reads `rules/secret/*.toml` and writes them as one table of constants, so that starting the
//! program parses nothing. A rule file needs no line of code: it only has to lie in the folder.
//!
//! A few words stand for what many patterns share: `@start@` the start of a word and `@word@` the
//! start of one that may follow an underscore; `@key@` the rest of a name with key, token, secret
//! and the like in it, and the sign after it; `@is@` the rest of any name and the sign after it;
//! `@end@` the end of a run of token characters.
//!
//! A rule may say under `[rule.verify]` how its issuer is asked whether a secret is live; see
//! `docs/rules.md`.

#[path = "src/secret/behind.rs"]
mod behind;
#[path = "src/secret/shorthand.rs"]
mod shorthand;
#[path = "src/secret/start.rs"]
mod start;

use serde::Deserialize;
use std::collections::BTreeMap;
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
    #[serde(default)]
    verify: Option<Verify>,
}

/// How the issuer is asked whether a secret is live; or as which other rule of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Verify {
    #[serde(default)]
    like: Option<String>,
    #[serde(default)]
    issuer: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    basic: Option<String>,
    #[serde(default)]
    sign: Option<Sign>,
    #[serde(default)]
    only: Vec<String>,
    #[serde(default)]
    pair: Option<Pair>,
    #[serde(default)]
    live: Vec<Answer>,
    #[serde(default)]
    dead: Vec<Answer>,
    #[serde(default)]
    identity: BTreeMap<String, String>,
    #[serde(default)]
    doubt: Option<String>,
    #[serde(default)]
    reference: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sign {
    service: String,
    region: String,
    id: String,
    key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    name: String,
    pattern: String,
    #[serde(default)]
    only: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    status: Vec<u16>,
    #[serde(default)]
    at: String,
    #[serde(default)]
    is: Vec<String>,
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
    let mut out = String::from("pub(super) static TABLE: &[Rule] = &[\n");
    for path in &paths {
        println!("cargo::rerun-if-changed={}", path.display());
        let file: File = toml::from_str(&std::fs::read_to_string(path)?)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        for rule in &file.rule {
            write_rule(&mut out, &file, rule)
                .map_err(|error| format!("{}: {}: {error}", path.display(), rule.id))?;
        }
    }
    out.push_str("];\n");
    std::fs::write(Path::new(&std::env::var("OUT_DIR")?).join("secret_rules.rs"), out)?;
    Ok(())
}

/// What follows literals, as constants.
fn behind_all(known: Option<Vec<behind::After>>) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    for after in known.unwrap_or_default() {
        write!(out, "Behind {{ next: &{:?}, then: &{:?} }}, ", after.next, after.then)?;
    }
    Ok(out)
}

fn write_rule(out: &mut String, file: &File, rule: &Rule) -> Result<(), Box<dyn Error>> {
    let service = &file.service;
    let pattern = shorthand::expand(&rule.pattern);
    let parsed = regex_syntax::Parser::new().parse(&pattern)?;
    let longest = parsed.properties().maximum_len();
    let reach = match (longest, rule.window) {
        (_, window) if window > 0 => window,
        (Some(longest), _) => longest,
        (None, _) => return Err("the pattern has no longest match and the rule no window".into()),
    };
    let starts = start::begins_a_word(&parsed, &rule.literals, rule.ignore_case);
    let behind = behind_all(behind::behind(&parsed, &rule.literals, rule.ignore_case))?;
    let examples: Vec<String> = rule.examples.iter().map(Text::joined).collect();
    let counter: Vec<String> = rule.counter.iter().map(Text::joined).collect();
    writeln!(
        out,
        "Rule {{ id: {:?}, service: {service:?}, title: {:?}, opens: {:?}, \
         severity: Severity::{}, confidence: Confidence::{}, pattern: {pattern:?}, \
         literals: &{:?}, ignore_case: {}, shown: {}, entropy: {:?}, starts_word: {starts}, behind: &[{behind}], \
         reach: {reach}, \
         password: {}, checksum: {}, examples: &{examples:?}, counter: &{counter:?}, \
         revoke: {:?}, reference: {:?}, verify: {}, own: None }},",
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
        verify(file, rule)?,
    )?;
    Ok(())
}

fn verify(file: &File, rule: &Rule) -> Result<String, Box<dyn Error>> {
    let Some(own) = &rule.verify else { return Ok("None".to_owned()) };
    let asked = match &own.like {
        None => own,
        Some(like) => file
            .rule
            .iter()
            .find(|other| other.id == *like)
            .and_then(|other| other.verify.as_ref())
            .ok_or("verify is like a rule that has none")?,
    };
    let pairs = |map: &BTreeMap<String, String>| {
        format!("&{:?}", map.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect::<Vec<_>>())
    };
    let answers = |row: &[Answer]| {
        let row: Vec<String> = row
            .iter()
            .map(|one| {
                let Answer { status, at, is } = one;
                format!("Answer {{ status: &{status:?}, at: {at:?}, is: &{is:?} }}")
            })
            .collect();
        format!("&[{}]", row.join(", "))
    };
    if let Some(pair) = &asked.pair {
        regex_syntax::Parser::new().parse(&pair.pattern)?;
    }
    Ok(format!(
        "Some(Verify {{ issuer: {:?}, url: {:?}, headers: {}, basic: {:?}, sign: {}, \
         only: &{:?}, pair: {}, live: {}, dead: {}, identity: {}, doubt: {:?}, reference: {:?} }})",
        asked.issuer,
        asked.url,
        pairs(&asked.headers),
        asked.basic,
        asked.sign.as_ref().map_or_else(
            || "None".to_owned(),
            |sign| format!(
                "Some(Sign {{ service: {:?}, region: {:?}, id: {:?}, key: {:?} }})",
                sign.service, sign.region, sign.id, sign.key
            )
        ),
        if own.only.is_empty() { &asked.only } else { &own.only },
        asked.pair.as_ref().map_or_else(
            || "None".to_owned(),
            |pair| format!(
                "Some(Pair {{ name: {:?}, pattern: {:?}, only: &{:?} }})",
                pair.name, pair.pattern, pair.only
            )
        ),
        answers(&asked.live),
        answers(&asked.dead),
        pairs(&asked.identity),
        asked.doubt,
        asked.reference,
    ))
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
