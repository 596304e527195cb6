//! All that lies decoded in a text, to a depth and a size.

use super::bytes::{Coding, Content, content};
use super::{escape, kubernetes, run};
use std::ops::Range;

/// How many codings deep.
const DEPTH: usize = 3;
/// How much is decoded out of one text; of a shorter text, some times its length.
const EXPANDED: usize = 16 << 20;
const TIMES: usize = 64;
/// How many runs of one text are decoded whole.
const RUNS: usize = 20_000;

/// Decoded content.
pub(in crate::secret) struct Layer<'l> {
    /// The codings, from the outside.
    pub(in crate::secret) codings: &'l [&'static str],
    pub(in crate::secret) text: Option<&'l str>,
    /// A binary key file.
    pub(in crate::secret) key: &'l [u8],
    /// Whether it is a document of its own, or words taken out of one.
    pub(in crate::secret) is_whole: bool,
    origin: Origin<'l>,
}

enum Origin<'l> {
    At(Range<usize>),
    Mapped(&'l escape::Unescaped),
}

impl Layer<'_> {
    /// Where in the outermost text a part of this one comes from.
    pub(in crate::secret) fn origin(&self, part: &Range<usize>) -> Range<usize> {
        match &self.origin {
            Origin::At(range) => range.clone(),
            Origin::Mapped(map) => map.origin(part),
        }
    }
}

/// What is left of the bounds.
struct Bounds {
    bytes: usize,
    runs: usize,
    cut: bool,
}

/// Shows every decoded layer of a text, but where something is `taken` (in order); false
/// when a bound left some out.
pub(in crate::secret) fn expand(
    text: &str,
    taken: &[Range<usize>],
    see: &mut dyn FnMut(&Layer<'_>),
) -> bool {
    let bytes = EXPANDED.min(text.len().saturating_mul(TIMES).max(1 << 20));
    let mut bounds = Bounds { bytes, runs: RUNS, cut: false };
    let mut read = Vec::new();
    for (line, range) in kubernetes::values(text) {
        if !is_free(taken, &range) {
            continue;
        }
        let origin = Origin::At(range.clone());
        let codings = &["base64"];
        see(&Layer { codings, text: Some(&line), key: &[], is_whole: true, origin });
        read.push(range);
    }
    let mut taken = [taken, &read].concat();
    taken.sort_by_key(|range| range.start);
    level(text, None, &taken, &[], &mut bounds, see);
    !bounds.cut
}

/// Whether a place touches none of those that are taken, which are in order and apart.
pub(in crate::secret) fn is_free(taken: &[Range<usize>], place: &Range<usize>) -> bool {
    let before = taken.partition_point(|one| one.start < place.end);
    let last = before.checked_sub(1).and_then(|at| taken.get(at));
    last.is_none_or(|one| one.end <= place.start)
}

/// One text: of the file itself, or decoded, then from `outer` in it.
fn level(
    text: &str,
    outer: Option<&Layer<'_>>,
    taken: &[Range<usize>],
    codings: &[&'static str],
    bounds: &mut Bounds,
    see: &mut dyn FnMut(&Layer<'_>),
) {
    if codings.len() >= DEPTH {
        return;
    }
    let origin_of = |range: &Range<usize>| match outer {
        Some(layer) => layer.origin(range),
        None => range.clone(),
    };
    let bytes = text.as_bytes();
    let mut from = 0;
    // Both go forward: what is taken is looked at once.
    let mut after = taken.iter().peekable();
    while let Some(first) = run::next_run(bytes, from) {
        from = first.end;
        while after.next_if(|range| range.end <= first.start).is_some() {}
        if after.peek().is_some_and(|range| range.start < first.end) || is_token_part(bytes, &first)
        {
            continue;
        }
        let run = bytes.get(first.clone()).unwrap_or(&[]);
        let Some(coding) = Coding::peek(run) else { continue };
        let (whole, end) = run::unwrapped(bytes, &first);
        from = end;
        if bounds.runs == 0 || bounds.bytes < whole.len() {
            bounds.cut = true;
            return;
        }
        bounds.runs = bounds.runs.saturating_sub(1);
        let Some(decoded) = coding.decode(&whole).or_else(|| coding.decode(run)) else { continue };
        let Some((packed, content)) = content(decoded, bounds.bytes) else { continue };
        let mut codings = codings.to_vec();
        codings.push(coding.name());
        codings.extend(packed);
        let range = first.start..end;
        let (text, key) = match &content {
            Content::Text(text) => (Some(text.as_str()), &[][..]),
            Content::Key(bytes) => (None, bytes.as_slice()),
        };
        let size = text.map_or(key.len(), str::len);
        bounds.bytes = bounds.bytes.saturating_sub(size);
        let origin = Origin::At(origin_of(&range));
        let layer = Layer { codings: &codings, text, key, is_whole: true, origin };
        see(&layer);
        if let Some(text) = text {
            level(text, Some(&layer), &[], &codings, bounds, see);
        }
    }
    // Words of a file itself, or of a document in it; not words of words.
    if outer.is_none_or(|layer| layer.is_whole) {
        let (words, all) = escape::unescape(text, bounds.bytes);
        bounds.cut |= !all;
        if words.text.is_empty() {
            return;
        }
        bounds.bytes = bounds.bytes.saturating_sub(words.text.len());
        let mut codings = codings.to_vec();
        codings.extend(&words.kinds);
        let origin = match outer {
            Some(layer) => Origin::At(layer.origin(&(0..text.len()))),
            None => Origin::Mapped(&words),
        };
        let text = words.text.as_str();
        let layer =
            Layer { codings: &codings, text: Some(text), key: &[], is_whole: false, origin };
        see(&layer);
        level(text, Some(&layer), &[], &codings, bounds, see);
    }
}

/// Parts of a signed token, which has a rule of its own: `eyJ…` with a dot at one side.
fn is_token_part(bytes: &[u8], run: &Range<usize>) -> bool {
    let dot = |place: Option<usize>| place.and_then(|at| bytes.get(at)) == Some(&b'.');
    bytes.get(run.start..).is_some_and(|rest| rest.starts_with(b"eyJ"))
        && (dot(run.start.checked_sub(1)) || dot(Some(run.end)))
}
