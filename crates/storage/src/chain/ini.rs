//! The files that the AWS tools keep: sections, and keys with values, some with an indented block.
//!
//! Source: "Shared config and credentials files: format" of the AWS SDKs and tools reference.

use std::collections::BTreeMap;

/// The most of a file that is read.
pub(crate) const LIMIT: u64 = 1 << 20;

/// Sections by name; in each, values by key. A key of an indented block is `PARENT.KEY`.
pub(crate) type Sections = BTreeMap<String, BTreeMap<String, String>>;

/// Reads a file. What is not understood is passed over, as the tools do.
pub(crate) fn sections(text: &str) -> Sections {
    let mut found = Sections::new();
    let mut section: Option<String> = None;
    let mut parent = String::new();
    for line in text.trim_start_matches('\u{feff}').lines() {
        let bare = line.trim();
        if bare.is_empty() || bare.starts_with(['#', ';']) {
            continue;
        }
        if let Some(head) = bare.strip_prefix('[') {
            let name = head.split(']').next().unwrap_or("");
            let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
            found.entry(name.clone()).or_default();
            section = Some(name);
            parent.clear();
            continue;
        }
        let (Some(section), Some((key, value))) = (&section, bare.split_once('=')) else {
            continue;
        };
        let key = key.trim().to_ascii_lowercase();
        // A comment begins with a sign after white space.
        let value = [" #", " ;", "\t#", "\t;"]
            .iter()
            .filter_map(|mark| value.find(mark))
            .min()
            .map_or(value, |end| value.get(..end).unwrap_or(value))
            .trim()
            .to_owned();
        let indented = line.starts_with([' ', '\t']);
        let name = if indented && !parent.is_empty() { format!("{parent}.{key}") } else { key };
        if !indented {
            parent = if value.is_empty() { name.clone() } else { String::new() };
        }
        found.entry(section.clone()).or_default().insert(name, value);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_keys_and_blocks_are_read() {
        let text = "\u{feff}# about\n[default]\nRegion = eu-west-1 # home\n\n[ profile  lab ]\r\n\
                    services=local\naws_secret_access_key = a#b;c=\n[services local]\ns3 =\n  \
                    endpoint_url = http://127.0.0.1:9\nstray\n";
        let found = sections(text);
        assert_eq!(found["default"]["region"], "eu-west-1");
        assert_eq!(found["profile lab"]["aws_secret_access_key"], "a#b;c=");
        assert_eq!(found["services local"]["s3.endpoint_url"], "http://127.0.0.1:9");
        lidless_kit::cut_and_flip(text.as_bytes(), |bytes| {
            sections(&String::from_utf8_lossy(bytes));
        });
    }
}
