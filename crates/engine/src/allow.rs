//! `lidless:allow` beside a finding, with a reason: the finding is suppressed, and the reason shown.
//!
//! A marker counts for the line it stands in, for the next line when it is a comment of its own,
//! and for a whole value of many lines when it stands beside the first or the last of them. It
//! never counts for a grant: what opens storage is told whatever stands beside it.

use lidless_core::{
    Category, Finding, Layer, Provenance, Reason, Remark, RemarkKind, Suppressed, Suppressions,
    Text,
};
use memchr::memmem;

const OWN: &str = "lidless:allow";
const FOREIGN: [&str; 5] = [
    "gitleaks:allow",
    "pragma: allowlist secret",
    "kingfisher:ignore",
    "trufflehog:ignore",
    "noseyparker:ignore",
];

/// Each marker has one of these.
const COMMON: [&str; 3] = [":allow", ":ignore", ": allowlist"];

/// On a line that a program wrote, a marker further away is about something else.
const NEAR_BYTES: usize = 2000;
/// Values of more lines than this are none.
const BLOCK_LINES: u64 = 400;
/// A reason is a sentence.
const REASON_CHARACTERS: usize = 200;

/// Whether what stands in an artifact may speak for itself: a file or a blob of a history on this
/// machine, and nothing that was unpacked from it.
pub(crate) fn may_speak(provenance: &Provenance) -> bool {
    match provenance.layers() {
        [Layer::File { .. }] => true,
        [Layer::Git { repository, .. }] => !repository.contains("://"),
        _ => false,
    }
}

/// Whether a text has any marker: what they have in common is looked for first.
fn has_marker(text: &[u8]) -> bool {
    let has = |word: &str| memmem::find(text, word.as_bytes()).is_some();
    COMMON.iter().any(|part| has(part)) && (has(OWN) || FOREIGN.iter().any(|word| has(word)))
}

/// Moves the findings from `from` on that are allowed to `suppressed`.
pub(crate) fn apply(
    text: &Text<'_>,
    foreign: bool,
    from: usize,
    findings: &mut Vec<Finding>,
    suppressed: &mut Suppressions,
    remarks: &mut Vec<Remark>,
) {
    if findings.len() <= from {
        return;
    }
    if !has_marker(text.as_str().as_bytes()) {
        return;
    }
    let blocks = blocks(text);
    let mut allowed: Option<String> = None;
    for finding in findings.split_off(from) {
        match decide(&finding, text, &blocks, foreign) {
            Decision::Allowed(reason) => {
                allowed.get_or_insert_with(|| reason.clone());
                let note = Some(reason);
                suppressed.add(Reason::InlineAllow, || {
                    Suppressed::from_finding(&finding, Reason::InlineAllow, note)
                });
            }
            Decision::Remark(kind) => {
                let location = finding.location.clone();
                remarks.push(Remark { kind, location, message: kind.words().to_owned() });
                findings.push(finding);
            }
            Decision::None => findings.push(finding),
        }
    }
    // A file that is told for the secrets in it says nothing more once each of them is allowed.
    let rest = findings.get(from..).unwrap_or(&[]);
    if let Some(note) = allowed.filter(|_| rest.iter().all(is_about_the_file)) {
        for finding in findings.split_off(from) {
            suppressed.add(Reason::InlineAllow, || {
                Suppressed::from_finding(&finding, Reason::InlineAllow, Some(note.clone()))
            });
        }
    }
}

/// A finding for what a file holds, without a line of its own.
fn is_about_the_file(finding: &Finding) -> bool {
    finding.category == Category::CredentialFile && finding.line.is_none()
}

enum Decision {
    Allowed(String),
    Remark(RemarkKind),
    None,
}

