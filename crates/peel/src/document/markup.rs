//! XML as a row of tags and texts, read leniently: nothing is fetched, no entity is expanded but
//! the five of XML and numbers, and what is not well formed ends nothing.

/// A piece of markup. Names come without their namespace prefix.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A tag that begins an element, with its attributes as written.
    Open(&'a str, &'a str),
    /// The end of an element. An element without content has both.
    Close(&'a str),
    /// Text, decoded.
    Text(String),
}

/// Reads markup front to back.
pub(super) struct Markup<'a> {
    rest: &'a str,
    /// The element that was opened and closed by one tag.
    closing: Option<&'a str>,
}

impl<'a> Markup<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text, closing: None }
    }

    fn skip_to(&mut self, end: &str) {
        self.rest = self.rest.split_once(end).map_or("", |(_, after)| after);
    }
}

/// A name without its namespace prefix.
fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

impl<'a> Iterator for Markup<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if let Some(name) = self.closing.take() {
            return Some(Token::Close(name));
        }
        while !self.rest.is_empty() {
            let Some(tag) = self.rest.strip_prefix('<') else {
                let end = self.rest.find('<').unwrap_or(self.rest.len());
                let (text, rest) = self.rest.split_at_checked(end)?;
                self.rest = rest;
                return Some(Token::Text(unescape(text)));
            };
            if let Some(data) = tag.strip_prefix("![CDATA[") {
                let (text, rest) = data.split_once("]]>").unwrap_or((data, ""));
                self.rest = rest;
                return Some(Token::Text(text.to_owned()));
            }
            if tag.starts_with("!--") {
                self.skip_to("-->");
                continue;
            }
            if tag.starts_with(['?', '!']) {
                self.skip_to(">");
                continue;
            }
            let (inner, rest) = tag_end(tag);
            self.rest = rest;
            if let Some(name) = inner.strip_prefix('/') {
                return Some(Token::Close(local(name.trim())));
            }
            let (inner, empty) = match inner.strip_suffix('/') {
                Some(inner) => (inner, true),
                None => (inner, false),
            };
            let (name, attributes) =
                inner.split_once(|one: char| one.is_whitespace()).unwrap_or((inner, ""));
            let name = local(name);
            if empty {
                self.closing = Some(name);
            }
            return Some(Token::Open(name, attributes));
        }
        None
    }
}

/// Splits behind the `>` that ends a tag: one in quotes does not.
fn tag_end(tag: &str) -> (&str, &str) {
    let mut quote = None;
    for (at, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => {
                let rest = tag.get(at.saturating_add(1)..).unwrap_or("");
                return (tag.get(..at).unwrap_or(""), rest);
            }
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    (tag, "")
}

/// The value of an attribute by its name without prefix.
pub(super) fn attribute(attributes: &str, name: &str) -> Option<String> {
    let mut rest = attributes;
    while let Some((before, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let quote = after.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let (value, next) = after.get(1..)?.split_once(quote)?;
        if local(before.trim()) == name {
            return Some(unescape(value));
        }
        rest = next;
    }
    None
}

/// Decodes the five entities of XML and numbers; others stay as they are.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(before);
        let end = from.bytes().take(12).position(|byte| byte == b';');
        let name = end.and_then(|end| from.get(1..end)).unwrap_or("");
        let decoded = match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => number(name),
        };
        match (decoded, end) {
            (Some(one), Some(end)) => {
                out.push(one);
                rest = from.get(end.saturating_add(1)..).unwrap_or("");
            }
            _ => {
                out.push('&');
                rest = from.get(1..).unwrap_or("");
            }
        }
    }
    out.push_str(rest);
    out
}

fn number(name: &str) -> Option<char> {
    let digits = name.strip_prefix('#')?;
    let value = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    char::from_u32(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_read_leniently() {
        let text = "<?xml?><!-- a > b --><w:p a='>' b=\"x&amp;y\">1 &lt; &#50;&bad;<br/></w:p><![CDATA[<raw>]]>";
        let tokens: Vec<_> = Markup::new(text).collect();
        let expected = [
            Token::Open("p", "a='>' b=\"x&amp;y\""),
            Token::Text("1 < 2&bad;".into()),
            Token::Open("br", ""),
            Token::Close("br"),
            Token::Close("p"),
            Token::Text("<raw>".into()),
        ];
        assert_eq!(tokens, expected);
        assert_eq!(attribute("a='>' w:b=\"x&amp;y\"", "b").unwrap(), "x&y");
        assert_eq!(Markup::new("<a b=\"").count(), 1);
    }
}
