//! Azure: shared access signatures and account keys.

use crate::host::Address;
use crate::query::{Parameter, decode, get, parse};
use crate::signing::verify;
use crate::time;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lidless_core::{Access, Auth, AzureService, Mechanism, Provider, Secret, stable_id};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// The account of every Azure emulator.
pub(crate) const EMULATOR_ACCOUNT: &str = "devstoreaccount1";
/// The account key of every Azure emulator, published in its documentation.
pub(crate) const EMULATOR_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// Parameters that are part of what a token is; everything else belongs to a request.
const SIGNED: [&str; 35] = [
    "sv",
    "ss",
    "srt",
    "sp",
    "st",
    "se",
    "sip",
    "spr",
    "sr",
    "sdd",
    "si",
    "ses",
    "snapshot",
    "versionid",
    "rscc",
    "rscd",
    "rsce",
    "rscl",
    "rsct",
    "tn",
    "spk",
    "srk",
    "epk",
    "erk",
    "skoid",
    "sktid",
    "skt",
    "ske",
    "sks",
    "skv",
    "saoid",
    "suoid",
    "scid",
    "sduoid",
    "skdutid",
];

/// What a SAS is signed over and so what it can open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SasKind {
    /// The whole account, for the services and resource types it names.
    Account,
    /// A blob, container, directory, snapshot or version.
    Blob,
    /// A file or a share.
    File,
    /// A queue.
    Queue,
    /// A table.
    Table,
    /// Signed with a key that an identity fetched.
    UserDelegation,
}

/// A shared access signature, with the address it stood in when there was one.
#[derive(Clone, PartialEq, Eq)]
pub struct AzureSas {
    pub(crate) address: Option<Address>,
    /// The account, from the address or from what stood nearby.
    pub(crate) account: Option<String>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) raw_query: Secret,
}

impl AzureSas {
    /// Reads a query string; none when it is no SAS: a signature of 32 bytes in base64 and what
    /// says what it is for.
    pub(crate) fn parse(address: Option<Address>, query: &str) -> Option<Self> {
        let query = query.trim_start_matches('?');
        let parameters = parse(query);
        let signature = get(&parameters, "sig")?.replace(' ', "+");
        // Base64 whose padding was lost still names the same 32 bytes.
        let padded = if signature.len() == 43 { format!("{signature}=") } else { signature };
        if STANDARD.decode(&padded).ok()?.len() != 32 || get(&parameters, "skn").is_some() {
            return None;
        }
        // Other services write the address of a resource there.
        if get(&parameters, "sr").is_some_and(|value| value.len() > 2) {
            return None;
        }
        let has = |key: &str| get(&parameters, key).is_some_and(|value| !value.is_empty());
        if has("sv") && !get(&parameters, "sv").is_some_and(is_version) {
            return None;
        }
        let kind = (has("ss") && has("srt")) || has("sr") || has("skoid") || has("tn") || has("si");
        let old = has("se") && has("sp");
        if !(kind || (has("sv") && old)) {
            return None;
        }
        let account = address.as_ref().and_then(|address| address.account.clone());
        let raw_query = Secret::new(encoded(query, &padded));
        Some(Self { address, account, parameters, raw_query })
    }

