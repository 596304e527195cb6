//! Headers of mail (RFC 5322) with their encoded words (RFC 2047) and parameters (RFC 2045,
//! RFC 2231).

use super::charset;
use super::transfer::{base64, quoted_printable};
use std::collections::BTreeMap;

/// Headers longer than this are no headers.
const LONGEST: usize = 1 << 20;
/// More fields than any mail has.
const MOST: usize = 10_000;

/// The fields in front of a body.
#[derive(Debug, Default)]
pub(crate) struct Headers {
    /// Name as written, and value on one line.
    fields: Vec<(String, String)>,
}

/// Whether a line is `Name: value`; its name then.
fn field_name(line: &[u8]) -> Option<&[u8]> {
    let colon = memchr::memchr(b':', line.get(..100).unwrap_or(line))?;
    let name = line.get(..colon)?;
    let name = name.trim_ascii_end();
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (!name.is_empty() && name.iter().all(fits)).then_some(name)
}

impl Headers {
    /// Takes the fields off a message; what follows is its body. Fields end at the first empty
    /// line, or at the first line that is none.
    pub(crate) fn split(message: &[u8]) -> (Self, &[u8]) {
        let mut headers = Self::default();
        let mut rest = message;
        let mut raw: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        while !rest.is_empty()
            && raw.len() < MOST
            && message.len().saturating_sub(rest.len()) < LONGEST
        {
            let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at.saturating_add(1));
            let (line, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            let bare = line.trim_ascii_end();
            if bare.is_empty() {
                rest = after;
                break;
            }
            if matches!(line.first(), Some(b' ' | b'\t')) {
                let Some((_, value)) = raw.last_mut() else { break };
                value.push(b' ');
                value.extend_from_slice(bare.trim_ascii_start());
            } else if let Some(name) = field_name(line) {
                let value = line.get(name.len()..).unwrap_or(&[]).trim_ascii();
                let value = value.strip_prefix(b":").unwrap_or(value).trim_ascii();
                raw.push((name.to_vec(), value.to_vec()));
            } else {
                break;
            }
            rest = after;
        }
        for (name, value) in raw {
            let name = String::from_utf8_lossy(&name).into_owned();
            headers.fields.push((name, charset::decode(&value, None)));
        }
        (headers, rest)
    }

    /// Whether the bytes begin like a mail: fields only up to the first empty line or the end of
    /// what is there, and among them some that only mail has.
    pub(crate) fn begin(head: &[u8]) -> bool {
        const MAIL: [&str; 8] = [
            "received",
            "from",
            "message-id",
            "return-path",
            "delivered-to",
            "x-mozilla-status",
            "x-account-key",
            "dkim-signature",
        ];
        const USUAL: [&str; 9] = [
            "to",
            "subject",
            "date",
            "mime-version",
            "content-type",
            "cc",
            "reply-to",
            "sender",
            "in-reply-to",
        ];
        let (mut mail, mut usual) = (0usize, 0usize);
        for (index, line) in head.split_inclusive(|byte| *byte == b'\n').enumerate() {
            if line.trim_ascii().is_empty() {
                // Some mails begin after the empty line of what carried them.
                return index > 0 && mail > 0 && mail.saturating_add(usual) >= 2;
            }
            if matches!(line.first(), Some(b' ' | b'\t')) && index > 0 {
                continue;
            }
            let Some(name) = field_name(line) else {
                // The head may end inside a line.
                let last = !line.ends_with(b"\n");
                return last && mail > 0 && mail.saturating_add(usual) >= 2;
            };
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            if MAIL.contains(&&*name) {
                mail = mail.saturating_add(1);
            } else if USUAL.contains(&&*name) {
                usual = usual.saturating_add(1);
            }
        }
        mail > 0 && mail.saturating_add(usual) >= 2
    }

    /// The value of the first field of a name, as written on one line.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        field.map(|(_, value)| value.as_str())
    }

    /// All fields as lines, words decoded.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.fields {
            text.push_str(name);
            text.push_str(": ");
            text.push_str(&words(value));
            text.push('\n');
        }
        text
    }
}

/// Decodes the encoded words of a value: `=?charset?B?...?=`.
pub(crate) fn words(value: &str) -> String {
    let mut out = String::new();
    let mut rest = value;
    while let Some(start) = rest.find("=?") {
        let (before, from) = rest.split_at_checked(start).unwrap_or((rest, ""));
        let Some((text, after)) = word(from) else {
            out.push_str(before);
            out.push_str("=?");
            rest = from.get(2..).unwrap_or("");
            continue;
        };
        out.push_str(before);
        out.push_str(&text);
        // White space between two words belongs to neither.
        let next = after.trim_start();
        rest = if next.starts_with("=?") { next } else { after };
    }
    out.push_str(rest);
    out
}

