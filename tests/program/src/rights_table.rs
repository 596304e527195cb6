//! What the program says of each grant, as docs/storage.md shows it.

use serde_json::Value;
use std::path::Path;

/// The head of every such table.
const HEAD: &str = "| grant | who | operation | declared | observed | why |";

/// The rows of one grant of a report: operations of which the same is said, for the same reason,
/// stand in one.
///
/// # Panics
/// When the report is not what the contract says.
#[must_use]
pub fn rights_table(name: &str, grant: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("–").to_owned();
    let rights = grant["observed"]["rights"].as_array().expect("a list of rights");
    assert!(!rights.is_empty(), "{name}: nothing is said of its rights");
    let mut rows: Vec<(Vec<String>, [String; 5])> = Vec::new();
    for right in rights {
        for field in ["party", "operation", "place", "declared", "declared_by", "observed", "why"] {
            assert!(right.get(field).is_some(), "{name}: {field} is left out of {right}");
        }
        let declared = match (&right["declared"], text(&right["declared_by"])) {
            (Value::Bool(true), by) => format!("yes, by the {by}"),
            (Value::Bool(false), by) => format!("no, by the {by}"),
            _ => "–".to_owned(),
        };
        let observed = match &right["observed"] {
            Value::Bool(true) => "yes",
            Value::Bool(false) => "no",
            _ => "–",
        };
        let place = right["place"].as_str().map(|place| format!(" in `{place}`"));
        let known = [
            text(&right["party"]),
            place.unwrap_or_default(),
            declared,
            observed.to_owned(),
            text(&right["why"]),
        ];
        let operation = text(&right["operation"]);
        match rows.iter_mut().find(|(_, of)| *of == known) {
            Some((operations, _)) => operations.push(operation),
            None => rows.push((vec![operation], known)),
        }
    }
    let status = text(&grant["status"]);
    rows.into_iter()
        .map(|(operations, [who, place, declared, observed, why])| {
            let operations = operations.join(", ");
            format!(
                "| {name}: {status} | {who} | {operations}{place} | {declared} | {observed} | {why} |"
            )
        })
        .collect()
}

/// Compares the rows with the table below one heading of docs/storage.md: it has these, in this
/// order, and no other.
///
/// # Panics
/// When it has not; the message holds the table as it has to be.
pub fn assert_documented(heading: &str, rows: &[String]) {
    let documented = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/storage.md");
    let documented = std::fs::read_to_string(documented).expect("docs/storage.md");
    let below = documented.lines().skip_while(|line| *line != heading).skip(1);
    let section = below.take_while(|line| !line.starts_with('#'));
    let table = section.skip_while(|line| *line != HEAD).skip(2);
    let known: Vec<&str> = table.take_while(|line| line.starts_with('|')).collect();
    assert!(
        known == rows,
        "docs/storage.md, {heading}:\n{HEAD}\n| --- | --- | --- | --- | --- | --- |\n{}",
        rows.join("\n")
    );
}
