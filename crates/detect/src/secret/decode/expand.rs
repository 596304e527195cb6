//! All that lies decoded in a text, to a depth and a size.

use super::bytes::{Coding, Content, content};
use super::{escape, kubernetes, run};
use lidless_core::{Holds, Pieces};
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
/// when a bound left some out. Only pieces that may hold something encoded are looked at.
pub(in crate::secret) fn expand(
    text: &str,
    pieces: Option<&Pieces>,
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
    level(text, Around::File(pieces), &taken, &[], &mut bounds, see);
    if let Some(pieces) = pieces.filter(|_| bounds.cut) {
        pieces.note_cut_short();
    }
    !bounds.cut
}

/// Whether a place touches none of those that are taken, which are in order and apart.
pub(in crate::secret) fn is_free(taken: &[Range<usize>], place: &Range<usize>) -> bool {
    let before = taken.partition_point(|one| one.start < place.end);
    let last = before.checked_sub(1).and_then(|at| taken.get(at));
    last.is_none_or(|one| one.end <= place.start)
}

/// What a text is read as.
#[derive(Clone, Copy)]
enum Around<'a> {
    /// The file itself, with what is known of its pieces.
    File(Option<&'a Pieces>),
    /// What was decoded.
    Layer(&'a Layer<'a>),
}

impl<'a> Around<'a> {
    fn layer(self) -> Option<&'a Layer<'a>> {
        match self {
            Self::Layer(layer) => Some(layer),
            Self::File(_) => None,
        }
    }

    /// The parts of the text that are looked at.
    fn parts(self, text: &str) -> Vec<Range<usize>> {
        match self {
            Self::File(Some(pieces)) => pieces.parts(Holds::CODE),
            _ => Pieces::whole(text.len()).parts(Holds::CODE),
        }
    }

    fn note(self, range: &Range<usize>) {
        if let Self::File(Some(pieces)) = self {
            pieces.note(Holds::CODE, range);
            pieces.note(Holds::RUN, range);
        }
    }
}

/// One text: of the file itself, or decoded.
fn level(
    text: &str,
    around: Around<'_>,
    taken: &[Range<usize>],
    codings: &[&'static str],
    bounds: &mut Bounds,
    see: &mut dyn FnMut(&Layer<'_>),
) {
    if codings.len() >= DEPTH {
        return;
    }
    let outer = around.layer();
    let origin_of = |range: &Range<usize>| match outer {
        Some(layer) => layer.origin(range),
        None => range.clone(),
    };
    let bytes = text.as_bytes();
    // Both go forward: what is taken is looked at once.
    let mut after = taken.iter().peekable();
    let parts = around.parts(text);
    let mut runs = Runs { bytes, parts: parts.iter(), part: 0..0 };
    while let Some(first) = runs.next() {
        if Coding::peek(bytes.get(first.clone()).unwrap_or(&[])).is_some() {
            around.note(&first);
        }
        while after.next_if(|range| range.end <= first.start).is_some() {}
        if after.peek().is_some_and(|range| range.start < first.end) || is_token_part(bytes, &first)
        {
            continue;
        }
        let run = bytes.get(first.clone()).unwrap_or(&[]);
        let Some(coding) = Coding::peek(run) else { continue };
        let (whole, end) = run::unwrapped(bytes, &first);
        runs.skip_to(end);
        around.note(&(first.start..end));
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
            level(text, Around::Layer(&layer), &[], &codings, bounds, see);
        }
    }
    // Words of a file itself, or of a document in it; not words of words.
    if outer.is_none_or(|layer| layer.is_whole) {
        let (words, all) = escape::unescape(text, &parts, bounds.bytes, &|word| around.note(word));
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
        level(text, Around::Layer(&layer), &[], &codings, bounds, see);
    }
}

/// Runs of characters that begin in parts of a text.
struct Runs<'a> {
    bytes: &'a [u8],
    parts: std::slice::Iter<'a, Range<usize>>,
    /// What is left of the part that is read.
    part: Range<usize>,
}

impl Runs<'_> {
    fn next(&mut self) -> Option<Range<usize>> {
        loop {
            let seen = self.bytes.get(..self.part.end).unwrap_or(self.bytes);
            if let Some(run) = run::next_run(seen, self.part.start) {
                self.part.start = run.end;
                return Some(run);
            }
            let next = self.parts.next()?;
            // What was unwrapped may have gone on into it.
            self.part = next.start.max(self.part.start)..next.end;
        }
    }

    fn skip_to(&mut self, end: usize) {
        self.part.start = end;
    }
}

/// Parts of a signed token, which has a rule of its own: `eyJ…` with a dot at one side.
fn is_token_part(bytes: &[u8], run: &Range<usize>) -> bool {
    let dot = |place: Option<usize>| place.and_then(|at| bytes.get(at)) == Some(&b'.');
    bytes.get(run.start..).is_some_and(|rest| rest.starts_with(b"eyJ"))
        && (dot(run.start.checked_sub(1)) || dot(Some(run.end)))
}
