//! Private keys as JSON (RFC 7517, RFC 7518, RFC 8037).

use super::found::{Key, Lock};
use super::public::{Curve, Public};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use std::ops::Range;

/// How far the braces of a key are looked for: RSA of 16384 bits takes some 12 KB.
const REACH: usize = 16 << 10;

/// The key whose `d` stands at a place of a text; none when the object around it is none.
pub(super) fn read(text: &str, place: Range<usize>) -> Option<Key> {
    let from =
        (place.start.saturating_sub(REACH)..=place.start).find(|at| text.is_char_boundary(*at))?;
    let open = text.get(from..place.start)?.rfind('{')?.checked_add(from)?;
    let end = (place.end..=place.end.saturating_add(REACH).min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))?;
    let object = text.get(open..end)?;
    let mut stream = serde_json::Deserializer::from_str(object).into_iter::<Map<String, Value>>();
    let object = stream.next()?.ok()?;
    let word = |name: &str| object.get(name).and_then(Value::as_str);
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(word(name)?.trim_end_matches('=')).ok();
    let own = bytes("d")?;
    let public = match word("kty")? {
        "RSA" => Public::rsa(&bytes("n")?, &bytes("e")?),
        "EC" => {
            let name = if word("crv")? == "secp256k1" { "secp256k1" } else { word("crv")? };
            let (x, y) = (bytes("x")?, bytes("y")?);
            Curve::of_name(name).and_then(|curve| Public::ec(curve, &[&[4][..], &x, &y].concat()))
        }
        "OKP" => match word("crv")? {
            "Ed25519" => Public::of_ed25519(&own),
            "X25519" => Public::of_x25519(&own),
            name => bytes("x").map(|bytes| Public::Other { name: name.into(), bytes }),
        },
        _ => return None,
    };
    let key = Key::new("JWK", Lock::Open, &own).with_public(public);
    Some(match word("kid") {
        Some(kid) => key.named(kid),
        None => key,
    })
}