    /// Whether every value is one that the service could have been given: a version, letters,
    /// times. A token put together from lines that do not belong together fails here.
    pub(crate) fn is_plausible(&self) -> bool {
        let all = |key: &str, test: fn(&str) -> bool| self.get(key).is_none_or(test);
        let letters = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphabetic());
        let mut times = ["se", "st", "ske", "skt"].into_iter();
        // Only the oldest service SAS have no version.
        let dated = self.get("sv").is_some()
            || (self.get("sr").is_some() && self.get("ss").is_none() && self.get("spr").is_none());
        dated
            && times.all(|key| self.get(key).is_none_or(|text| time::azure(text).is_some()))
            && self.get("sp").is_none_or(letters)
            && all("ss", |text| text.bytes().all(|byte| b"bfqt".contains(&byte)))
            && all("srt", |text| text.bytes().all(|byte| b"sco".contains(&byte)))
            && all("sr", |text| matches!(text, "b" | "c" | "d" | "bs" | "bv" | "f" | "s"))
            && all("sv", is_version)
            && all("skv", is_version)
            && all("spr", |text| {
                text.split(',').all(|one| one.eq_ignore_ascii_case("https") || one == "http")
            })
            && all("sip", |text| {
                text.bytes().all(|byte| byte.is_ascii_hexdigit() || b".:-".contains(&byte))
            })
    }

    /// The decoded value of a parameter, the first one when it stands twice.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        get(&self.parameters, key).filter(|value| !value.is_empty())
    }

    /// The signature, decoded to the base64 text that was signed with.
    #[must_use]
    pub fn signature(&self) -> String {
        let signature = self.get("sig").unwrap_or("").replace(' ', "+");
        if signature.len() == 43 { format!("{signature}=") } else { signature }
    }

    /// What it is signed over.
    #[must_use]
    pub fn kind(&self) -> SasKind {
        let service = self.address.as_ref().and_then(|address| address.service.as_deref());
        if self.get("ss").is_some() && self.get("srt").is_some() {
            SasKind::Account
        } else if self.get("skoid").is_some() {
            SasKind::UserDelegation
        } else if self.get("tn").is_some() || service == Some("table") {
            SasKind::Table
        } else {
            match (self.get("sr"), service) {
                (Some("f" | "s"), _) | (_, Some("file")) => SasKind::File,
                // Of all kinds only a queue's token names neither a resource nor a table.
                (None, Some("queue") | None) if self.get("si").is_none() => SasKind::Queue,
                (None, Some("queue")) => SasKind::Queue,
                _ => SasKind::Blob,
            }
        }
    }

    /// The account, when it is known.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// The service of a user delegation SAS: its host says it, or the parameters that only one
    /// service has.
    pub(crate) fn delegated_service(&self) -> &'static str {
        let service = self.address.as_ref().and_then(|address| address.service.as_deref());
        match (service, self.get("sr")) {
            (Some("table"), _) => "table",
            (Some("file"), _) | (_, Some("f" | "s")) => "file",
            _ if self.get("tn").is_some() => "table",
            (Some("queue"), _) | (None, None) => "queue",
            _ => "blob",
        }
    }

    /// Whether this key signed it, for the place it stood in.
    pub(crate) fn is_signed_by(&self, account: &str, key_base64: &str) -> bool {
        let path = self.address.as_ref().map_or("", |address| address.path.as_str());
        verify(self, account, path, key_base64)
    }

    pub(crate) fn mechanism(&self) -> Mechanism {
        match self.kind() {
            SasKind::Account => Mechanism::AzureAccountSas,
            SasKind::UserDelegation => Mechanism::AzureUserDelegationSas,
            _ => Mechanism::AzureServiceSas,
        }
    }

    pub(crate) fn id(&self) -> String {
        let mut parts = vec!["azure_sas".to_owned()];
        let mut signed: Vec<String> = SIGNED
            .iter()
            .filter_map(|key| self.get(key).map(|value| format!("{key}={value}")))
            .collect();
        signed.sort();
        parts.extend(signed);
        parts.push(self.signature());
        stable_id(&parts.iter().map(String::as_str).collect::<Vec<_>>())
    }

    pub(crate) fn redacted_url(&self) -> String {
        let query: Vec<String> = self
            .raw_query
            .expose()
            .split('&')
            .map(|part| match part.split_once('=') {
                Some((key, value)) if is_secret(&decode(key)) => {
                    format!("{key}=[{} characters]", decode(value).chars().count())
                }
                _ => part.to_owned(),
            })
            .collect();
        let query = query.join("&");
        match &self.address {
            Some(address) => format!("{}?{query}", shown(address)),
            None => format!("?{query}"),
        }
    }

    pub(crate) fn access(&self) -> Option<Access> {
        let account = self.account.clone()?;
        if self.get("sduoid").is_some() {
            return None;
        }
        let own = self.address.as_ref().and_then(|address| address.service.as_deref());
        let label = match self.kind() {
            // The first it opens, blobs before all; the others are asked beside it.
            SasKind::Account => {
                let opened = self.get("ss")?;
                let mut services = AzureService::ALL.into_iter();
                services.find(|one| opened.contains(one.letter()))?.label()
            }
            SasKind::Blob => "blob",
            SasKind::UserDelegation => self.delegated_service(),
            SasKind::File => "file",
            SasKind::Queue => "queue",
            SasKind::Table => "table",
        };
        let (origin, path_style, (container, key)) = match &self.address {
            Some(address) => {
                // What names a place in one service names none in another.
                let same = own.is_none_or(|own| own == label || (own == "dfs" && label == "blob"));
                let parts = if same { address.parts() } else { (None, None) };
                (address.service_origin(label), address.path_style, parts)
            }
            None => (format!("https://{account}.{label}.core.windows.net"), false, (None, None)),
        };
        let container = match (label, self.get("tn")) {
            ("table", Some(name)) => Some(name.to_owned()),
            // `people()` and `people(PartitionKey=...)` are ways to ask the table `people`.
            ("table", None) => container.and_then(|it| it.split('(').next().map(str::to_owned)),
            _ => container,
        };
        // A service SAS without its container opens nothing that could be asked for.
        if container.is_none() && self.kind() != SasKind::Account {
            return None;
        }
        Some(Access {
            provider: Provider::Azure,
            origin,
            path_style,
            account,
            container,
            key: if matches!(self.get("sr"), Some("c" | "s")) { None } else { key },
            auth: Auth::Query(self.raw_query.clone()),
        })
    }
}

