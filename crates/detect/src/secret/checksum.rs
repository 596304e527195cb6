//! What the form of a secret proves beyond its characters.
//!
//! A check here may refuse a match, so each follows a published description and has a test with a
//! published or independently made value.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

/// A named check of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Checksum {
    /// GitHub's tokens of 2021 and npm's: six characters of base 62 that are the CRC-32 of the
    /// thirty before them.
    Github,
    /// The first part is base64url of a JSON object with `alg`.
    Jwt,
    /// The characters after the prefix are base 32 and say the account; refuses nothing.
    AwsKeyId,
    /// Base64 of exactly 64 bytes, its unused bits zero.
    AzureKey,
    /// Base58 with a checksum of two SHA-256: keys of Bitcoin.
    Base58,
    /// Base64 of `name:value`, both readable.
    Basic,
}

impl Checksum {
    /// Whether the secret stands the check.
    #[must_use]
    pub fn holds(self, secret: &str) -> bool {
        match self {
            Self::Github => github(secret),
            Self::Jwt => jwt(secret),
            // Keys of before 2019 hold no account and are keys all the same.
            Self::AwsKeyId => true,
            Self::AzureKey => STANDARD.decode(secret).is_ok_and(|bytes| bytes.len() == 64),
            Self::Base58 => base58(secret).is_some_and(|bytes| base58_holds(&bytes)),
            Self::Basic => basic(secret),
        }
    }

    /// What is checked, in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Github => "the last six characters are the CRC-32 of those before them",
            Self::Jwt => "its header is JSON that names an algorithm",
            Self::AwsKeyId => {
                "it decodes to the number of its account, when it was made since 2019"
            }
            Self::AzureKey => "it is base64 of exactly 64 bytes",
            Self::Base58 => "its Base58 checksum is right",
            Self::Basic => "it decodes to a name and a password",
        }
    }
}

/// The account that an AWS access key id belongs to: the 40 bits after the first one of what
/// follows the prefix. The first bit is set in the keys that say it.
pub(crate) fn aws_account(id: &str) -> Option<String> {
    let body = id.get(4..).filter(|body| body.len() == 16)?;
    let mut bits: u128 = 0;
    for byte in body.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte.checked_sub(b'A')?,
            b'2'..=b'7' => byte.checked_sub(b'2')?.checked_add(26)?,
            _ => return None,
        };
        bits = bits.checked_shl(5)? | u128::from(value);
    }
    if bits >> 79 == 0 {
        return None;
    }
    let account = (bits >> 39) & 0xFF_FFFF_FFFF;
    (account <= 999_999_999_999).then(|| format!("{account:012}"))
}

fn github(token: &str) -> bool {
    let body = token.rsplit('_').next().unwrap_or("");
    let (Some(random), Some(check)) = (body.get(..30), body.get(30..)) else { return false };
    let mut crc = flate2::Crc::new();
    crc.update(random.as_bytes());
    let mut left = crc.sum();
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        let at = usize::try_from(left % 62).unwrap_or(0);
        *digit = BASE62.get(at).copied().unwrap_or(b'0');
        left /= 62;
    }
    check.as_bytes() == digits
}

fn jwt(token: &str) -> bool {
    let head = token.split('.').next().unwrap_or("");
    let Ok(bytes) = URL_SAFE_NO_PAD.decode(head.trim_end_matches('=')) else { return false };
    serde_json::from_slice::<serde_json::Value>(&bytes)
        .is_ok_and(|value| value.get("alg").is_some_and(serde_json::Value::is_string))
}

fn basic(value: &str) -> bool {
    let padded = value.trim_end_matches('=');
    let Ok(bytes) = base64::engine::general_purpose::STANDARD_NO_PAD.decode(padded) else {
        return false;
    };
    std::str::from_utf8(&bytes).is_ok_and(|text| {
        text.split_once(':').is_some_and(|(_, password)| !password.is_empty())
            && !text.chars().any(char::is_control)
    })
}

/// Base58 of Bitcoin, at most 64 characters.
fn base58(text: &str) -> Option<Vec<u8>> {
    let mut bytes: Vec<u8> = Vec::new();
    for character in text.bytes().take(65) {
        let at = BASE58.iter().position(|one| *one == character)?;
        let mut carry = u32::try_from(at).ok()?;
        for byte in &mut bytes {
            carry = carry.checked_add(u32::from(*byte).checked_mul(58)?)?;
            *byte = u8::try_from(carry & 0xFF).ok()?;
            carry >>= 8;
        }
        while carry > 0 {
            bytes.push(u8::try_from(carry & 0xFF).ok()?);
            carry >>= 8;
        }
    }
    bytes.reverse();
    Some(bytes)
}

fn base58_holds(bytes: &[u8]) -> bool {
    use sha2::{Digest as _, Sha256};
    let Some((body, check)) = bytes.len().checked_sub(4).and_then(|at| bytes.split_at_checked(at))
    else {
        return false;
    };
    Sha256::digest(Sha256::digest(body)).starts_with(check)
}

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

#[cfg(test)]
mod tests {
    use super::*;

    /// The value that GitHub's announcement of the format led others to publish.
    #[test]
    fn a_published_token_stands_and_a_changed_one_falls() {
        let token = ["gh", "p_", "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ", "0mLq17"].concat();
        assert!(Checksum::Github.holds(&token));
        assert!(!Checksum::Github.holds(&token.replace("zQ", "zR")));
        assert!(!Checksum::Github.holds(""));
    }

    /// From the publications of 2023 on what an access key id says.
    #[test]
    fn an_access_key_id_names_its_account() {
        let id = ["AS", "IA", "QNZGKIQY56JQ7WML"].concat();
        assert_eq!(aws_account(&id).as_deref(), Some("029608264753"));
        assert_eq!(aws_account("AKIA1"), None);
        assert_eq!(aws_account("AKIA0000000000000000"), None);
    }

    #[test]
    fn a_token_needs_a_header_with_an_algorithm() {
        assert!(Checksum::Jwt.holds(&["eyJ", "hbGciOiJIUzI1NiJ9", ".e30.x"].concat()));
        assert!(!Checksum::Jwt.holds("eyJhIjoxfQ.e30.x"));
    }

    #[test]
    fn a_storage_key_is_sixty_four_bytes() {
        assert!(Checksum::AzureKey.holds(&STANDARD.encode([7_u8; 64])));
        assert!(!Checksum::AzureKey.holds(&STANDARD.encode([7_u8; 63])));
    }

    #[test]
    fn a_name_and_a_password_can_be_read() {
        assert!(Checksum::Basic.holds("YWRtaW46dHIwdWI0ZG9yLWhvcnNl"));
        assert!(!Checksum::Basic.holds("////////////////"));
    }

    /// The key of the Bitcoin wiki's page on the wallet import format.
    #[test]
    fn a_wallet_key_has_its_checksum() {
        let key = ["5HueCGU8rMjxEXxiPuD5BDku4MkFq", "eZyd4dZ1jvhTVqvbTLvyTJ"].concat();
        assert!(Checksum::Base58.holds(&key));
        assert!(!Checksum::Base58.holds(&key.replace("5Hu", "5Hv")));
    }
}
