// The build script includes this file too: it needs nothing but the parser.

use regex_syntax::hir::literal::{ExtractKind, Extractor};
use regex_syntax::hir::{Hir, HirKind, Look};

/// Whether every match begins with one of the literals, at the start of a word: then a hit with a
/// letter, a digit or `_` in front of it is none.
pub(crate) fn begins_a_word(pattern: &Hir, literals: &[String], ignore_case: bool) -> bool {
    let HirKind::Concat(parts) = pattern.kind() else { return false };
    let Some(HirKind::Look(Look::WordAscii)) = parts.first().map(Hir::kind) else { return false };
    let mut extractor = Extractor::new();
    extractor.kind(ExtractKind::Prefix).limit_total(512).limit_class(16);
    let prefixes = extractor.extract(pattern);
    let Some(prefixes) = prefixes.literals() else { return false };
    let word = |literal: &String| {
        literal.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    !prefixes.is_empty()
        && literals.iter().all(word)
        && prefixes.iter().all(|prefix| {
            literals.iter().any(|literal| {
                let start = prefix.as_bytes().get(..literal.len());
                start.is_some_and(|start| {
                    if ignore_case {
                        start.eq_ignore_ascii_case(literal.as_bytes())
                    } else {
                        start == literal.as_bytes()
                    }
                })
            })
        })
}
