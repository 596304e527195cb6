//! Tokens for tests, signed by the documented formula and not by the code under test.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::time::{SystemTime, UNIX_EPOCH};

/// A random account key in base64, 64 bytes.
#[must_use]
pub fn random_key() -> String {
    // Not for security: two runs and two calls have to differ, no more.
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |time| time.as_nanos());
    let mut state = seed ^ u128::from(std::process::id());
    let bytes: Vec<u8> = (0..64)
        .map(|_| {
            state =
                state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
            state.to_le_bytes()[7]
        })
        .collect();
    STANDARD.encode(bytes)
}

/// An account SAS as a query string.
///
/// # Panics
/// When the key is no base64.
#[must_use]
pub fn account_sas(
    account: &str,
    key: &str,
    permissions: &str,
    start: &str,
    expiry: &str,
) -> String {
    let (version, services, types, protocol) = ("2021-08-06", "b", "sco", "https,http");
    let text = format!(
        "{account}\n{permissions}\n{services}\n{types}\n{start}\n{expiry}\n\n{protocol}\n{version}\n\n"
    );
    let key = STANDARD.decode(key).expect("base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("every length");
    mac.update(text.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let encoded: String = signature
        .chars()
        .map(|c| match c {
            '+' => "%2B".to_owned(),
            '/' => "%2F".to_owned(),
            '=' => "%3D".to_owned(),
            c => c.to_string(),
        })
        .collect();
    let colons = |time: &str| time.replace(':', "%3A");
    let start = if start.is_empty() { String::new() } else { format!("st={}&", colons(start)) };
    format!(
        "sv={version}&ss={services}&srt={types}&sp={permissions}&{start}se={}&spr={}&sig={encoded}",
        colons(expiry),
        protocol.replace(',', "%2C")
    )
}
