//! Rules of other scanners: what is taken, what it finds, what is refused.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use lidless_detect::{
    RuleSet, RulesFile, SecretSearch, Verdict, examine_secret_rules, read_rules, write_rules,
};

const GITLEAKS: &str = r#"
title = "mine"
[extend]
useDefault = true
disabledRules = ["generic-api-key"]

[[rules]]
id = "acme-token"
description = "Acme token"
regex = '''\bacme_([a-z0-9]{16})\b'''
entropy = 2.5
keywords = ["acme_"]
  [[rules.allowlists]]
  stopwords = ["sample"]
  [[rules.allowlists]]
  condition = "AND"
  regexTarget = "line"
  regexes = ['''^#''']
  paths = ['''\.md$''']

[[rules]]
id = "grouped"
regex = '''(key|token)[[=&]{1,2}([0-9]{12})\${'''
secretGroup = 2
path = '''\.conf$'''
keywords = ["zebra"]

[[rules]]
id = "ahead"
regex = '''(?!x)secret[0-9]+'''

[[rules]]
id = "names-only"
path = '''\.p12$'''

[[rules]]
id = "jwt"
regex = '''acmejwt-[0-9]{9}'''

[[rules]]
id = 7
regex = "x"

[allowlist]
paths = ['''^vendor/''']
"#;

