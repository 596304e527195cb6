//! What lies on the stack: as much of a value as judging needs.

use std::sync::Arc;

/// Tuples longer than this are not followed item by item.
pub(crate) const ITEMS: usize = 64;

/// An abstract value; cloning is cheap, so that no memo can make it large.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// A number, a constant, a container: nothing that can be called or imported.
    Plain,
    /// Text that is known whole.
    Text(Arc<str>),
    /// Bytes, the first part of them.
    Bytes(Arc<[u8]>),
    /// An imported name.
    Global(Arc<Global>),
    /// What calling a name gave.
    Made(Arc<Global>),
    /// A short tuple, and how deep tuples are nested in it.
    Tuple(Arc<Vec<Value>>, u8),
    /// Anything else.
    Unknown,
}

/// `module.name`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Global {
    pub(crate) module: String,
    pub(crate) name: String,
}

impl std::fmt::Display for Global {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.module, self.name)
    }
}

/// Tuples nested deeper than this are not followed: dropping them would go as deep.
const NESTED: u8 = 64;

impl Value {
    /// A tuple, as far as it is followed.
    pub(crate) fn tuple(items: Vec<Value>) -> Self {
        let below = |item: &Self| match item {
            Self::Tuple(_, depth) => *depth,
            _ => 0,
        };
        let depth = items.iter().map(below).max().unwrap_or(0).saturating_add(1);
        if items.len() > ITEMS || depth > NESTED {
            Self::Unknown
        } else {
            Self::Tuple(Arc::new(items), depth)
        }
    }

    /// A short form for a report: text cut at 60 characters, with what looks like a credential
    /// taken out.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Plain | Self::Unknown => "…".into(),
            Self::Text(text) => format!("\"{}\"", cut(text)),
            Self::Bytes(bytes) => format!("b\"{}\"", cut(&String::from_utf8_lossy(bytes))),
            Self::Global(global) => global.to_string(),
            Self::Made(global) => format!("{global}(…)"),
            Self::Tuple(items, _) => {
                items.iter().take(4).map(Self::shown).collect::<Vec<_>>().join(", ")
            }
        }
    }
}

fn cut(text: &str) -> String {
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
