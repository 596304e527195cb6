//! Words on lines of a width.

use crate::clean::clean;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Breaks a text into lines of at most `width` columns; a word that is longer is broken.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(8);
    let mut lines: Vec<String> = Vec::new();
    for word in clean(text).split_whitespace() {
        let mut rest = word.to_owned();
        loop {
            let used = lines.last().map_or(0, |line| line.width());
            let fits = lines.last().is_some() && used.saturating_add(rest.width()) < width;
            if fits {
                if let Some(line) = lines.last_mut() {
                    line.push(' ');
                    line.push_str(&rest);
                }
                break;
            }
            if rest.width() <= width {
                lines.push(rest);
                break;
            }
            let (head, tail) = split(&rest, width);
            lines.push(head);
            rest = tail;
        }
    }
    lines
}

fn split(word: &str, width: usize) -> (String, String) {
    let mut used = 0usize;
    let mut head = String::new();
    for character in word.chars() {
        used = used.saturating_add(character.width().unwrap_or(0));
        if used > width {
            break;
        }
        head.push(character);
    }
    let tail = word.get(head.len()..).unwrap_or("").to_owned();
    if head.is_empty() { (word.to_owned(), String::new()) } else { (head, tail) }
}

/// Cuts a name in its middle, so that it fits: the ends say most.
pub(crate) fn elide(text: &str, width: usize) -> String {
    let text = clean(text);
    if text.width() <= width {
        return text;
    }
    let keep = width.saturating_sub(1);
    let front = keep / 3;
    let (head, _) = split(&text, front.max(1));
    let mut tail = String::new();
    let mut used = head.width().saturating_add(1);
    for character in text.chars().rev() {
        used = used.saturating_add(character.width().unwrap_or(0));
        if used > width {
            break;
        }
        tail.insert(0, character);
    }
    format!("{head}…{tail}")
}

/// Fills up with spaces to a width.
pub(crate) fn pad(text: &str, width: usize) -> String {
    let spaces = width.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(spaces))
}

/// Fills up in front.
pub(crate) fn pad_left(text: &str, width: usize) -> String {
    let spaces = width.saturating_sub(text.width());
    format!("{}{text}", " ".repeat(spaces))
}

/// A bar of up to `width` columns for a part of a whole, in eighths; never nothing for something.
pub(crate) fn bar(part: u64, whole: u64, width: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if whole == 0 || part == 0 {
        return if part == 0 { String::new() } else { "▏".into() };
    }
    let cells = u128::try_from(width).unwrap_or(0).saturating_mul(8);
    let eighths =
        u128::from(part).saturating_mul(cells).checked_div(u128::from(whole)).unwrap_or(0);
    let eighths = usize::try_from(eighths).unwrap_or(0).clamp(1, width.saturating_mul(8));
    let rest = EIGHTHS.get(eighths % 8).copied().unwrap_or("");
    format!("{}{rest}", "█".repeat(eighths / 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_asked() {
        let text =
            "a few words and averyveryveryverylongwordwithoutanyspaceinit and 東京東京東京東京 end";
        for width in [8, 12, 20, 80] {
            assert!(wrap(text, width).iter().all(|line| line.width() <= width), "{width}");
            assert!(elide(text, width).width() <= width);
        }
        assert_eq!(elide("abc", 80), "abc");
        assert_eq!(bar(0, 5, 10), "");
        assert_eq!(bar(5, 5, 3), "███");
        assert_eq!(bar(1, 1_000_000, 10), "▏");
    }
}
