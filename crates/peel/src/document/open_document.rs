//! Text of OpenDocument: texts, tables and slides alike.

use super::markup::{Markup, Token, attribute};

/// A cell or row that says it is repeated is written once.
pub(super) fn content(xml: &str, out: &mut String, most: usize) -> bool {
    let (mut paragraphs, mut cells) = (0usize, 0usize);
    for token in Markup::new(xml) {
        if out.len() >= most {
            return false;
        }
        match token {
            Token::Open("p" | "h", _) => paragraphs = paragraphs.saturating_add(1),
            Token::Close("p" | "h") => {
                paragraphs = paragraphs.saturating_sub(1);
                out.push(if cells > 0 { ' ' } else { '\n' });
            }
            Token::Text(text) if paragraphs > 0 => out.push_str(&text),
            Token::Open("tab", _) => out.push('\t'),
            Token::Open("s", _) => out.push(' '),
            Token::Open("line-break", _) => out.push('\n'),
            Token::Open("a", attributes) => {
                // Where a link leads is not shown.
                if let Some(target) = attribute(attributes, "href") {
                    out.push_str(&target);
                    out.push(' ');
                }
            }
            Token::Open("table", attributes) => {
                if let Some(name) = attribute(attributes, "name") {
                    out.push_str(&name);
                    out.push('\n');
                }
            }
            Token::Open("table-cell", _) => cells = cells.saturating_add(1),
            Token::Close("table-cell") => {
                cells = cells.saturating_sub(1);
                let length = out.trim_end_matches(' ').len();
                out.truncate(length);
                out.push('\t');
            }
            Token::Close("table-row") => {
                let length = out.trim_end_matches('\t').len();
                out.truncate(length);
                out.push('\n');
            }
            _ => {}
        }
    }
    true
}

/// Whether the list of files of an OpenDocument says that they are encrypted.
pub(super) fn is_encrypted(manifest: &str) -> bool {
    Markup::new(manifest).any(|token| matches!(token, Token::Open("encryption-data", _)))
}
