//! Names that break clients which encode carelessly, and what lies under them.

use std::collections::BTreeMap;

/// The name of the one that takes more than one request.
pub const LARGE: &str = "large.bin";

const NAMES: [&str; 17] = [
    "plain.txt",
    "a b/c d.txt",
    "a b-not below.txt",
    "100%/50%25.txt",
    "plus+and&and=and#and?.txt",
    "ünï/日本語.txt",
    "u\u{308}ni/decomposed.txt",
    "smile 😀.txt",
    "deep/er/and/deeper.txt",
    "deep/er-than.txt",
    "quote'\"<tag>&amp;.txt",
    "dollar$and!(paren)*.txt",
    "colon:and;semi,comma.txt",
    "a name that is so long that servers cut it when they show it, which links do not.txt",
    "dir//double.txt",
    "empty.txt",
    LARGE,
];

/// Every name with its content; those with a folder that has no name only where there are no
/// folders.
pub fn odd_names(with_nameless_folders: bool) -> BTreeMap<String, Vec<u8>> {
    NAMES
        .into_iter()
        .filter(|name| with_nameless_folders || !name.contains("//"))
        .map(|name| (name.to_owned(), bytes_of(name)))
        .collect()
}

/// What lies under a name.
pub fn bytes_of(name: &str) -> Vec<u8> {
    match name {
        "empty.txt" => Vec::new(),
        // More than a client asks for in one request.
        LARGE => (0..2_359_297u32).flat_map(u32::to_le_bytes).collect(),
        name => name.as_bytes().to_vec(),
    }
}
