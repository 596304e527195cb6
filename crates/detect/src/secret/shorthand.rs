// The build script includes this file too: it needs nothing but the standard library.

/// A pattern with the words that stand for what many patterns share written out.
pub(crate) fn expand(pattern: &str) -> String {
    pattern
        .replace(
            "@key@",
            r#"[a-z0-9_.\- ]{0,24}(?:key|token|secret|passw(?:or)?d|auth|credentials?)[a-z0-9_.\-]{0,16}["']?\]?[ \t]{0,8}(?::=|=>|[:=>,])[ \t]{0,8}["'`]?"#,
        )
        .replace("@is@", r#"[A-Za-z0-9_.\-]{0,32}["']?\]?[ \t]{0,8}(?::=|=>|[:=>,])[ \t]{0,8}["'`]?"#)
        .replace("@start@", r"(?-u:\b)")
        .replace("@word@", r"(?-u:\b|_)")
        .replace("@end@", r"(?:[^A-Za-z0-9_\-]|$)")
}
