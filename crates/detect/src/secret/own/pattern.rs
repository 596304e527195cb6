//! Patterns of other scanners, as the regular expressions here understand them.
//!
//! Theirs match bytes or have ASCII classes: `\w`, `\d`, `\s` and `\b` mean ASCII here as there.
//! What Go writes and Rust does not (a bare brace or bracket, `\Q…\E`) is written as Rust does.

use regex_automata::nfa::thompson;
use regex_automata::util::syntax;
use regex_syntax::ast::{self, Ast};
use regex_syntax::hir::Hir;

/// Who wrote a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Ours: as it stands.
    Rust,
    /// Rust's syntax over bytes, as Nosey Parker and Kingfisher compile it.
    Bytes,
    /// Go's RE2.
    Go,
}

/// Longer patterns are refused.
const LONGEST: usize = 32 << 10;
/// Deeper patterns are refused.
const DEEPEST: u32 = 96;
/// What a pattern may compile to, in bytes: one such pattern is searched at a few MB/s.
pub(crate) const COMPILED: usize = 16 << 20;

/// A pattern that compiles within its bounds.
pub(crate) struct Pattern {
    pub(crate) text: String,
    pub(crate) hir: Hir,
}

/// Reads a pattern of a dialect; the error says in words why it cannot be taken.
pub(crate) fn read(pattern: &str, dialect: Dialect) -> Result<Pattern, String> {
    if pattern.len() > LONGEST {
        return Err(format!("its pattern has more than {LONGEST} bytes"));
    }
    let text = match dialect {
        Dialect::Rust => pattern.to_owned(),
        Dialect::Bytes => ascii(&uncommented(pattern))?,
        Dialect::Go => ascii(&from_go(pattern)?)?,
    };
    let hir = regex_syntax::ParserBuilder::new()
        .nest_limit(DEEPEST)
        .build()
        .parse(&text)
        .map_err(|error| plainly(&error))?;
    thompson::Compiler::new()
        .configure(thompson::Config::new().nfa_size_limit(Some(COMPILED)))
        .build_from_hir(&hir)
        .map_err(|_| "its pattern compiles to more than 16 MiB".to_owned())?;
    Ok(Pattern { text, hir })
}

/// How patterns are parsed wherever they are compiled.
pub(crate) fn syntax() -> syntax::Config {
    syntax::Config::new().nest_limit(DEEPEST)
}

/// Without comments in groups, `(?# so )`, which stand in verbose patterns.
fn uncommented(pattern: &str) -> String {
    let mut said = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, comment)) = rest.split_once("(?#") {
        said.push_str(before);
        rest = comment.split_once(')').map_or("", |(_, after)| after);
    }
    said.push_str(rest);
    said
}

/// An error of the parser in a few words.
fn plainly(error: &regex_syntax::Error) -> String {
    let kind = match error {
        regex_syntax::Error::Parse(error) => return about(error),
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        _ => "not understood".to_owned(),
    };
    format!("its pattern is not understood: {kind}")
}

fn about(error: &ast::Error) -> String {
    let kind = match error.kind() {
        ast::ErrorKind::UnsupportedLookAround => {
            return "it looks around its match, which no linear search can".to_owned();
        }
        ast::ErrorKind::UnsupportedBackreference => {
            return "it refers back to a group, which no linear search can".to_owned();
        }
        kind => kind.to_string(),
    };
    format!("its pattern is not understood: {kind}")
}

/// `\w`, `\d`, `\s` and `\b` as ASCII, whatever stands around them.
fn ascii(pattern: &str) -> Result<String, String> {
    let parsed = ast::parse::ParserBuilder::new()
        .nest_limit(DEEPEST)
        .build()
        .parse(pattern)
        .map_err(|error| about(&error))?;
    let mut finder = Finder::default();
    let _ = ast::visit(&parsed, &mut finder);
    finder.changes.sort_unstable();
    let mut said = String::with_capacity(pattern.len());
    let mut at = 0;
    for (from, to, with) in finder.changes {
        said.push_str(pattern.get(at..from).unwrap_or(""));
        said.push_str(with);
        at = to;
    }
    said.push_str(pattern.get(at..).unwrap_or(""));
    Ok(said)
}