/// A URL without query and userinfo, as reports show it.
pub(crate) fn shown(address: &Address) -> String {
    let account = match (&address.account, address.path_style) {
        (Some(account), true) => format!("/{account}"),
        _ => String::new(),
    };
    let path = if address.path.is_empty() { String::new() } else { format!("/{}", address.path) };
    format!("{}://{}{account}{path}", address.scheme, address.authority)
}

/// Whether the value of a parameter is kept out of reports: the signature, and what requests
/// of other services may carry beside it.
fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key == "sig"
        || !SIGNED.contains(&key.as_str())
            && ["key", "token", "secret", "pass", "code", "auth", "signature"]
                .iter()
                .any(|word| key.contains(word))
}

/// The query with its signature encoded as a query has to have it: a bare `+` would be read as a
/// space, and padding may have been lost. Everything else stays as found.
fn encoded(query: &str, signature: &str) -> String {
    let parts: Vec<String> = query
        .split('&')
        .map(|part| match part.split_once('=') {
            Some((key, value)) if key.eq_ignore_ascii_case("sig") => {
                if decode(value) == signature && !value.contains('+') {
                    part.to_owned()
                } else {
                    format!("{key}={}", utf8_percent_encode(signature, NON_ALPHANUMERIC))
                }
            }
            _ => part.to_owned(),
        })
        .collect();
    parts.join("&")
}

fn is_version(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

impl std::fmt::Debug for AzureSas {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("AzureSas").field(&self.redacted_url()).finish()
    }
}

/// An account key: everything the account can do, and every SAS it could ever sign.
#[derive(Clone, PartialEq, Eq)]
pub struct AzureKey {
    pub(crate) account: Option<String>,
    pub(crate) key: Secret,
    /// `BlobEndpoint` of a connection string.
    pub(crate) endpoint: Option<Address>,
    pub(crate) suffix: Option<String>,
    pub(crate) scheme: Option<String>,
}

impl AzureKey {
    /// Makes one when the key is 64 bytes in base64.
    pub(crate) fn new(account: Option<String>, key: &str) -> Option<Self> {
        let bytes = STANDARD.decode(key).ok()?;
        (bytes.len() == 64).then(|| Self {
            account,
            key: Secret::new(key),
            endpoint: None,
            suffix: None,
            scheme: None,
        })
    }

    /// The account, when it is known.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    pub(crate) fn secret(&self) -> Secret {
        self.key.clone()
    }

    pub(crate) fn is_emulator(&self) -> bool {
        self.key.expose() == EMULATOR_KEY
    }

    pub(crate) fn id(&self) -> String {
        stable_id(&["azure_key", self.key.expose()])
    }

    pub(crate) fn redacted_url(&self) -> String {
        let account = self.account.as_deref().unwrap_or("[unknown]");
        format!("AccountName={account};AccountKey=[{} characters]", self.key.length())
    }

    pub(crate) fn access(&self) -> Option<Access> {
        let account = self.account.clone()?;
        let (origin, path_style) = match &self.endpoint {
            Some(endpoint) => (endpoint.blob_origin(), endpoint.path_style),
            None => {
                let scheme = self.scheme.as_deref().unwrap_or("https");
                let suffix = self.suffix.as_deref().unwrap_or("core.windows.net");
                (format!("{scheme}://{account}.blob.{suffix}"), false)
            }
        };
        Some(Access {
            provider: Provider::Azure,
            origin,
            path_style,
            account: account.clone(),
            container: None,
            key: None,
            auth: Auth::Key { id: account, key: self.key.clone(), session: None },
        })
    }
}

impl std::fmt::Debug for AzureKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("AzureKey").field(&self.redacted_url()).finish()
    }
}