fn word(from: &str) -> Option<(String, &str)> {
    let mut parts = from.strip_prefix("=?")?.splitn(3, '?');
    let (label, encoding, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let (text, after) = rest.split_once("?=")?;
    let bytes = match encoding {
        "B" | "b" => base64(text.as_bytes()),
        "Q" | "q" => quoted_printable(text.as_bytes(), true),
        _ => return None,
    };
    // A language may follow the character set.
    let label = label.split('*').next().unwrap_or(label);
    Some((charset::decode(&bytes, Some(label)), after))
}

/// A value with parameters: `text/plain; charset=utf-8`.
#[derive(Debug, Default)]
pub(crate) struct Value {
    /// What stands in front of the parameters, in lower case.
    pub(crate) main: String,
    parameters: BTreeMap<String, String>,
}

impl Value {
    pub(crate) fn parse(text: &str) -> Self {
        let mut parts = split_unquoted(text);
        let main = parts.next().unwrap_or("").trim().to_ascii_lowercase();
        let mut parameters = BTreeMap::new();
        for part in parts.take(200) {
            let Some((name, value)) = part.split_once('=') else { continue };
            let value = value.trim();
            let inner = value.strip_prefix('"').map(|rest| rest.strip_suffix('"').unwrap_or(rest));
            let value = inner.map_or_else(|| value.to_owned(), |text| text.replace("\\\"", "\""));
            parameters.entry(name.trim().to_ascii_lowercase()).or_insert(value);
        }
        Self { main, parameters }
    }

    /// A parameter, put together from its numbered parts and decoded where needed.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        if let Some(value) = self.parameters.get(name) {
            return Some(words(value));
        }
        if let Some(value) = self.parameters.get(&format!("{name}*")) {
            return Some(extended(value, None).0);
        }
        let (mut whole, mut label) = (String::new(), None);
        for number in 0..200u32 {
            if let Some(value) = self.parameters.get(&format!("{name}*{number}")) {
                whole.push_str(value);
            } else if let Some(value) = self.parameters.get(&format!("{name}*{number}*")) {
                let (text, said) = extended(value, label.take());
                whole.push_str(&text);
                label = said;
            } else {
                break;
            }
        }
        (!whole.is_empty()).then_some(whole)
    }
}

/// Splits at `;` outside of quotes.
fn split_unquoted(text: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(move |character| {
        let was_escaped = escaped;
        escaped = quoted && character == '\\' && !was_escaped;
        if character == '"' && !was_escaped {
            quoted = !quoted;
        }
        character == ';' && !quoted
    })
}

/// Decodes `charset'language'percent%20encoded`; later parts have the text only.
fn extended(value: &str, known: Option<String>) -> (String, Option<String>) {
    let mut label = known;
    let mut text = value;
    if label.is_none() {
        let mut parts = value.splitn(3, '\'');
        if let (Some(first), Some(_), Some(rest)) = (parts.next(), parts.next(), parts.next()) {
            label = Some(first.to_owned());
            text = rest;
        }
    }
    // Percent signs stand where quoted-printable has `=`, which is no character of the value.
    let bytes = quoted_printable(text.replace('%', "=").as_bytes(), false);
    (charset::decode(&bytes, label.as_deref()), label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_parameters_are_decoded() {
        assert_eq!(words("=?utf-8?B?w7xiZXI=?= =?iso-8859-1?q?_r=E4t?= end"), "über rät end");
        assert_eq!(words("a =?broken"), "a =?broken");
        let value = Value::parse("Attachment; filename*=UTF-8''%c3%bcber%20a.txt; size=3");
        assert_eq!((&*value.main, &*value.get("filename").unwrap()), ("attachment", "über a.txt"));
        let value = Value::parse("x/y; name*0*=utf-8'en'a%20; name*1=\"b;c\"; charset=\"x\"");
        assert_eq!(value.get("name").unwrap(), "a b;c");
        assert_eq!(value.get("charset").unwrap(), "x");
    }

    #[test]
    fn mail_is_told_from_other_headers() {
        assert!(Headers::begin(b"From: a@example.com\r\nTo: b@example.com\r\n\r\nhi"));
        assert!(Headers::begin(b"Received: from x\n\tby y\nDate: today\nSubject: cut of"));
        assert!(!Headers::begin(b"Date: today\nContent-Type: text/html\n\n<html>"));
        assert!(!Headers::begin(b"From: a\nthis is prose\nTo: b\n"));
        assert!(!Headers::begin(b"Metadata-Version: 2.1\nName: x\n\n"));
    }
}