fn decide(finding: &Finding, text: &Text<'_>, blocks: &[(u64, u64)], foreign: bool) -> Decision {
    let about = matches!(
        finding.category,
        Category::Secret | Category::CredentialFile | Category::PersonalData
    );
    let Some(line) = finding.line.filter(|_| about) else { return Decision::None };
    let offset = finding.offset.and_then(|offset| usize::try_from(offset).ok()).unwrap_or(0);
    let mut remark = None;
    let mut ask = |number: u64, alone: bool| -> Option<String> {
        for marker in markers(text.line(number), alone) {
            let start = column_of(text, offset, number, line);
            if !marker.is_near(start) || !marker.is_about(&finding.rule) {
                continue;
            }
            match (marker.foreign, marker.reason(start)) {
                (None, Some(reason)) => return Some(reason),
                (None, None) => remark = Some(RemarkKind::AllowWithoutReason),
                (Some(word), _) if foreign => return Some(word.to_owned()),
                (Some(_), _) => {
                    remark.get_or_insert(RemarkKind::ForeignAllow);
                }
            }
        }
        None
    };
    let before = |line: u64| line.checked_sub(1).filter(|line| *line > 0);
    let mut allowed = ask(line, false).or_else(|| before(line).and_then(|line| ask(line, true)));
    if allowed.is_none() {
        // The innermost block that holds the line.
        let inside = blocks.iter().filter(|(first, last)| (*first..=*last).contains(&line));
        if let Some((first, last)) = inside.min_by_key(|(first, last)| last.saturating_sub(*first))
        {
            allowed = ask(*first, false)
                .or_else(|| ask(*last, false))
                .or_else(|| before(*first).and_then(|line| ask(line, true)));
        }
    }
    match (allowed, remark) {
        (Some(reason), _) => Decision::Allowed(reason),
        (None, Some(kind)) => Decision::Remark(kind),
        (None, None) => Decision::None,
    }
}

/// Where in a line a finding starts, when it is in that line.
fn column_of(text: &Text<'_>, offset: usize, number: u64, line: u64) -> Option<usize> {
    if number != line {
        return None;
    }
    let before = text.as_str().get(..offset)?;
    Some(before.len().saturating_sub(before.rfind('\n').map_or(0, |at| at.saturating_add(1))))
}

struct Marker<'t> {
    /// Where it starts in its line.
    at: usize,
    foreign: Option<&'static str>,
    rules: Vec<&'t str>,
    /// What follows it and its rules, with where that starts in the line.
    rest: (usize, &'t str),
}

impl Marker<'_> {
    fn is_near(&self, column: Option<usize>) -> bool {
        column.is_none_or(|column| self.at.abs_diff(column) <= NEAR_BYTES)
    }

    fn is_about(&self, rule: &str) -> bool {
        self.rules.is_empty()
            || self.rules.iter().any(|one| match one.strip_suffix('*') {
                Some(start) => rule.starts_with(start),
                None => *one == rule,
            })
    }

    /// The reason, when there is one: a word at least. What begins where a secret does is none.
    fn reason(&self, column: Option<usize>) -> Option<String> {
        let (from, mut rest) = self.rest;
        if let Some(room) = column.and_then(|column| column.checked_sub(from)) {
            rest = rest.get(..room).unwrap_or(rest);
        }
        let words: Vec<String> = rest.split_whitespace().map(shown).collect();
        let reason = words.join(" ");
        let reason = reason.trim_matches(|c: char| c.is_whitespace() || ":-–—,;\"'".contains(c));
        let letters = reason.chars().filter(|c| c.is_alphanumeric()).count();
        (letters >= 3).then(|| reason.chars().take(REASON_CHARACTERS).collect())
    }
}

/// A word of a reason as a report may show it: what could be a secret is taken out.
fn shown(word: &str) -> String {
    let plain: String = word.chars().filter(|c| !c.is_control()).collect();
    let digit = plain.chars().any(|c| c.is_ascii_digit());
    let secret = plain.contains('=') || (plain.chars().count() >= 12 && digit);
    let link = plain.starts_with("https://") && !plain.contains(['?', '@']);
    if secret && !link { "…".to_owned() } else { plain }
}

