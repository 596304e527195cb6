//! What the user leaves out on purpose: `.lidlessignore`, in the syntax of `.gitignore`.
//!
//! A pattern may say why, after white space and `#`. What is left out is counted by that reason; it
//! is no gap, because a person chose it.

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::collections::BTreeMap;
use std::path::Path;

/// The name of the file in the root of a target.
pub const IGNORE_FILE: &str = ".lidlessignore";
/// No list of patterns that a person wrote is longer.
const LONGEST_BYTES: u64 = 1 << 20;
/// Reasons that are counted apart; a file with more has its further ones counted as one.
const REASONS: usize = 100;
/// A reason is a sentence.
const REASON_CHARACTERS: usize = 120;

/// Patterns with their reasons.
#[derive(Debug, Clone, Default)]
pub struct IgnoreRules {
    sets: Vec<(Gitignore, BTreeMap<String, String>, String)>,
    expressions: Vec<(regex::Regex, String)>,
}

impl IgnoreRules {
    /// Adds the patterns of a file; `name` is how counts call it. Gives the lines that are no
    /// patterns, each with what is wrong.
    pub fn add(&mut self, text: &str, name: &str) -> Vec<String> {
        let mut builder = GitignoreBuilder::new("");
        let mut reasons = BTreeMap::new();
        let mut wrong = Vec::new();
        for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let (pattern, reason) = split(line);
            if pattern.is_empty() || pattern.starts_with('#') {
                continue;
            }
            if let Err(error) = builder.add_line(None, pattern) {
                wrong.push(format!("{name}:{}: {error}", number.saturating_add(1)));
            } else if let Some(reason) = reason
                && reasons.len() < REASONS
            {
                reasons.insert(pattern.to_owned(), reason);
            }
        }
        match builder.build() {
            Ok(set) if !set.is_empty() => self.sets.push((set, reasons, name.to_owned())),
            Ok(_) => {}
            Err(error) => wrong.push(format!("{name}: {error}")),
        }
        wrong
    }

    /// True when nothing can be left out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty() && self.expressions.is_empty()
    }

    /// Adds an expression that paths to be left out match; `name` is how counts call it.
    ///
    /// # Errors
    /// When it is none.
    pub fn add_expression(&mut self, expression: &str, name: &str) -> Result<(), String> {
        let compiled = regex::RegexBuilder::new(expression)
            .size_limit(1 << 20)
            .build()
            .map_err(|error| format!("{name}: {error}"))?;
        self.expressions.push((compiled, name.to_owned()));
        Ok(())
    }

    /// Adds what the root of a target says itself. A link is not followed.
    pub(crate) fn with_file_of(&self, root: &Path) -> (Self, Vec<String>) {
        let mut all = self.clone();
        let path = root.join(IGNORE_FILE);
        let fits = std::fs::symlink_metadata(&path)
            .is_ok_and(|data| data.is_file() && data.len() <= LONGEST_BYTES);
        let text = if fits { std::fs::read(&path).unwrap_or_default() } else { Vec::new() };
        let wrong = all.add(&String::from_utf8_lossy(&text), IGNORE_FILE);
        (all, wrong)
    }

    /// Why a path, relative to its root, is left out; none when it is not. The file that says so
    /// last has it.
    #[must_use]
    pub fn left_out(&self, path: &Path) -> Option<String> {
        // Both sides are relative; anything else belongs to no set.
        if path.has_root() || path.as_os_str().is_empty() {
            return None;
        }
        for (set, reasons, name) in self.sets.iter().rev() {
            match set.matched_path_or_any_parents(path, false) {
                Match::Ignore(glob) => {
                    let reason = reasons.get(glob.original());
                    let more = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
                    return Some(format!("left out by {name}{more}"));
                }
                Match::Whitelist(_) => return None,
                Match::None => {}
            }
        }
        let shown = path.to_string_lossy();
        let found = self.expressions.iter().find(|(one, _)| one.is_match(&shown));
        found.map(|(_, name)| format!("left out by {name}"))
    }
}

/// A pattern and its reason: what stands after white space and `#`.
fn split(line: &str) -> (&str, Option<String>) {
    let at = line.char_indices().find(|(at, sign)| {
        let before = line.get(..*at).and_then(|text| text.chars().next_back());
        *sign == '#' && before.is_some_and(char::is_whitespace)
    });
    let Some((at, _)) = at else { return (line.trim_end(), None) };
    let (pattern, reason) = line.split_at_checked(at).unwrap_or((line, ""));
    let reason: String = reason
        .trim_start_matches('#')
        .trim()
        .chars()
        .filter(|one| !one.is_control())
        .take(REASON_CHARACTERS)
        .collect();
    (pattern.trim_end(), (!reason.is_empty()).then_some(reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_gitignore_and_say_why() {
        let mut rules = IgnoreRules::default();
        let text = "# generated\nfixtures/   # made-up keys\n*.pem\n!keep.pem\n/docs/a\\#b\n";
        assert_eq!(rules.add(text, ".lidlessignore"), Vec::<String>::new());
        let why = |path: &str| rules.left_out(Path::new(path));
        assert_eq!(why("a/fixtures/x/y.txt").unwrap(), "left out by .lidlessignore: made-up keys");
        assert_eq!(why("b/c.pem").unwrap(), "left out by .lidlessignore");
        assert!(why("docs/a#b").is_some());
        for path in ["keep.pem", "a/keep.pem", "fixtures.txt", "x/docs/a#b", "", "/abs/c.pem"] {
            assert_eq!(why(path), None, "{path}");
        }
    }

    #[test]
    fn an_expression_leaves_out_and_a_broken_pattern_is_told() {
        let mut rules = IgnoreRules::default();
        rules.add_expression(r"(^|/)vendor/", ".gitleaks.toml").unwrap();
        assert!(rules.left_out(Path::new("a/vendor/b")).is_some());
        assert!(rules.add_expression("(", "x").is_err());
        assert_eq!(rules.add("a{b\nc\n", "x").len(), 1);
        assert!(rules.left_out(Path::new("c")).is_some());
    }
}
