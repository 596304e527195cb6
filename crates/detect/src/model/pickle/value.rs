//! What lies on the stack: as much of a value as judging needs.

use std::sync::Arc;

/// Tuples longer than this are not followed item by item.
pub(crate) const ITEMS: usize = 64;
/// Text up to this many bytes is kept whole: longer than any name.
pub(crate) const NAME: u64 = 256;

/// An abstract value; cloning is cheap, so that no memo can make it large.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// A constant, a set: nothing that can be called or imported.
    Plain,
    /// A whole number, when it is a small one.
    Int(i64),
    /// A list.
    List,
    /// A dictionary, by its number in [`super::dicts::Dicts`].
    Dict(u32),
    /// Text that is known whole.
    Text(Arc<str>),
    /// Bytes, or text that is too long for a name.
    Payload(Arc<Payload>),
    /// An imported name.
    Global(Arc<Global>),
    /// What calling a name gave.
    Made(Arc<Made>),
    /// A short tuple, and how deep values are nested in it.
    Tuple(Arc<Vec<Value>>, u8),
    /// Anything else.
    Unknown,
}

/// `module.name`, as Python 3 finds it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Global {
    pub(crate) module: String,
    pub(crate) name: String,
}

/// What a call gave: by whom, from what.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) by: Arc<Global>,
    pub(crate) from: Value,
    depth: u8,
}

/// Bytes that lie in the source, with the first of them.
#[derive(Debug, Clone)]
pub(crate) struct Payload {
    pub(crate) head: Vec<u8>,
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) coding: Coding,
}

/// How the bytes of a payload are written in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// As they are.
    Bytes,
    /// As UTF-8, and text is what they are.
    Text,
    /// As UTF-8 of text that was encoded as Latin-1 while loading.
    Latin1,
    /// Not in the source: `head` is all of them.
    Inline,
}

impl std::fmt::Display for Global {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.module, self.name)
    }
}

impl Global {
    pub(crate) fn is(&self, module: &str, name: &str) -> bool {
        self.module == module && self.name == name
    }
}

/// Values nested deeper than this are not followed: dropping them would go as deep.
const NESTED: u8 = 64;

impl Value {
    /// A tuple, as far as it is followed.
    pub(crate) fn tuple(items: Vec<Value>) -> Self {
        let depth = items.iter().map(Self::depth).max().unwrap_or(0).saturating_add(1);
        if items.len() > ITEMS || depth > NESTED {
            Self::Unknown
        } else {
            Self::Tuple(Arc::new(items), depth)
        }
    }

    /// What calling `by` with `from` gives.
    pub(crate) fn made(by: Arc<Global>, from: Value) -> Self {
        let depth = from.depth().saturating_add(1);
        let (from, depth) = if depth > NESTED { (Self::Unknown, 1) } else { (from, depth) };
        Self::Made(Arc::new(Made { by, from, depth }))
    }

    fn depth(&self) -> u8 {
        match self {
            Self::Tuple(_, depth) => *depth,
            Self::Made(made) => made.depth,
            _ => 0,
        }
    }

    /// The items of a tuple; none when it is no tuple.
    pub(crate) fn items(&self) -> &[Value] {
        match self {
            Self::Tuple(items, _) => items.as_slice(),
            _ => &[],
        }
    }

    /// Memory it takes beside its place on the stack, in bytes, roughly.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Text(text) => text.len().saturating_add(16),
            Self::Payload(payload) => payload.head.len().saturating_add(64),
            Self::Global(_) | Self::Made(_) | Self::Tuple(..) => 64,
            _ => 0,
        }
    }

    /// A short form for a report: text cut at 60 characters, with what looks like a credential
    /// taken out.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Plain | Self::List | Self::Dict(_) | Self::Unknown => "…".into(),
            Self::Int(number) => number.to_string(),
            Self::Text(text) => format!("\"{}\"", cut(text)),
            Self::Payload(payload) => {
                let mark = if payload.coding == Coding::Text { "" } else { "b" };
                format!("{mark}\"{}\"", cut(&String::from_utf8_lossy(&payload.head)))
            }
            Self::Global(global) => cut(&global.to_string()),
            Self::Made(made) => format!("{}(…)", cut(&made.by.to_string())),
            Self::Tuple(items, _) => {
                items.iter().take(4).map(Self::shown).collect::<Vec<_>>().join(", ")
            }
        }
    }
}

/// Text for a report: one line, at most 60 characters, without what looks like a credential.
pub(crate) fn cut(text: &str) -> String {
    let words: Vec<String> = text
        .split(' ')
        .map(|word| {
            let lower = word.to_ascii_lowercase();
            let secret =
                ["sig=", "key=", "token=", "password", "secret"].iter().any(|w| lower.contains(w))
                    || (word.contains("://") && word.contains('@'));
            if secret { "[redacted]".into() } else { word.to_owned() }
        })
        .collect();
    let clean: String =
        words.join(" ").chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if clean.chars().count() > 60 {
        format!("{}…", clean.chars().take(60).collect::<String>())
    } else {
        clean
    }
}
