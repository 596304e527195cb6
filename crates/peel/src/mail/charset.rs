//! Text in the character sets that mails name.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use lidless_core::Text;

/// Decodes text of a named character set; without a name that is known, as UTF-8 or whatever
/// the bytes look like, and as Latin-1 when they look like nothing.
pub(crate) fn decode(bytes: &[u8], label: Option<&str>) -> String {
    match label.and_then(|label| Encoding::for_label(label.trim().as_bytes())) {
        // Many say us-ascii or utf-8 and send something else.
        Some(encoding) if encoding != UTF_8 && encoding != WINDOWS_1252 => {
            encoding.decode(bytes).0.into_owned()
        }
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => Text::decode(bytes).map_or_else(
                || WINDOWS_1252.decode(bytes).0.into_owned(),
                |text| text.as_str().to_owned(),
            ),
        },
    }
}
