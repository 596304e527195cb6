//! Credentials that services publish for tests and documentation (`rules/known/published.toml`).

use serde::Deserialize;
use std::collections::HashMap;
use std::sync::LazyLock;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    known: Vec<Known>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    what: String,
    /// For who reads the file.
    #[serde(rename = "reference")]
    _reference: String,
    #[serde(default)]
    start: bool,
    values: Vec<Vec<String>>,
}

#[derive(Default)]
struct Table {
    whole: HashMap<String, &'static str>,
    start: Vec<(String, &'static str)>,
}

/// Read when the first candidate comes by.
static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let text = include_str!("../../../../rules/known/published.toml");
    let mut table = Table::default();
    // A test holds the file to its form.
    let Ok(file) = toml::from_str::<File>(text) else { return table };
    for known in file.known {
        let what: &'static str = String::leak(known.what);
        for value in known.values {
            if known.start {
                table.start.push((value.concat(), what));
            } else {
                table.whole.insert(value.concat(), what);
            }
        }
    }
    table
});

/// What a published credential is, when a value is one.
pub(crate) fn published(value: &str) -> Option<&'static str> {
    if let Some(what) = TABLE.whole.get(value) {
        return Some(what);
    }
    let longest = TABLE.start.iter().map(|(start, _)| start.len()).max().unwrap_or(0);
    if value.len() < longest {
        return None;
    }
    // Keys come in lines, and with their lines' ends written as letters.
    let begin: String = value
        .split("\\n")
        .flat_map(str::split_whitespace)
        .flat_map(str::chars)
        .take(longest)
        .collect();
    TABLE.start.iter().find(|(start, _)| begin.starts_with(start)).map(|(_, what)| *what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_services_publish_is_known_and_its_neighbours_are_not() {
        assert!(TABLE.whole.len() >= 35, "{}", TABLE.whole.len());
        let key = ["AKIA", "IOSFODNN7", "EXAMPLE"].concat();
        assert_eq!(published(&key), Some("access key of the AWS documentation"));
        assert_eq!(published(&key.replace("FOD", "FOE")), None);
        let vagrant = ["MIIEogIBAAKCAQEA6NF8iallvQVp22WDkTky\n", "rtvp9eWW6A8YVr+kz4TjGYe7gHzI\nx"];
        assert_eq!(published(&vagrant.concat()), Some("insecure key of Vagrant"));
    }
}
