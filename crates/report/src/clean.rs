//! Taking the sting out of names that somebody else chose.

use std::fmt::Write as _;

/// True for characters that a reader does not see, or that play with a terminal or with the
/// direction of text. Shown by their code in every format.
pub(crate) fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'
                | '\u{1160}'
                | '\u{17b4}'
                | '\u{17b5}'
                | '\u{180b}'..='\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// The text on one line: white space becomes a space, hidden characters their code in braces.
pub(crate) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '\n' | '\r' | '\t' | '\u{b}' | '\u{c}') {
            out.push(' ');
        } else if is_hidden(character) {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_plays_with_a_terminal_gets_through() {
        assert_eq!(
            clean("a\u{1b}[31mb\u{202e}c\u{9b}2J\nd\te\u{e0041}"),
            "a\\u{1b}[31mb\\u{202e}c\\u{9b}2J d e\\u{e0041}"
        );
        assert_eq!(clean("Zoë – 東京 · ✓"), "Zoë – 東京 · ✓");
    }
}
