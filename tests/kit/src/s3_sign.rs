//! Signing for S3 as its users do, uploads included: only tests do that.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

const REGION: &str = "us-east-1";

pub(crate) struct Signer<'a> {
    pub(crate) id: &'a str,
    pub(crate) secret: &'a str,
    pub(crate) authority: String,
}

/// The time as signatures write it.
pub(crate) fn now() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days since 1970 to a date: Howard Hinnant's civil_from_days.
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    format!("{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

pub(crate) fn encoded_path(path: &str) -> String {
    path.split('/').map(encoded).collect::<Vec<_>>().join("/")
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

impl Signer<'_> {
    fn signature(&self, time: &str, canonical: &str) -> String {
        let day = &time[..8];
        let text = format!(
            "AWS4-HMAC-SHA256\n{time}\n{day}/{REGION}/s3/aws4_request\n{}",
            hex(&Sha256::digest(canonical.as_bytes()))
        );
        let mut key = mac(format!("AWS4{}", self.secret).as_bytes(), day);
        for part in [REGION, "s3", "aws4_request"] {
            key = mac(&key, part);
        }
        hex(&mac(&key, &text))
    }

    pub(crate) fn headers(
        &self,
        method: &str,
        path: &str,
        query: &str,
        extra: &[(&str, &str)],
        body: &[u8],
    ) -> Vec<(String, String)> {
        let time = now();
        let digest = hex(&Sha256::digest(body));
        let mut headers = vec![
            ("host".to_owned(), self.authority.clone()),
            ("x-amz-content-sha256".to_owned(), digest.clone()),
            ("x-amz-date".to_owned(), time.clone()),
        ];
        headers.extend(extra.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        headers.sort();
        let lines: String =
            headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let names = headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
        let canonical =
            format!("{method}\n/{}\n{query}\n{lines}\n{names}\n{digest}", encoded_path(path));
        let signature = self.signature(&time, &canonical);
        let credential = format!("{}/{}/{REGION}/s3/aws4_request", self.id, &time[..8]);
        headers.push((
            "authorization".into(),
            format!(
                "AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, \
                 Signature={signature}"
            ),
        ));
        headers
    }
}

pub(crate) fn presigned_v4(
    signer: &Signer<'_>,
    method: &str,
    path: &str,
    time: &str,
    seconds: u32,
) -> String {
    let credential = format!("{}/{}/{REGION}/s3/aws4_request", signer.id, &time[..8]);
    let query = format!(
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}&X-Amz-Date={time}\
         &X-Amz-Expires={seconds}&X-Amz-SignedHeaders=host",
        encoded(&credential)
    );
    let canonical = format!(
        "{method}\n/{}\n{query}\nhost:{}\n\nhost\nUNSIGNED-PAYLOAD",
        encoded_path(path),
        signer.authority
    );
    let signature = signer.signature(time, &canonical);
    format!(
        "http://{}/{}?{query}&X-Amz-Signature={signature}",
        signer.authority,
        encoded_path(path)
    )
}

pub(crate) fn presigned_v2(signer: &Signer<'_>, method: &str, path: &str, expires: u64) -> String {
    let path = encoded_path(path);
    let mut mac = Hmac::<Sha1>::new_from_slice(signer.secret.as_bytes()).expect("a key");
    mac.update(format!("{method}\n\n\n{expires}\n/{path}").as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    format!(
        "http://{}/{path}?AWSAccessKeyId={}&Expires={expires}&Signature={}",
        signer.authority,
        signer.id,
        encoded(&signature)
    )
}
