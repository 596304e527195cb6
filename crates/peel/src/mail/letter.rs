//! A message of Outlook, in whatever it is kept: its lines for detectors to search.

use super::charset;
use crate::document::rtf_text;
use lidless_records::decompress_rtf;

/// A message as text: fields like those of a mail, then its bodies.
#[derive(Default)]
pub(super) struct Letter {
    text: String,
}

impl Letter {
    /// Adds a field, if there is something to say.
    pub(super) fn field(&mut self, name: &str, value: Option<&str>) {
        let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) else { return };
        self.text.push_str(name);
        self.text.push_str(": ");
        // A line is a field, whatever is in it.
        self.text
            .extend(value.chars().map(|one| if one == '\n' || one == '\r' { ' ' } else { one }));
        self.text.push('\n');
    }

    /// Adds a name with its address.
    pub(super) fn person(&mut self, field: &str, name: &str, address: &str) {
        let both = match (name.trim(), address.trim()) {
            (name, "") => name.to_owned(),
            ("", address) => address.to_owned(),
            (name, address) => format!("{name} <{address}>"),
        };
        self.field(field, Some(&both));
    }

    /// Adds text as it is.
    pub(super) fn body(&mut self, text: &str) {
        self.text.push('\n');
        self.text.push_str(text.trim_end_matches('\0'));
        self.text.push('\n');
    }

    /// Adds HTML in the character set that the message names.
    pub(super) fn html(&mut self, bytes: &[u8], page: Option<u32>) {
        let text = charset::decode(bytes, page.and_then(charset::code_page));
        self.body(&text);
    }

    /// Adds compressed rich text.
    pub(super) fn rich(&mut self, bytes: &[u8], most: usize) {
        if let Some(rich) = decompress_rtf(bytes, most) {
            let text = rtf_text(&rich);
            self.body(&text);
        }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}