/// The markers of a line; `alone` asks for those of a line that is nothing but a comment.
fn markers(line: &str, alone: bool) -> Vec<Marker<'_>> {
    let mut found = Vec::new();
    for (word, foreign) in
        std::iter::once((OWN, None)).chain(FOREIGN.into_iter().map(|word| (word, Some(word))))
    {
        for (at, _) in line.match_indices(word).take(8) {
            if alone && !is_comment_start(line.get(..at).unwrap_or("")) {
                continue;
            }
            let mut from = at.saturating_add(word.len());
            let mut rest = line.get(from..).unwrap_or("");
            // `lidless:allowed` is another word.
            if rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let end = ["*/", "-->", "--%>", "#}", "%}", "}}"]
                .iter()
                .filter_map(|close| rest.find(close))
                .min()
                .unwrap_or(rest.len());
            rest = rest.get(..end).unwrap_or(rest);
            let mut rules = Vec::new();
            loop {
                let trimmed = rest.trim_start_matches([' ', '\t', ',']);
                let end = trimmed.find([' ', '\t', ',']).unwrap_or(trimmed.len());
                let Some(word) = trimmed.get(..end).filter(|word| is_rule(word)) else { break };
                rules.push(word);
                rest = trimmed.get(end..).unwrap_or("");
            }
            // Where the rest starts, counted from its end: trimming moved its beginning.
            let whole = line.get(from..).unwrap_or("").get(..end).unwrap_or("");
            from = from.saturating_add(whole.len().saturating_sub(rest.len()));
            found.push(Marker { at, foreign, rules, rest: (from, rest) });
        }
    }
    found
}

/// `secret.aws_access_key`, `secret.*`.
fn is_rule(word: &str) -> bool {
    let Some((family, name)) = word.split_once('.') else { return false };
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    !family.is_empty()
        && family.chars().all(plain)
        && (name == "*" || name.strip_suffix('*').unwrap_or(name).chars().all(plain))
        && !name.is_empty()
}

/// Whether a line has nothing but the start of a comment so far.
fn is_comment_start(before: &str) -> bool {
    let word = before.trim();
    !word.chars().any(char::is_alphanumeric) && !word.contains(['"', '\'', '=']) && !word.is_empty()
        || matches!(word.to_ascii_lowercase().as_str(), "rem" | "dnl" | "::" | "')" | "'")
}

/// Values of many lines: keys in PEM, here-documents, strings in three quotes or backticks, blocks
/// of YAML; first and last line of each.
fn blocks(text: &Text<'_>) -> Vec<(u64, u64)> {
    let mut blocks: Vec<(u64, u64)> = Vec::new();
    let mut pem: Option<u64> = None;
    let mut quote: Option<(&str, u64)> = None;
    let mut here: Option<(String, u64)> = None;
    let mut yaml: Option<(usize, u64)> = None;
    let mut close = |first: u64, last: u64| {
        if last > first && last.saturating_sub(first) <= BLOCK_LINES {
            blocks.push((first, last));
        }
    };
    let mut number = 0_u64;
    for line in text.as_str().split('\n') {
        number = number.saturating_add(1);
        let line = line.trim_end_matches('\r');
        if line.contains("-----BEGIN ") && !line.contains("-----END ") {
            pem = Some(number);
        } else if line.contains("-----END ")
            && let Some(first) = pem.take()
        {
            close(first, number);
        }
        if let Some((word, first)) = &here {
            if line.trim() == word {
                close(*first, number);
                here = None;
            }
            continue;
        }
        if let Some((indent, first)) = yaml {
            let own = line.len().saturating_sub(line.trim_start().len());
            if !line.trim().is_empty() && own <= indent {
                close(first, number.saturating_sub(1));
                yaml = None;
            }
        }
        for mark in ["\"\"\"", "'''", "`"] {
            for _ in 0..line.matches(mark).count() {
                match quote {
                    Some((open, first)) if open == mark => {
                        close(first, number);
                        quote = None;
                    }
                    None => quote = Some((mark, number)),
                    Some(_) => {}
                }
            }
        }
        if quote.is_some() {
            continue;
        }
        here = here_word(line).map(|word| (word, number));
        let code = line.split(" #").next().unwrap_or("").trim_end();
        if yaml.is_none()
            && [": |", ": >", ": |-", ": >-", ": |+"].iter().any(|end| code.ends_with(end))
        {
            yaml = Some((line.len().saturating_sub(line.trim_start().len()), number));
        }
    }
    if let Some((_, first)) = yaml {
        close(first, number);
    }
    blocks
}

