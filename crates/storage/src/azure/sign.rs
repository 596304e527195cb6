//! Shared Key: signing a GET or HEAD with an account key.
//!
//! Source: "Authorize with Shared Key" of the service's documentation. No verb that writes can be
//! signed here: the method is one of two words.

use crate::client::Verb;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use lidless_core::{Secret, Timestamp};
use percent_encoding::percent_decode_str;
use sha2::Sha256;

/// The `Authorization` header for a request; none when the key is no base64.
///
/// `headers` are the `x-ms-` ones and `Range`; `path` is the encoded path of the URL, `query` its
/// query string.
pub(crate) fn authorization(
    verb: Verb,
    account: &str,
    key: &Secret,
    headers: &[(&'static str, String)],
    path: &str,
    query: &str,
) -> Option<String> {
    let method = match verb {
        Verb::Get => "GET",
        Verb::Head => "HEAD",
    };
    let of = |name: &str| {
        headers.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value.as_str())
    };
    let mut canonical: Vec<String> = headers
        .iter()
        .filter(|(name, _)| name.starts_with("x-ms-"))
        .map(|(name, value)| format!("{name}:{value}"))
        .collect();
    canonical.sort();
    let mut resource = format!("/{account}{path}");
    let mut parameters: Vec<(String, String)> = query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
            (decode(key).to_ascii_lowercase(), decode(value))
        })
        .collect();
    parameters.sort();
    for (key, value) in parameters {
        resource.push_str(&format!("\n{key}:{value}"));
    }
    // Encoding, language, length, MD5, type, date, four conditions, range.
    let text = format!(
        "{method}\n\n\n\n\n\n\n\n{}\n\n\n{}\n{}\n{resource}",
        of("if-match"),
        of("range"),
        canonical.join("\n")
    );
    Some(format!("SharedKey {account}:{}", signature(key, &text)?))
}

fn signature(key: &Secret, text: &str) -> Option<String> {
    let key = STANDARD.decode(key.expose()).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(text.as_bytes());
    Some(STANDARD.encode(mac.finalize().into_bytes()))
}

/// The `Authorization` header for a request to the table service, which signs less: the method,
/// the date and the path.
pub(crate) fn table_authorization(
    verb: Verb,
    account: &str,
    key: &Secret,
    headers: &[(&'static str, String)],
    path: &str,
    query: &str,
) -> Option<String> {
    let method = match verb {
        Verb::Get => "GET",
        Verb::Head => "HEAD",
    };
    let date = headers.iter().find(|(name, _)| *name == "x-ms-date").map_or("", |(_, it)| it);
    let comp = query.split('&').find(|part| part.starts_with("comp="));
    let comp = comp.map(|part| format!("?{part}")).unwrap_or_default();
    let text = format!("{method}\n\n\n{date}\n/{account}{path}{comp}");
    Some(format!("SharedKey {account}:{}", signature(key, &text)?))
}

/// A time as HTTP writes it.
pub(crate) fn http_date(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
