//! A rule of `rules/secret/`, as the build script wrote it into the program.

use super::checksum::Checksum;
use super::own::Own;
use super::verify::Verify;
use lidless_core::{Confidence, Severity};

mod table {
    use super::super::verify::{Answer, Pair, Sign};
    use super::{Behind, Checksum, Confidence, Rule, Severity, Verify};

    include!(concat!(env!("OUT_DIR"), "/secret_rules.rs"));
}

/// What follows a literal in the same line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Behind {
    /// The next bytes, each as a set of ASCII.
    pub(crate) next: &'static [u128],
    /// One of these stands somewhere in what follows, in capital or small letters; here in small
    /// ones. Empty when nothing is known.
    pub(crate) then: &'static [&'static str],
}

/// What one kind of secret looks like, opens, and how it is taken back.
#[derive(Debug)]
pub struct Rule {
    /// Its name; a finding's rule is `secret.` and this.
    pub id: &'static str,
    /// Whose it is.
    pub service: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// What it opens, in words.
    pub opens: &'static str,
    /// How bad a find is.
    pub severity: Severity,
    /// How sure a find is: lower where only a name near it tells.
    pub confidence: Confidence,
    /// The regular expression; its group `secret`, or else its first group, is the secret.
    pub pattern: &'static str,
    /// One of these stands in every match.
    pub literals: &'static [&'static str],
    /// Whether the literals may stand in upper or lower case (ASCII only).
    pub ignore_case: bool,
    /// How many of the first characters may be shown: a public prefix.
    pub shown: usize,
    /// The least bits a character of the secret; zero asks for none.
    pub entropy: f64,
    /// Whether every match begins with a literal, at the start of a word.
    pub(crate) starts_word: bool,
    /// What follows each of the literals where a match has it; nothing when that is not known.
    pub(crate) behind: &'static [Behind],
    /// How far a match can reach from a literal, in bytes.
    pub reach: usize,
    /// The secret is a password: placeholders are told more strictly.
    pub password: bool,
    /// What else must be right about the secret.
    pub checksum: Option<Checksum>,
    /// Texts that hold one.
    pub examples: &'static [&'static str],
    /// Texts that look alike and hold none.
    pub counter: &'static [&'static str],
    /// How it is taken back: the page or the command.
    pub revoke: &'static str,
    /// Where the service writes about it.
    pub reference: &'static str,
    /// How its issuer is asked whether it is live, where that is known.
    pub verify: Option<Verify>,
    /// What only rules of the user's own may say.
    pub(crate) own: Option<&'static Own>,
}

/// Every built-in rule of secrets, in the order of their files.
#[must_use]
pub fn secret_rules() -> &'static [Rule] {
    table::TABLE
}
