//! The links of an HTML page, in order, with what stands around each. Nothing else of HTML is
//! understood, and nothing in it is run.

/// One link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Anchor {
    /// Its target as written, entities resolved.
    pub(crate) href: String,
    /// The text that it shows.
    pub(crate) text: String,
    /// The text between the link before it and it.
    pub(crate) before: String,
    /// The text between it and the next link.
    pub(crate) after: String,
}

/// Longer texts around a link are cut: a date and a size stand right beside it.
const AROUND: usize = 400;
/// Links of one page at most.
pub(crate) const MOST: usize = 200_000;

/// Every link of a page; true when there are more than [`MOST`].
pub(crate) fn anchors(page: &str) -> (Vec<Anchor>, bool) {
    let mut found: Vec<Anchor> = Vec::new();
    let mut text = String::new();
    let mut open: Option<(String, String)> = None;
    let mut rest = page;
    while let Some((before, from)) = rest.split_once('<') {
        push(&mut text, before);
        if let Some(comment) = from.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
            continue;
        }
        let (tag, after) = tag(from);
        rest = after;
        let name = tag.split(|c: char| c.is_whitespace() || c == '/' || c == '>').next();
        let name = name.unwrap_or("").to_ascii_lowercase();
        match name.as_str() {
            "script" | "style" => {
                // Markup in a script is none.
                let end = format!("</{name}");
                rest = find_ignoring_case(rest, &end).map_or("", |at| rest.get(at..).unwrap_or(""));
            }
            "a" => {
                if found.len() >= MOST {
                    return (found, true);
                }
                let around = std::mem::take(&mut text);
                if let Some(last) = found.last_mut()
                    && last.after.is_empty()
                {
                    last.after.clone_from(&around);
                }
                if let Some(href) = attribute(tag, "href") {
                    open = Some((href, around));
                }
            }
            "" if tag.starts_with('/')
                && tag.get(1..2).is_some_and(|c| c.eq_ignore_ascii_case("a"))
                && tag.len() <= 3 =>
            {
                let shown = std::mem::take(&mut text);
                if let Some((href, before)) = open.take() {
                    found.push(Anchor { href, text: shown, before, after: String::new() });
                }
            }
            // Cells and lines keep words apart.
            _ => push(&mut text, " "),
        }
    }
    push(&mut text, rest);
    if let Some(last) = found.last_mut()
        && last.after.is_empty()
    {
        last.after = text;
    }
    (found, false)
}

fn push(text: &mut String, more: &str) {
    if text.len() < AROUND {
        let room = AROUND.saturating_sub(text.len());
        text.push_str(&entities(start_of(more, room)));
    }
}

/// As much of the start of a text as fits, in whole characters.
pub(super) fn start_of(text: &str, most: usize) -> &str {
    let most = most.min(text.len());
    (0..=most).rev().find_map(|end| text.get(..end)).unwrap_or("")
}

/// What stands up to the `>` that ends a tag, and what follows it; quotes may hold a `>`.
fn tag(text: &str) -> (&str, &str) {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => {
                let after = at.saturating_add(1);
                return (text.get(..at).unwrap_or(""), text.get(after..).unwrap_or(""));
            }
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    (text, "")
}

/// The value of an attribute of a tag.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let mut rest = tag;
    while let Some(at) = find_ignoring_case(rest, name) {
        let before = rest.get(..at).unwrap_or("");
        rest = rest.get(at.saturating_add(name.len())..).unwrap_or("");
        let begins = before.ends_with(|c: char| c.is_whitespace() || c == '"' || c == '\'');
        let Some(value) = rest.trim_start().strip_prefix('=').filter(|_| begins) else { continue };
        let value = value.trim_start();
        let value = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value.get(1..)?.split(quote).next()?,
            _ => value.split(|c: char| c.is_whitespace() || c == '>').next()?,
        };
        return Some(entities(value.trim()));
    }
    None
}

fn find_ignoring_case(text: &str, wanted: &str) -> Option<usize> {
    let (text, wanted) = (text.as_bytes(), wanted.as_bytes());
    text.windows(wanted.len().max(1)).position(|part| part.eq_ignore_ascii_case(wanted))
}

/// Text with its character references resolved.
fn entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, from)) = rest.split_once('&') {
        out.push_str(before);
        let end = from.bytes().take(12).position(|byte| byte == b';');
        let known = end.and_then(|end| {
            let name = from.get(..end)?;
            let character = match name {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "apos" => '\'',
                "nbsp" => ' ',
                _ => {
                    let number = name.strip_prefix('#')?;
                    let code = match number.strip_prefix(['x', 'X']) {
                        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                        None => number.parse().ok()?,
                    };
                    char::from_u32(code)?
                }
            };
            Some((character, from.get(end.saturating_add(1)..).unwrap_or("")))
        });
        match known {
            Some((character, after)) => {
                out.push(character);
                rest = after;
            }
            None => {
                out.push('&');
                rest = from;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_with_what_stands_around_them() {
        let page = "<A HREF=x.txt>x</A> 12 <td><a title='a>b' href='a&amp;b%20c/'>a&#38;b</a>\
                    <!-- <a href=no>no</a> --><script>'<a href=no>'</script> end <a name=n>n</a>";
        let (found, _) = anchors(page);
        let seen: Vec<_> = found.iter().map(|one| (one.href.as_str(), one.text.as_str())).collect();
        assert_eq!(seen, [("x.txt", "x"), ("a&b%20c/", "a&b")]);
        assert_eq!(found[0].after.trim(), "12");
        assert_eq!(found[1].before.trim(), "12");
        assert!(found[1].after.contains("end"), "{found:?}");
    }
}
