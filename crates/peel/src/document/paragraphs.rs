//! Text of documents and slides: a line for a paragraph, a line for a row of a table with tabs
//! between its cells.

use super::markup::{Markup, Token, attribute};

/// Adds the text of WordprocessingML or DrawingML, up to `most` bytes of `out`; false when there
/// was more.
pub(super) fn paragraphs(xml: &str, out: &mut String, most: usize) -> bool {
    let (mut in_text, mut cells) = (0usize, 0usize);
    for token in Markup::new(xml) {
        if out.len() >= most {
            return false;
        }
        match token {
            Token::Open("t" | "delText" | "instrText" | "text", _) => {
                in_text = in_text.saturating_add(1);
            }
            Token::Close("t" | "delText" | "instrText" | "text") => {
                in_text = in_text.saturating_sub(1);
            }
            Token::Text(text) if in_text > 0 => out.push_str(&text),
            Token::Open("tab", _) => out.push('\t'),
            Token::Open("br" | "cr", _) => out.push('\n'),
            Token::Open("tc", _) => cells = cells.saturating_add(1),
            Token::Close("tc") => {
                cells = cells.saturating_sub(1);
                trim_spaces(out);
                out.push('\t');
            }
            Token::Close("tr") => {
                if out.ends_with('\t') {
                    out.pop();
                }
                out.push('\n');
            }
            Token::Close("p") => out.push(if cells > 0 { ' ' } else { '\n' }),
            _ => {}
        }
    }
    true
}

fn trim_spaces(out: &mut String) {
    let length = out.trim_end_matches(' ').len();
    out.truncate(length);
}

/// Adds the links of a part that lead out of the document, each on a line.
pub(super) fn links(xml: &str, out: &mut String) {
    for token in Markup::new(xml) {
        let Token::Open("Relationship", attributes) = token else { continue };
        if attribute(attributes, "TargetMode").is_some_and(|mode| mode == "External")
            && let Some(target) = attribute(attributes, "Target")
        {
            out.push_str(&target);
            out.push('\n');
        }
    }
}
