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

/// The character set of a Windows code page.
pub(crate) fn code_page(page: u32) -> Option<&'static str> {
    Some(match page {
        874 => "windows-874",
        932 => "shift_jis",
        936 => "gbk",
        949 => "euc-kr",
        950 => "big5",
        1200 => "utf-16le",
        1201 => "utf-16be",
        1250 => "windows-1250",
        1251 => "windows-1251",
        1252 => "windows-1252",
        1253 => "windows-1253",
        1254 => "windows-1254",
        1255 => "windows-1255",
        1256 => "windows-1256",
        1257 => "windows-1257",
        1258 => "windows-1258",
        20866 => "koi8-r",
        21866 => "koi8-u",
        28592 => "iso-8859-2",
        28595 => "iso-8859-5",
        28597 => "iso-8859-7",
        28605 => "iso-8859-15",
        50220..=50222 => "iso-2022-jp",
        51932 => "euc-jp",
        65001 => "utf-8",
        _ => return None,
    })
}
