//! Writing the service's XML.

use jiff::Timestamp;

/// The start of every body: the service sends a byte order mark before the declaration.
pub(crate) const HEAD: &str = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>";

/// Writes `text` so that it stands for itself between tags and in attributes.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            other => out.push(other),
        }
    }
    out
}

/// A `Name` element. Names with characters that XML cannot hold are percent-encoded and marked, as
/// the service does (List Blobs, "Remarks").
pub(crate) fn name(text: &str) -> String {
    let foreign = |c: char| (c < ' ' && c != '\t') || matches!(c, '\u{fffe}' | '\u{ffff}');
    if text.contains(foreign) {
        let encoded =
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
        format!("<Name Encoded=\"true\">{encoded}</Name>")
    } else {
        format!("<Name>{}</Name>", escaped(text))
    }
}

/// A time as HTTP and the service's XML write it: RFC 9110 section 5.6.7.
pub(crate) fn http_date(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