/// The word that ends the here-document a line begins.
fn here_word(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("<<")?;
    let rest = rest.trim_start_matches(['-', '~']).trim_start_matches(['"', '\'']);
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    let word = rest.get(..end)?;
    let plain = word.len() >= 3 && word.starts_with(|c: char| c.is_ascii_uppercase());
    plain.then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_core::{Confidence, Encoding, Place, Severity};

    #[test]
    fn every_marker_has_a_part_that_is_looked_for_first() {
        for word in FOREIGN.iter().chain([&OWN]) {
            assert!(has_marker(format!("a = b # {word} since").as_bytes()), "{word}");
        }
        assert!(!has_marker(b"a = b # allow:ignore"));
    }

    /// Looks at a text with a finding of the rule wherever `SECRET` stands.
    fn look(text: &str, foreign: bool) -> (Vec<u64>, Vec<String>, Vec<RemarkKind>) {
        let text = Text::from_string(text.to_owned(), Encoding::Utf8);
        let file = Provenance::new(Layer::File { path: "/a".into() });
        let mut findings: Vec<Finding> = text
            .as_str()
            .match_indices("SECRET")
            .map(|(at, _)| {
                let place = Place::line(file.clone(), text.line_of(at), at as u64);
                let (category, rule) = (Category::Secret, "secret.aws_access_key");
                let (severity, sure) = (Severity::High, Confidence::High);
                Finding::new(rule, category, severity, sure, "t", &place, "e")
            })
            .collect();
        let mut suppressed = Suppressions::default();
        let mut remarks = Vec::new();
        apply(&text, foreign, 0, &mut findings, &mut suppressed, &mut remarks);
        (
            findings.iter().filter_map(|one| one.line).collect(),
            suppressed.listed().iter().filter_map(|one| one.note.clone()).collect(),
            remarks.iter().map(|one| one.kind).collect(),
        )
    }

    #[test]
    fn a_reason_beside_the_value_allows_it_and_nothing_else() {
        let (left, notes, remarks) = look(
            "a = SECRET # lidless:allow test server, reset nightly\n\
             b = SECRET\n\
             // lidless:allow secret.aws_access_key made up\n\
             c = SECRET\n\
             d = SECRET\n",
            false,
        );
        assert_eq!(left, [2, 5]);
        assert_eq!(notes, ["test server, reset nightly", "made up"]);
        assert!(remarks.is_empty());
    }

    #[test]
    fn a_file_is_allowed_with_the_last_secret_in_it() {
        let place = Place::whole(Provenance::new(Layer::File { path: "/a".into() }));
        let whole = || {
            let (category, rule) = (Category::CredentialFile, "credential_file.script");
            Finding::new(rule, category, Severity::High, Confidence::High, "t", &place, "e")
        };
        let left = |text: &str| {
            let text = Text::from_string(text.to_owned(), Encoding::Utf8);
            let lines = text.as_str().match_indices("SECRET").map(|(at, _)| {
                let place = Place { line: Some(text.line_of(at)), ..place.clone() };
                let place = Place { offset: Some(at as u64), ..place };
                let (category, rule) = (Category::Secret, "secret.aws_access_key");
                Finding::new(rule, category, Severity::High, Confidence::High, "t", &place, "e")
            });
            let mut findings: Vec<Finding> = lines.chain([whole()]).collect();
            let (mut apart, mut told) = (Suppressions::default(), Vec::new());
            apply(&text, false, 0, &mut findings, &mut apart, &mut told);
            findings.len()
        };
        assert_eq!(left("a = SECRET # lidless:allow made up\n"), 0);
        assert_eq!(left("a = SECRET # lidless:allow made up\nb = SECRET\n"), 2);
        assert_eq!(left("a = 1 # lidless:allow made up\n"), 1);
    }

    #[test]
    fn no_reason_and_another_rule_allow_nothing() {
        let (left, notes, remarks) = look(
            "a = SECRET # lidless:allow\n\
             b = SECRET # lidless:allow secret.aws_access_key --\n\
             c = SECRET # lidless:allow secret.slack_token known\n\
             d = SECRET # lidless:allowed as it is\n\
             e = SECRET # lidless:allow secret.* known one\n",
            false,
        );
        assert_eq!(left, [1, 2, 3, 4]);
        assert_eq!(notes, ["known one"]);
        assert_eq!(remarks, [RemarkKind::AllowWithoutReason; 2]);
    }

    #[test]
    fn values_of_many_lines_are_allowed_at_their_first_or_last_line() {
        for text in [
            "key = \"\"\" # lidless:allow throwaway\nx\nSECRET\n\"\"\"\nend\n",
            "key = '''\nx\nSECRET\n''' # lidless:allow throwaway\nend\n",
            "# lidless:allow throwaway\nkey = '''\nx\nSECRET\n'''\nend\n",
            "cat <<EOF # lidless:allow throwaway\nx\nSECRET\nEOF\n",
            "data:\n  key: | # lidless:allow throwaway\n    x\n    SECRET\n  other: 1\n",
            "-----BEGIN KEY----- lidless:allow throwaway\nx\nSECRET\n-----END KEY-----\n",
            "k = \"-----BEGIN KEY-----\nSECRET\nx\n-----END KEY-----\" // lidless:allow throwaway\n",
            "const a = `\nSECRET\n`; /* lidless:allow throwaway */ x()\n",
        ] {
            assert_eq!(look(text, false), (vec![], vec!["throwaway".into()], vec![]), "{text}");
        }
        let after = "a: | # lidless:allow throwaway\n  x\nb: SECRET\n";
        assert_eq!(look(after, false).0, [3]);
    }

    #[test]
    fn other_tools_are_heeded_when_asked_for() {
        let text = "a = SECRET # gitleaks:allow\nb = SECRET  # pragma: allowlist secret\n";
        assert_eq!(look(text, false), (vec![1, 2], vec![], vec![RemarkKind::ForeignAllow; 2]));
        let (left, notes, _) = look(text, true);
        assert_eq!((left.len(), notes.len()), (0, 2));
    }

    #[test]
    fn a_reason_shows_no_secret() {
        let (left, notes, _) =
            look("/* lidless:allow old one */ a=SECRET; x=\"hunter22hunter22\"\n", false);
        assert_eq!((left, notes), (vec![], vec!["old one".into()]));
        let (_, notes, _) = look("a=SECRET # lidless:allow was pw=hunter2 aB3dE5gH7jK9mN\n", false);
        assert_eq!(notes, ["was … …"]);
        let (left, _, remarks) = look("lidless:allow SECRET\n", false);
        assert_eq!((left, remarks), (vec![1], vec![RemarkKind::AllowWithoutReason]));
    }

    #[test]
    fn a_marker_far_away_on_one_long_line_is_about_something_else() {
        let text = format!("a=SECRET;{}/* lidless:allow a reason */", "x".repeat(5000));
        assert_eq!(look(&text, false).0, [1]);
    }

    /// Cut at every byte and with every bit flipped: no panic, and no finding is lost.
    #[test]
    fn broken_texts_lose_nothing() {
        let text = "é = SECRET # lidless:allow secret.* a, b \u{2014}\nk = \"\"\" # gitleaks:allow\n\
                    SECRET\n\"\"\"\nx: | \n  SECRET\n<<EOF\n-----BEGIN K\nSECRET\nEOF\n";
        let hold = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            let (left, notes, _) = look(&text, true);
            assert_eq!(left.len() + notes.len(), text.matches("SECRET").count(), "{text}");
        };
        for end in 0..text.len() {
            hold(&text.as_bytes()[..end]);
            for bit in 0..8 {
                let mut bytes = text.as_bytes().to_vec();
                bytes[end] ^= 1 << bit;
                hold(&bytes);
            }
        }
    }

    #[test]
    fn only_named_places_of_this_machine_may_speak() {
        let file = Provenance::new(Layer::File { path: "/a".into() });
        assert!(may_speak(&file));
        assert!(!may_speak(&file.child(Layer::Member { path: "x".into() })));
        let git = |repository: &str| {
            Provenance::new(Layer::Git {
                repository: repository.into(),
                commit: "a".into(),
                path: "x".into(),
            })
        };
        assert!(may_speak(&git("/src")) && !may_speak(&git("https://example.com/r.git")));
        let object =
            Layer::Object { store: "az://a".into(), container: "b".into(), key: "c".into() };
        assert!(!may_speak(&Provenance::new(object)));
    }
}
