//! Files of rules: read, added, and searched with.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lidless_detect::{RuleSet, SecretSearch, read_rules, write_rules};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(file) = read_rules(text) else { return };
    // What was read is written and read again.
    let again = read_rules(&write_rules(&file).expect("rules that were read can be written"));
    assert_eq!(again.map(|one| one.rules.len()), Ok(file.rules.len()));
    // Rules live as long as the program: only few are added here.
    if file.rules.len() < 4 {
        let mut rules = RuleSet::default();
        let _ = rules.add(&file);
        let _ = SecretSearch::new(&rules).spans(text, "a/b");
    }
});
