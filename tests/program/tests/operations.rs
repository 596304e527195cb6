//! The table of operations in docs/storage.md is that of the program.
#![allow(clippy::unwrap_used)]

use lidless_core::Operation;
use std::path::Path;

#[test]
fn every_operation_is_documented_and_no_other() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/storage.md");
    let text = std::fs::read_to_string(path).unwrap();
    let below = text.lines().skip_while(|line| !line.starts_with("| operation |")).skip(2);
    let documented: Vec<&str> = below
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.split('|').nth(1).unwrap().trim())
        .collect();
    let all: Vec<&str> = Operation::ALL.iter().map(|one| one.as_str()).collect();
    assert_eq!(documented, all);
}
