//! The table of products.

use crate::pattern::{PathPatterns, Pattern};
use lidless_core::Severity;
use serde::Deserialize;

const PRODUCTS: &str = include_str!("../../../../rules/backup/products.toml");

/// How a backup is protected, and whether something in it is looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Encrypted,
    Closed,
    Opened,
}

impl State {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Encrypted => "encrypted",
            Self::Closed => "not looked into",
            Self::Opened => "looked into",
        }
    }
}

/// What else is read of a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Facts {
    Macrium,
    Veeam,
    MobileSync,
    Android,
    Borg,
}

#[derive(Deserialize)]
struct File {
    product: Vec<Line>,
}

/// A line of the table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    pub(super) id: String,
    pub(super) product: String,
    #[serde(default)]
    place: String,
    #[serde(default)]
    magic: String,
    #[serde(default)]
    at: usize,
    #[serde(default)]
    text: Vec<String>,
    #[serde(default)]
    unless: Option<String>,
    pub(super) facts: Option<Facts>,
    pub(super) state: State,
    pub(super) severity: Severity,
    pub(super) advice: String,
    #[serde(default)]
    #[cfg_attr(not(test), expect(dead_code, reason = "an example for the test of the table"))]
    pub(super) head: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "examples for the test of the table"))]
    pub(super) examples: Vec<String>,
    #[cfg_attr(not(test), expect(dead_code, reason = "examples for the test of the table"))]
    pub(super) counter_examples: Vec<String>,
}

/// A product, compiled.
#[derive(Debug, Clone)]
pub(super) struct Product {
    pub(super) line: Line,
    place: Option<Pattern>,
    magic: Vec<u8>,
}

/// What a path says of a set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Set {
    /// Length of the path of its folder, when that is not the whole path.
    pub(super) root: Option<usize>,
    pub(super) host: Option<String>,
}

impl Product {
    fn new(line: Line) -> Option<Self> {
        let place = match line.place.as_str() {
            "" => None,
            place => Some(Pattern::ignoring_case(place)),
        };
        let digits = line.magic.as_bytes().chunks(2);
        let magic = digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        let magic = magic.collect::<Option<Vec<u8>>>()?;
        Some(Self { line, place, magic })
    }

    /// Whether its name alone tells it.
    pub(super) fn is_by_name(&self) -> bool {
        self.magic.is_empty() && self.line.text.is_empty()
    }

    /// What the path says, when it may be one.
    pub(super) fn set(&self, path: &str) -> Option<Set> {
        let Some(place) = &self.place else { return Some(Set::default()) };
        let found = place.captures(path)?;
        let root = found.name("root").map(|root| root.as_str().trim_end_matches('/').len());
        let host = found.name("host").map(|host| host.as_str().to_owned());
        Some(Set { root: root.filter(|length| *length > 0), host })
    }

    /// Whether the first bytes tell it.
    pub(super) fn has_head(&self, head: &[u8]) -> bool {
        if !head.get(self.line.at..).is_some_and(|rest| rest.starts_with(&self.magic)) {
            return false;
        }
        let unless = self.line.unless.as_ref();
        self.line.text.iter().all(|word| holds(head, word))
            && !unless.is_some_and(|word| holds(head, word))
    }
}

/// Whether a word stands in bytes, in ASCII or in UTF-16.
fn holds(head: &[u8], word: &str) -> bool {
    let wide: Vec<u8> = word.encode_utf16().flat_map(u16::to_le_bytes).collect();
    memchr::memmem::find(head, word.as_bytes()).is_some()
        || memchr::memmem::find(head, &wide).is_some()
}

/// Every product.
pub(super) struct Products {
    row: Vec<Product>,
    /// The places of those that a path is needed for, by their index in `placed`.
    places: PathPatterns,
    placed: Vec<usize>,
    /// Those that lie anywhere.
    anywhere: Vec<usize>,
}

impl Products {
    pub(super) fn new() -> Self {
        let lines = toml::from_str::<File>(PRODUCTS).map(|file| file.product).unwrap_or_default();
        let row: Vec<Product> = lines.into_iter().filter_map(Product::new).collect();
        let has_place = |index: &usize| row.get(*index).is_some_and(|one| one.place.is_some());
        let (placed, anywhere): (Vec<usize>, Vec<usize>) = (0..row.len()).partition(has_place);
        let patterns =
            row.iter().filter_map(|one| one.place.as_ref().map(|place| place.as_str().to_owned()));
        let places = PathPatterns::ignoring_case(patterns.collect());
        Self { row, places, placed, anywhere }
    }

    /// Those whose place a path is.
    pub(super) fn at<'p>(&'p self, path: &str) -> impl Iterator<Item = &'p Product> {
        let hits = self.places.matches(path);
        hits.into_iter().filter_map(|hit| self.row.get(*self.placed.get(hit)?))
    }

    /// Those that are told by their first bytes wherever they lie.
    pub(super) fn anywhere(&self) -> impl Iterator<Item = &Product> {
        self.anywhere.iter().filter_map(|index| self.row.get(*index))
    }

    /// All of them.
    #[cfg(test)]
    pub(super) fn all(&self) -> &[Product] {
        &self.row
    }
}