#[derive(Default)]
struct Finder {
    changes: Vec<(usize, usize, &'static str)>,
}

impl Finder {
    fn class(&mut self, class: &ast::ClassPerl) {
        let with = match (&class.kind, class.negated) {
            (ast::ClassPerlKind::Digit, false) => "[0-9]",
            (ast::ClassPerlKind::Digit, true) => "[^0-9]",
            (ast::ClassPerlKind::Word, false) => "[0-9A-Za-z_]",
            (ast::ClassPerlKind::Word, true) => "[^0-9A-Za-z_]",
            (ast::ClassPerlKind::Space, false) => r"[\t\n\x0C\r\x20]",
            (ast::ClassPerlKind::Space, true) => r"[^\t\n\x0C\r\x20]",
        };
        self.changes.push((class.span.start.offset, class.span.end.offset, with));
    }
}

impl ast::Visitor for &mut Finder {
    type Output = ();
    type Err = ();

    fn finish(self) -> Result<(), ()> {
        Ok(())
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), ()> {
        match ast {
            Ast::ClassPerl(class) => self.class(class),
            Ast::Assertion(assertion) => {
                let with = match assertion.kind {
                    ast::AssertionKind::WordBoundary => r"(?-u:\b)",
                    _ => return Ok(()),
                };
                let span = assertion.span;
                self.changes.push((span.start.offset, span.end.offset, with));
            }
            _ => {}
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ast::ClassSetItem) -> Result<(), ()> {
        if let ast::ClassSetItem::Perl(class) = item {
            self.class(class);
        }
        Ok(())
    }
}

/// Go's syntax as Rust's.
fn from_go(pattern: &str) -> Result<String, String> {
    let mut said = String::with_capacity(pattern.len().saturating_add(16));
    let mut rest = pattern;
    while let Some(next) = rest.chars().next() {
        let after = rest.get(next.len_utf8()..).unwrap_or("");
        match next {
            '\\' if after.starts_with('Q') => {
                let quoted = after.get(1..).unwrap_or("");
                let (inside, behind) = quoted.split_once(r"\E").unwrap_or((quoted, ""));
                said.push_str(&regex_syntax::escape(inside));
                rest = behind;
            }
            '\\' => rest = escape(after, &mut said)?,
            '[' => rest = class(after, &mut said)?,
            '{' if !is_count(rest) => {
                said.push_str(r"\{");
                rest = after;
            }
            _ => {
                said.push(next);
                rest = after;
            }
        }
    }
    Ok(said)
}

/// What follows a backslash; gives the rest.
fn escape<'p>(after: &'p str, said: &mut String) -> Result<&'p str, String> {
    let Some(sign) = after.chars().next() else {
        return Err("its pattern ends in a backslash".to_owned());
    };
    let rest = after.get(sign.len_utf8()..).unwrap_or("");
    match sign {
        'C' => return Err("it matches single bytes (\\C)".to_owned()),
        '0'..='7' => {
            // Octal, up to three digits.
            let digits: String =
                after.chars().take(3).take_while(|c| matches!(c, '0'..='7')).collect();
            let code = u32::from_str_radix(&digits, 8).unwrap_or(0);
            if sign != '0' && digits.len() < 2 {
                return Err("it refers back to a group, which no linear search can".to_owned());
            }
            said.push_str(&format!("\\x{{{code:x}}}"));
            return Ok(after.get(digits.len()..).unwrap_or(""));
        }
        // What needs no escape in either: Rust refuses some that Go allows.
        '"' | '\'' | '`' | '/' | ':' | ';' | ',' | '=' | '@' | '!' | '%' | '_' | ' ' => {
            said.push(sign);
        }
        _ => {
            said.push('\\');
            said.push(sign);
        }
    }
    Ok(rest)
}