const NOSEY: &str = r#"
rules:
- name: Zeta key
  id: np.zeta.1
  pattern: |
    (?x)(?i)
    zeta .{0,10}
    \b ( [a-f0-9]{8} (?: -[0-9] )? (?# a number ) ) \b
  examples:
  - "zeta = 'deadbeef-1'"
  negative_examples:
  - zeta only
  references: [https://example.com/zeta]
"#;

const KING: &str = r#"
rules:
  - name: Helper
    id: kingfisher.theta.1
    pattern: (?i)theta_id=([0-9]{6})
    visible: false
  - name: Theta
    id: kingfisher.theta.2
    pattern: |
      (?xi) \b theta_ ( [a-z0-9]{10,} ) \b
    min_entropy: 3
    confidence: high
    pattern_requirements: { min_digits: 2 }
    depends_on_rule: [{ rule_id: kingfisher.theta.1, variable: ID }]
    examples: [theta_a1b2c3d4e5f6]
    validation: { type: Http, content: { request: { method: GET } } }
"#;

fn verdict<'f>(file: &'f RulesFile, id: &str) -> &'f Verdict {
    &file.said.iter().find(|(one, _)| one == id).unwrap_or_else(|| panic!("{id}")).1
}

fn search(file: &RulesFile) -> (RuleSet, SecretSearch) {
    let mut rules = RuleSet::default();
    rules.add(file);
    let search = SecretSearch::new(&rules);
    (rules, search)
}

fn found(search: &SecretSearch, text: &str, path: &str) -> Vec<(&'static str, String)> {
    search.spans(text, path).into_iter().map(|(id, span)| (id, text[span].to_owned())).collect()
}

#[test]
fn a_configuration_of_gitleaks_finds_here_what_it_finds_there() {
    let file = read_rules(GITLEAKS).unwrap();
    assert_eq!(file.format, "gitleaks");
    assert_eq!(*verdict(&file, "acme-token"), Verdict::Taken(Vec::new()));
    assert!(
        matches!(verdict(&file, "ahead"), Verdict::Refused(why) if why.contains("looks around"))
    );
    assert!(matches!(verdict(&file, "names-only"), Verdict::Refused(why) if why.contains("names")));
    assert!(
        matches!(verdict(&file, "jwt"), Verdict::Different(how) if how[0].contains("gitleaks-jwt"))
    );
    assert!(matches!(verdict(&file, "rule 6"), Verdict::Refused(_)));
    assert_eq!(file.notes.len(), 2);
    let again = read_rules(&write_rules(&file).unwrap()).unwrap();
    assert_eq!(again.format, "lidless");
    assert_eq!(again.rules.len(), file.rules.len());
    for file in [file, again] {
        let (_, search) = search(&file);
        let token = ["acme_", "q8w7e6r5t4y3u2i1"].concat();
        let secret = token[5..].to_owned();
        assert_eq!(found(&search, &token, "a.txt"), [("acme-token", secret.clone())]);
        assert_eq!(found(&search, &format!("x{token}"), "a.txt"), []);
        assert_eq!(found(&search, &format!("# {token}"), "a.txt"), [("acme-token", secret)]);
        assert_eq!(found(&search, &format!("# {token}"), "a.md"), []);
        assert_eq!(found(&search, &token, "vendor/a.txt"), []);
        assert_eq!(found(&search, "acme_sample7e6r5t4y3", "a.txt"), []);
        assert_eq!(found(&search, "acme_aaaaaaaaaaaaaaaa", "a.txt"), []);
        let grouped = "Zebra token[=123456789012${";
        assert_eq!(found(&search, grouped, "a.conf"), [("grouped", "123456789012".to_owned())]);
        assert_eq!(found(&search, grouped, "a.txt"), []);
        assert_eq!(found(&search, &grouped[6..], "a.conf"), []);
    }
}

#[test]
fn rules_of_nosey_parker_and_kingfisher_stand_their_own_examples() {
    for (text, id) in [(NOSEY, "np.zeta.1"), (KING, "kingfisher.theta.2")] {
        let file = read_rules(text).unwrap();
        assert!(!matches!(verdict(&file, id), Verdict::Refused(_)));
        let (rules, _) = search(&file);
        assert_eq!(rules.own(), 1);
        let rule = rules.all().find(|rule| rule.id == id).unwrap();
        assert_eq!(rule.examples.len(), 1);
        let said = examine_secret_rules(&rules);
        assert!(said.wrong.is_empty(), "{:?}", said.wrong);
    }
    let file = read_rules(KING).unwrap();
    assert!(matches!(verdict(&file, "kingfisher.theta.1"), Verdict::Refused(_)));
    assert!(
        matches!(verdict(&file, "kingfisher.theta.2"), Verdict::Different(how) if how.len() == 3)
    );
    assert_eq!(file.notes.len(), 1);
}

#[test]
fn a_rule_that_breaks_its_example_is_told() {
    let file = read_rules(&NOSEY.replace("deadbeef-1", "nothing")).unwrap();
    let (rules, _) = search(&file);
    assert_eq!(examine_secret_rules(&rules).wrong.len(), 1);
}

#[test]
fn rules_that_have_the_name_of_a_built_in_one_are_not_added() {
    let file = read_rules("[[rule]]\nid = \"jwt\"\npattern = 'abcd[0-9]{9}'\n").unwrap();
    let mut rules = RuleSet::default();
    assert_eq!(rules.add(&file).len(), 1);
    assert_eq!(rules.own(), 0);
}

#[test]
fn hostile_files_of_rules_are_refused_in_bounded_time() {
    let mut bomb = String::from("rules:\n- &a0 {id: x, pattern: abcdef}\n");
    for level in 1..40 {
        let before = level - 1;
        bomb.push_str(&format!("- &a{level} {{id: x{level}, pattern: abcdef, x: [*a{before}, *a{before}, *a{before}]}}\n"));
    }
    assert!(read_rules(&bomb).is_err());
    assert!(read_rules(&"[".repeat(100_000)).is_err());
    assert!(read_rules(&format!("rules: {}", "[".repeat(100_000))).is_err());
    assert!(read_rules(&"a".repeat(9 << 20)).is_err());
    assert!(read_rules("").is_err());
    let huge = format!("[[rules]]\nid = \"a\"\nregex = '{}'\n", "(?:a{900}){900}");
    let file = read_rules(&huge).unwrap();
    assert!(
        matches!(verdict(&file, "a"), Verdict::Refused(why) if why.contains("compiles to more"))
    );
    let empty = read_rules("[[rules]]\nid = \"a\"\nregex = 'a*'\n").unwrap();
    assert!(
        matches!(verdict(&empty, "a"), Verdict::Refused(why) if why.contains("nothing at all"))
    );
}

/// Cut short at every place and with bytes changed, no file does more than be refused.
#[test]
fn files_of_rules_cut_short_or_changed_never_panic() {
    for text in [GITLEAKS, NOSEY, KING] {
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)).step_by(7) {
            let _ = read_rules(&text[..end]);
        }
        for at in (0..text.len()).step_by(11) {
            for byte in [b'[', b'{', b'\\', b'*', b'\n', b'"'] {
                let mut bytes = text.as_bytes().to_vec();
                bytes[at] = byte;
                let _ = read_rules(&String::from_utf8_lossy(&bytes));
            }
        }
    }
}
