//! `lidless mint`: what to give instead, beside what leaked.

use crate::clean::clean;
use crate::layout::{elide, pad, wrap};
use crate::style::{Style, Tone};
use std::io::{Result, Write};

/// One way to replace a token.
#[derive(Debug, Clone)]
pub struct MintChoice {
    /// What it is, in a line.
    pub title: String,
    /// Why this one.
    pub why: String,
    /// What to run.
    pub commands: Vec<String>,
    /// What is compared, as it leaked, as it is proposed.
    pub rows: Vec<(String, String, String)>,
}

/// What there is to show.
#[derive(Debug, Clone)]
pub struct MintView {
    /// The token that leaked, redacted.
    pub leaked: String,
    /// The choices, the best first.
    pub choices: Vec<MintChoice>,
    /// What was signed, and the link, or the file it was written to.
    pub signed: Option<(String, String)>,
}

/// Writes the choices, the first one compared with what leaked.
///
/// # Errors
/// What the writer says.
pub fn render_mint(view: &MintView, style: &Style, out: &mut dyn Write) -> Result<()> {
    let width = style.columns();
    let room = width.saturating_sub(4);
    writeln!(out)?;
    writeln!(out, "  {}", style.paint(Tone::Dim, "In place of"))?;
    for line in wrap(&clean(&view.leaked), room) {
        writeln!(out, "    {line}")?;
    }
    for (index, choice) in view.choices.iter().enumerate() {
        writeln!(out)?;
        let number = index.saturating_add(1);
        let head = format!("{number}  {}", clean(&choice.title));
        for line in wrap(&head, width.saturating_sub(2)) {
            writeln!(out, "  {}", style.paint(Tone::Bold, &line))?;
        }
        for line in wrap(&choice.why, room.saturating_sub(1)) {
            writeln!(out, "     {line}")?;
        }
        if index == 0 {
            let column = width.saturating_sub(24) / 2;
            writeln!(out)?;
            for (what, before, after) in
                [("".to_owned(), "leaked".to_owned(), "instead".to_owned())]
                    .iter()
                    .chain(&choice.rows)
            {
                let mut left = wrap(before, column).into_iter();
                let mut right = wrap(after, column).into_iter();
                let mut what = Some(what.as_str());
                loop {
                    let (a, b) = (left.next(), right.next());
                    if a.is_none() && b.is_none() {
                        break;
                    }
                    let name = pad(what.take().unwrap_or(""), 15);
                    let a = pad(&elide(&a.unwrap_or_default(), column), column.saturating_add(2));
                    let line = format!(
                        "     {}{a}{}",
                        style.paint(Tone::Dim, &name),
                        b.unwrap_or_default()
                    );
                    writeln!(out, "{}", line.trim_end())?;
                }
            }
        }
        writeln!(out)?;
        // Commands stay whole, so that they can be copied.
        for command in &choice.commands {
            writeln!(out, "     {}", clean(command))?;
        }
    }
    writeln!(out)?;
    match &view.signed {
        Some((title, link)) => {
            for line in wrap(&format!("Signed with the key given: {title}"), room) {
                writeln!(out, "  {line}")?;
            }
            writeln!(out, "{link}")?;
        }
        None => {
            let hint = "Nothing was signed. With --keys FILE (ACCOUNT:KEY a line) lidless signs \
                        what a key can sign; nothing is ever sent.";
            for line in wrap(hint, room) {
                writeln!(out, "  {}", style.paint(Tone::Dim, &line))?;
            }
        }
    }
    Ok(())
}