/// A class, from behind its bracket; gives the rest.
fn class<'p>(after: &'p str, said: &mut String) -> Result<&'p str, String> {
    said.push('[');
    let mut rest = after;
    if let Some(behind) = rest.strip_prefix('^') {
        said.push('^');
        rest = behind;
    }
    let mut first = true;
    while let Some(next) = rest.chars().next() {
        let behind = rest.get(next.len_utf8()..).unwrap_or("");
        match next {
            ']' if first => said.push_str(r"\]"),
            ']' => {
                said.push(']');
                return Ok(behind);
            }
            '\\' => {
                rest = escape(behind, said)?;
                first = false;
                continue;
            }
            '[' if behind.starts_with(':') => {
                let Some(end) = behind.find(":]") else {
                    return Err("its pattern is not understood: an open class".to_owned());
                };
                let end = end.saturating_add(2);
                said.push('[');
                said.push_str(behind.get(..end).unwrap_or(""));
                rest = behind.get(end..).unwrap_or("");
                first = false;
                continue;
            }
            '[' => said.push_str(r"\["),
            // Set operations in Rust, signs in Go.
            '&' | '~' => {
                said.push('\\');
                said.push(next);
            }
            '-' if behind.starts_with('-') => said.push_str(r"\-"),
            _ => said.push(next),
        }
        first = false;
        rest = behind;
    }
    Err("its pattern is not understood: an open class".to_owned())
}

/// Whether a brace opens a count of repetitions.
fn is_count(text: &str) -> bool {
    let Some((inside, _)) = text.get(1..).and_then(|rest| rest.split_once('}')) else {
        return false;
    };
    let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
    let number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    number(least) && (most.is_empty() || number(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn go(pattern: &str) -> String {
        read(pattern, Dialect::Go).map(|one| one.text).unwrap_or_else(|why| format!("! {why}"))
    }

    #[test]
    fn what_go_writes_is_written_as_rust_does() {
        assert_eq!(go(r"^\$\{\{[ \t]*}}$"), r"^\$\{\{[ \t]*}}$");
        assert_eq!(go(r"^\${(?:[A-Z_]+)}$"), r"^\$\{(?:[A-Z_]+)}$");
        assert_eq!(go(r"[[&&x~~]{2,3}"), r"[\[\&\&x\~\~]{2,3}");
        assert_eq!(go(r"[]a]\d"), r"[\]a][0-9]");
        assert_eq!(go(r"\Qa.b\E+"), r"a\.b+");
        assert_eq!(go(r"[[:alnum:]\w]\b"), r"[[:alnum:][0-9A-Za-z_]](?-u:\b)");
        assert_eq!(go(r"\x41\101\_\'"), r"\x41\x{41}_'");
    }

    #[test]
    fn what_cannot_be_searched_in_linear_time_says_so() {
        assert!(go("(?!x)y").contains("looks around"));
        assert!(go(r"(a)\1").contains("refers back"));
        assert!(go("(?:(?:a{1000}){1000}){1000}").contains("compiles to more"));
        assert!(go(&"(".repeat(5000)).starts_with('!'));
        assert!(go(&"a".repeat(40_000)).contains("bytes"));
    }

    #[test]
    fn verbose_patterns_keep_their_layout() {
        let said = read("(?x)\n  \\b # [ not a class\n  ( \\d{3} )", Dialect::Bytes).unwrap();
        assert_eq!(said.text, "(?x)\n  (?-u:\\b) # [ not a class\n  ( [0-9]{3} )");
        let said = read("(?x) a (?# one ) b", Dialect::Bytes).unwrap();
        assert_eq!(said.text, "(?x) a  b");
    }
}
