//! A token with a mark under each parameter and its meaning below, as a compiler shows a line.

use crate::clean::clean;
use crate::layout::wrap;
use crate::style::{Style, Tone};
use lidless_core::Note;
use unicode_width::UnicodeWidthStr as _;

/// A stretch of one line and what it means.
struct Mark {
    column: usize,
    width: usize,
    meaning: String,
}

/// The token broken between its parameters, no line wider than `width`, each with its notes.
pub(crate) fn annotate(token: &str, notes: &[Note], style: &Style, width: usize) -> Vec<String> {
    let mut out = Vec::new();
    let mut left = notes.iter();
    for line in lines(token, width) {
        let mut marks = Vec::new();
        let mut column = 0usize;
        for part in &line {
            let bare = part.trim_start_matches(['?', '&']);
            let key = bare.split('=').next().unwrap_or("");
            let is_parameter = bare.len() < part.len() && bare.contains('=');
            if is_parameter
                && let Some(note) =
                    left.clone().find(|note| note.parameter.eq_ignore_ascii_case(key))
            {
                // Repeated parameters stand in their order.
                let at = left.clone().position(|one| std::ptr::eq(one, note)).unwrap_or(0);
                left = notes_after(left, at);
                marks.push(Mark {
                    column: column.saturating_add(part.width().saturating_sub(bare.width())),
                    width: bare.width().max(1),
                    meaning: note.meaning.clone(),
                });
            }
            column = column.saturating_add(part.width());
        }
        out.push(line.concat());
        draw(&marks, style, width, &mut out);
    }
    out
}

fn notes_after(mut notes: std::slice::Iter<'_, Note>, at: usize) -> std::slice::Iter<'_, Note> {
    let _ = notes.nth(at);
    notes
}

/// Parts on lines: the address, then a parameter each with the sign before it.
fn lines(token: &str, width: usize) -> Vec<Vec<String>> {
    let token = clean(token);
    let (address, query) = match token.split_once('?') {
        Some((address, query)) => (address, query),
        None => return wrap(&token, width).into_iter().map(|line| vec![line]).collect(),
    };
    let mut lines: Vec<Vec<String>> = if address.is_empty() {
        Vec::new()
    } else {
        wrap(address, width).into_iter().map(|l| vec![l]).collect()
    };
    let mut used = usize::MAX;
    for (index, part) in query.split('&').enumerate() {
        let part = format!("{}{part}", if index == 0 { '?' } else { '&' });
        let wide = part.width();
        if used.saturating_add(wide) > width {
            lines.push(Vec::new());
            used = 0;
        }
        used = used.saturating_add(wide);
        let Some(line) = lines.last_mut() else { continue };
        if wide > width {
            let mut pieces = wrap(&part, width).into_iter();
            line.extend(pieces.next());
            lines.extend(pieces.map(|piece| vec![piece]));
            used = usize::MAX;
        } else {
            line.push(part);
        }
    }
    lines
}

/// Lines under the parameters, then the meanings, the last one first.
fn draw(marks: &[Mark], style: &Style, width: usize, out: &mut Vec<String>) {
    if marks.is_empty() {
        return;
    }
    let middle = |mark: &Mark| mark.column.saturating_add(mark.width.saturating_sub(1) / 2);
    let mut rule = String::new();
    for mark in marks {
        pad_to(&mut rule, mark.column);
        let end = mark.column.saturating_add(mark.width);
        for column in mark.column..end {
            rule.push(if column == middle(mark) { '┬' } else { '─' });
        }
    }
    out.push(style.paint(Tone::Dim, &rule));
    for (index, mark) in marks.iter().enumerate().rev() {
        let before = marks.get(..index).unwrap_or(&[]);
        let room = width.saturating_sub(middle(mark).saturating_add(2));
        // Where there is little room at the right, the meaning stands to the left of its mark.
        let meaning = wrap(&mark.meaning, room.max(24));
        for (line, text) in meaning.iter().enumerate() {
            let mut row = String::new();
            for other in before {
                pad_to(&mut row, middle(other));
                row.push('│');
            }
            if room < 24 {
                let start = width.saturating_sub(text.width().saturating_add(2));
                let free = start.min(middle(mark).saturating_sub(text.width().saturating_add(1)));
                if line == 0 && free > row.width() {
                    pad_to(&mut row, free);
                    row.push_str(text);
                    row.push(' ');
                    row.push('┘');
                    out.push(style.paint(Tone::Dim, &row));
                    continue;
                }
            }
            pad_to(&mut row, middle(mark));
            row.push_str(if line == 0 { "└ " } else { "  " });
            out.push(format!("{}{text}", style.paint(Tone::Dim, &row)));
        }
    }
}

fn pad_to(line: &mut String, column: usize) {
    while line.width() < column {
        line.push(' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_meaning_stands_under_its_parameter() {
        let note = |parameter: &str, meaning: &str| Note {
            parameter: parameter.into(),
            meaning: meaning.into(),
        };
        let notes =
            [note("sv", "version"), note("ss", "blobs"), note("sp", "read"), note("sp", "again")];
        let style = Style::default();
        let shown = annotate("https://a.example/c?sv=2020&ss=b&sp=r&sp=w", &notes, &style, 60);
        let text = shown.join("\n");
        assert_eq!(
            text,
            "https://a.example/c\n\
             ?sv=2020&ss=b&sp=r&sp=w\n \
             ───┬─── ─┬── ─┬── ─┬──\n    \
             │     │    │    └ again\n    \
             │     │    └ read\n    \
             │     └ blobs\n    \
             └ version"
        );
        let wide: Vec<String> =
            annotate(&format!("?sig={}&x=1", "a".repeat(300)), &notes, &style, 60);
        assert!(wide.iter().all(|line| line.width() <= 60));
    }
}
