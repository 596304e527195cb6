//! The least that does the job: what to give a link's rightful readers in place of what leaked.
//!
//! Nothing is sent. Where a key is given the replacement is signed with it; where only the
//! service can sign, the command for it is told.

use crate::azure::{AzureSas, SasKind};
use crate::credential::Credential;
use crate::host::Address;
use crate::keyring::KeyRing;
use crate::mint::ServiceSasParameters;
use crate::presigned_signing::{PATH, ToSign};
use lidless_core::{Grant, Mechanism, Provider, Secret, Timestamp};
use percent_encoding::utf8_percent_encode;
use serde::Serialize;

/// The service version that replacements are signed for: it binds the resource and the path, and
/// every service and emulator of these years knows it.
const VERSION: &str = "2022-11-02";
/// A placeholder of the right shape, so that an unsigned proposal can be read and compared.
const UNSIGNED: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D";
/// Letters in the order that the service wants them.
const LETTERS: &str = "racwdxyltmeopi";
/// The longest life of a user delegation key and of a presigned URL.
const WEEK: i64 = 7 * 86_400;

/// What the replacement is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The container, share or bucket, when the token does not say it.
    pub container: Option<String>,
    /// The one object, when readers need no more.
    pub object: Option<String>,
    /// Letters of what readers do; `r` is the least.
    pub permissions: String,
    /// How long, in seconds; a week at most.
    pub seconds: i64,
    /// Only from this address or range.
    pub ip: Option<String>,
    /// What is now.
    pub now: Timestamp,
}

/// One way to replace a credential, the best first.
#[derive(Debug, Clone, Serialize)]
pub struct Replacement {
    /// `user_delegation`, `stored_policy`, `service`, `presigned`.
    pub kind: &'static str,
    /// What it is, in a line.
    pub title: String,
    /// Why this one, and what ends it.
    pub why: String,
    /// What to run on one's own machine; words in capitals between angle brackets are for the
    /// reader to fill in.
    pub commands: Vec<String>,
    /// What changes against what leaked.
    pub differences: Vec<Difference>,
    /// Signed with the key that was given; never written by serialisation.
    #[serde(skip)]
    pub url: Option<Secret>,
}

/// One line of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What is compared.
    pub what: &'static str,
    /// As it leaked.
    pub before: String,
    /// As it is proposed.
    pub after: String,
}

/// Why nothing can be proposed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MintError {
    /// A link without a credential needs no replacement.
    #[error("it is a link without a credential: there is nothing to replace")]
    Nothing,
    /// No account, so no address.
    #[error("the token does not say which account it is for: give its whole URL")]
    NoAccount,
    /// A letter that no replacement carries.
    #[error("\"{0}\" is no permission of a replacement: use letters of {LETTERS}")]
    Permissions(String),
    /// Not within a week.
    #[error("a replacement lives for a minute at least and for seven days at most")]
    Lifetime,
    /// A name that no container or object has.
    #[error("\"{0}\" is not the name of a container")]
    Container(String),
    /// Presigned URLs open one object.
    #[error("a presigned URL opens one object: say which one with --object BUCKET-PATH")]
    NoObject,
    /// Something else than an address.
    #[error("\"{0}\" is no address and no range of addresses")]
    Ip(String),
}

/// Proposes what to give instead of `credential`, the best first, and signs what `keys` can sign.
///
/// # Errors
/// Why there is nothing to propose, or what of the wish cannot be met.
pub fn replacements(
    credential: &Credential,
    wish: &Wish,
    keys: &KeyRing,
) -> Result<Vec<Replacement>, MintError> {
    if !(60..=WEEK).contains(&wish.seconds) {
        return Err(MintError::Lifetime);
    }
    let mut letters: Vec<char> = wish.permissions.chars().collect();
    letters.sort_by_key(|letter| LETTERS.find(*letter));
    letters.dedup();
    if letters.is_empty() || letters.iter().any(|letter| !LETTERS.contains(*letter)) {
        return Err(MintError::Permissions(wish.permissions.clone()));
    }
    if let Some(ip) = &wish.ip {
        let parts: Vec<&str> = ip.split('-').collect();
        if parts.len() > 2 || parts.iter().any(|part| part.parse::<std::net::IpAddr>().is_err()) {
            return Err(MintError::Ip(ip.clone()));
        }
    }
    let wish = &Wish { permissions: letters.into_iter().collect(), ..wish.clone() };
    let before = credential.grant(wish.now, keys);
    match credential {
        Credential::Link(_) | Credential::Own(_) => Err(MintError::Nothing),
        Credential::AzureSas(sas) => {
            azure(sas.account(), sas.address.as_ref(), service(sas), wish, keys, &before)
        }
        Credential::AzureKey(key) => azure(key.account(), None, "blob", wish, keys, &before),
        Credential::Presigned(_) | Credential::KeyPair(_) => {
            presigned(credential, wish, keys, &before)
        }
    }
}

fn service(sas: &AzureSas) -> &'static str {
    match sas.kind() {
        SasKind::File => "file",
        SasKind::Queue => "queue",
        SasKind::Table => "table",
        SasKind::UserDelegation => sas.delegated_service(),
        SasKind::Account => match sas.get("ss") {
            Some("f") => "file",
            Some("q") => "queue",
            Some("t") => "table",
            _ => "blob",
        },
        SasKind::Blob => "blob",
    }
}

/// Where the replacement points.
struct Target {
    origin: String,
    account: String,
    service: &'static str,
    container: Option<String>,
    object: Option<String>,
}

impl Target {
    /// Container and object, decoded, as they are signed.
    fn path(&self) -> String {
        match (&self.container, &self.object) {
            (Some(container), Some(object)) => format!("{container}/{object}"),
            (Some(container), None) => container.clone(),
            _ => String::new(),
        }
    }

    fn url(&self, query: &str) -> String {
        format!("{}/{}?{query}", self.origin, utf8_percent_encode(&self.path(), PATH))
    }

    fn resource(&self) -> &'static str {
        match (self.service, &self.object) {
            ("file", Some(_)) => "f",
            ("file", None) => "s",
            (_, Some(_)) => "b",
            _ => "c",
        }
    }
}

fn azure(
    account: Option<&str>,
    address: Option<&Address>,
    service: &'static str,
    wish: &Wish,
    keys: &KeyRing,
    before: &Grant,
) -> Result<Vec<Replacement>, MintError> {
    let account = account.ok_or(MintError::NoAccount)?.to_owned();
    let (container, object) = address.map_or((None, None), Address::parts);
    let changed = wish.container.is_some() && wish.container != container;
    let container = wish.container.clone().or(container);
    if let Some(name) = &container
        && (name.is_empty() || name.len() > 63 || name.contains(['/', '?', '&', ' ']))
    {
        return Err(MintError::Container(name.clone()));
    }
    // The object of another container is not what was asked for.
    let object = wish.object.clone().or(object.filter(|_| !changed));
    let origin = match address {
        Some(address) if address.path_style => format!("{}/{account}", address.blob_origin()),
        Some(address) if service == "blob" => address.blob_origin(),
        Some(address) => format!("{}://{}", address.scheme, address.authority),
        None => format!("https://{account}.{service}.core.windows.net"),
    };
    let target = Target { origin, account, service, container, object };
    let end = end(wish);
    let mut found = vec![delegation(&target, wish, &end, before)];
    if matches!(service, "blob" | "file") {
        found.push(policy(&target, wish, &end, keys, before));
        found.push(plain(&target, wish, &end, keys, before));
    }
    Ok(found)
}

/// To the second, as the service takes it.
fn end(wish: &Wish) -> String {
    let end = wish.now.as_second().saturating_add(wish.seconds);
    let end = Timestamp::from_second(end).unwrap_or(wish.now);
    end.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn delegation(target: &Target, wish: &Wish, end: &str, before: &Grant) -> Replacement {
    let (group, name) = command(target);
    let ip = wish.ip.as_ref().map_or(String::new(), |ip| format!(" --ip {ip}"));
    let command = format!(
        "az storage {group} generate-sas --account-name {} {name} --permissions {} --expiry {} \
         --https-only{ip} --auth-mode login --as-user --output tsv",
        quote(&target.account),
        wish.permissions,
        az_time(end),
    );
    let zero = "00000000-0000-0000-0000-000000000000";
    let now = wish.now.strftime("%Y-%m-%dT%H:%M:%SZ");
    let mut query = format!(
        "sv={VERSION}&sr={}&sp={}&se={end}&spr=https&skoid={zero}&sktid={zero}&skt={now}&\
         ske={end}&sks=b&skv={VERSION}",
        target.resource(),
        wish.permissions,
    );
    if let Some(ip) = &wish.ip {
        query.push_str(&format!("&sip={ip}"));
    }
    Replacement {
        kind: "user_delegation",
        title: format!("user delegation SAS for {}", what(target)),
        why: "It hangs on an identity that can be named and blocked, not on the account key, and \
              ends by itself. Only the service can sign it: sign in with az login first."
            .into(),
        commands: vec![command],
        differences: compare(target, &query, wish, before, "the identity's key or role"),
        url: None,
    }
}

fn policy(target: &Target, wish: &Wish, end: &str, keys: &KeyRing, before: &Grant) -> Replacement {
    let name = format!("readers-{}", wish.now.strftime("%Y%m%d"));
    let (group, owner) = if target.service == "file" {
        ("share", "--share-name")
    } else {
        ("container", "--container-name")
    };
    let container = target.container.as_deref().map_or("<CONTAINER>".to_owned(), quote);
    let account = quote(&target.account);
    let create = format!(
        "az storage {group} policy create --account-name {account} {owner} {container} --name \
         {name} --permissions {} --expiry {} --auth-mode key",
        wish.permissions,
        az_time(end),
    );
    let remove = format!(
        "az storage {group} policy delete --account-name {account} {owner} {container} --name \
         {name} --auth-mode key"
    );
    let made = ServiceSasParameters {
        version: VERSION.into(),
        resource: target.resource().into(),
        identifier: name,
        protocols: protocols(target),
        ip: wish.ip.clone().unwrap_or_default(),
        ..ServiceSasParameters::default()
    };
    let compared = format!("{}&sp={}&se={end}", made.unsigned(), wish.permissions);
    Replacement {
        kind: "stored_policy",
        title: format!("service SAS under a stored access policy, for {}", what(target)),
        why: "Where readers have no identity: the policy holds what is allowed and until when, \
              and deleting the policy ends the token without touching the account key."
            .into(),
        commands: vec![create, format!("{remove}   # ends it at once")],
        differences: compare(target, &compared, wish, before, "deleting the policy"),
        url: sign(target, &made, keys),
    }
}

fn plain(target: &Target, wish: &Wish, end: &str, keys: &KeyRing, before: &Grant) -> Replacement {
    let (group, name) = command(target);
    let made = ServiceSasParameters {
        version: VERSION.into(),
        resource: target.resource().into(),
        permissions: wish.permissions.clone(),
        expiry: end.to_owned(),
        protocols: protocols(target),
        ip: wish.ip.clone().unwrap_or_default(),
        ..ServiceSasParameters::default()
    };
    Replacement {
        kind: "service",
        title: format!("service SAS for {}", what(target)),
        why: "The last choice: short and narrow, but only renewing the account key ends it early."
            .into(),
        commands: vec![format!(
            "az storage {group} generate-sas --account-name {} {name} --permissions {} --expiry \
             {} --https-only --auth-mode key --output tsv",
            quote(&target.account),
            wish.permissions,
            az_time(end),
        )],
        differences: compare(target, &made.unsigned(), wish, before, "renewing the account key"),
        url: sign(target, &made, keys),
    }
}

/// Https alone, but for an emulator, which has only http.
fn protocols(target: &Target) -> String {
    if target.origin.starts_with("http://") { "https,http".into() } else { "https".into() }
}

fn sign(target: &Target, made: &ServiceSasParameters, keys: &KeyRing) -> Option<Secret> {
    target.container.as_ref()?;
    let key = keys.of(&target.account)?.first()?;
    let query = made.mint(&target.account, &target.path(), key.expose())?;
    Some(Secret::new(target.url(&query)))
}

fn what(target: &Target) -> String {
    let container = target.container.as_deref().unwrap_or("<CONTAINER>");
    match &target.object {
        Some(object) => format!("{container}/{object} alone"),
        None => format!("the container {container}"),
    }
}

/// The group of `az storage` and the options that name the target.
fn command(target: &Target) -> (&'static str, String) {
    let container = target.container.as_deref().map_or("<CONTAINER>".to_owned(), quote);
    match (target.service, &target.object) {
        ("file", Some(path)) => {
            ("file", format!("--share-name {container} --path {}", quote(path)))
        }
        ("file", None) => ("share", format!("--name {container}")),
        ("queue", _) => ("queue", format!("--name {container}")),
        ("table", _) => ("table", format!("--name {container}")),
        (_, Some(blob)) => ("blob", format!("--container-name {container} --name {}", quote(blob))),
        (_, None) => ("container", format!("--name {container}")),
    }
}

/// `az` takes minutes, not seconds.
fn az_time(end: &str) -> String {
    format!("{}Z", end.get(..16).unwrap_or(end))
}

fn compare(
    target: &Target,
    query: &str,
    wish: &Wish,
    before: &Grant,
    ends: &str,
) -> Vec<Difference> {
    let url = format!(
        "https://{}.{}.core.windows.net/{}",
        target.account,
        target.service,
        utf8_percent_encode(&target.path(), PATH)
    );
    let address = Address::parse(&url);
    let Some(sas) = AzureSas::parse(address, &format!("{query}&sig={UNSIGNED}")) else {
        return Vec::new();
    };
    let after = Credential::AzureSas(sas).grant(wish.now, &KeyRing::default());
    let mut list = differences(before, &after);
    list.push(Difference {
        what: "ended early by",
        before: ends_by(before).to_owned(),
        after: ends.to_owned(),
    });
    list
}

fn ends_by(grant: &Grant) -> &'static str {
    match grant.mechanism {
        Mechanism::AzureUserDelegationSas => "the identity's key or role",
        Mechanism::AzureServiceSas if grant.identifier.is_some() => "deleting the policy",
        Mechanism::AzureAccountSas | Mechanism::AzureServiceSas | Mechanism::AzureAccountKey => {
            "renewing the account key"
        }
        _ => "deactivating the key that signs",
    }
}

fn differences(before: &Grant, after: &Grant) -> Vec<Difference> {
    let scope = |grant: &Grant| {
        serde_json::to_value(grant.scope)
            .ok()
            .and_then(|value| value.as_str().map(str::to_owned))
            .unwrap_or_default()
    };
    let reach = |grant: &Grant| format!("{} {}", scope(grant), grant.resource);
    let may = |grant: &Grant| match &grant.permissions {
        Some(list) => list.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(" "),
        None => "not said".into(),
    };
    let until = |grant: &Grant| {
        grant.expires.map_or("no end".into(), |end| end.strftime("%Y-%m-%d %H:%M UTC").to_string())
    };
    let over = |grant: &Grant| grant.protocols.join(", ");
    let from = |grant: &Grant| grant.ip.clone().unwrap_or_else(|| "any address".into());
    let kind = |grant: &Grant| grant.mechanism.words().to_owned();
    let severity = |grant: &Grant| grant.severity.as_str().to_owned();
    let row = |what, read: &dyn Fn(&Grant) -> String| Difference {
        what,
        before: read(before),
        after: read(after),
    };
    vec![
        row("kind", &kind),
        row("reaches", &reach),
        row("may", &may),
        row("until", &until),
        row("over", &over),
        row("from", &from),
        row("severity", &severity),
    ]
}

fn presigned(
    credential: &Credential,
    wish: &Wish,
    keys: &KeyRing,
    before: &Grant,
) -> Result<Vec<Replacement>, MintError> {
    let (scheme, path) = before.resource.split_once("://").unwrap_or(("", &before.resource));
    let (bucket, object) = path.split_once('/').unwrap_or((path, ""));
    let bucket = wish.container.clone().or((!bucket.is_empty()).then(|| bucket.to_owned()));
    let object = wish.object.clone().or((!object.is_empty()).then(|| object.to_owned()));
    let (Some(bucket), Some(object)) = (bucket, object) else { return Err(MintError::NoObject) };
    let region = match credential {
        Credential::Presigned(url) => url.region().map(str::to_owned),
        _ => None,
    };
    let place = quote(&format!("{scheme}://{bucket}/{object}"));
    let seconds = wish.seconds;
    let (mechanism, region, command) = match before.provider {
        Provider::Gcs => (
            Mechanism::GcsSignedV4,
            region.unwrap_or_else(|| "auto".into()),
            format!(
                "gcloud storage sign-url {place} --http-verb=GET --duration={seconds}s \
                 --impersonate-service-account=<SERVICE-ACCOUNT>"
            ),
        ),
        Provider::Oss => (
            Mechanism::OssPresignedV4,
            region.unwrap_or_default(),
            format!("ossutil presign {place} --expires-duration {seconds}s"),
        ),
        _ => {
            let region = region.unwrap_or_else(|| "us-east-1".into());
            let command =
                format!("aws s3 presign {place} --expires-in {seconds} --region {region}");
            (Mechanism::S3PresignedV4, region, command)
        }
    };
    let url = match credential {
        Credential::Presigned(url) if wish.container.is_none() && wish.object.is_none() => {
            url.plain_url()
        }
        _ => {
            let object = utf8_percent_encode(&object, PATH);
            match mechanism {
                Mechanism::GcsSignedV4 => {
                    format!("https://storage.googleapis.com/{bucket}/{object}")
                }
                _ => format!("https://{bucket}.s3.{region}.amazonaws.com/{object}"),
            }
        }
    };
    let date = wish.now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut signed = None;
    let mut after = before.clone();
    after.mechanism = mechanism;
    after.resource = format!("{scheme}://{bucket}/{object}");
    after.scope = lidless_core::GrantScope::Object;
    after.permissions = Some(vec![lidless_core::Permission::Read]);
    after.expires = Timestamp::from_second(wish.now.as_second().saturating_add(seconds)).ok();
    after.protocols = vec!["https".into()];
    after.severity = lidless_core::Severity::Info;
    for id in keys.accounts() {
        let google = id.starts_with("GOOG") || id.contains('@');
        let fits = match mechanism {
            Mechanism::GcsSignedV4 => google,
            Mechanism::S3PresignedV4 => !google,
            _ => false,
        };
        let Some(key) = keys.of(id).and_then(<[Secret]>::first).filter(|_| fits) else { continue };
        let made = ToSign {
            mechanism,
            url: &url,
            access_id: id,
            region: &region,
            date: &date,
            seconds: seconds.unsigned_abs(),
        };
        signed = made.sign(key.expose()).map(Secret::new);
        if signed.is_some() {
            break;
        }
    }
    let mut list = differences(before, &after);
    list.push(Difference {
        what: "ended early by",
        before: ends_by(before).to_owned(),
        after: "deactivating the key that signs; take one of an identity that only reads".into(),
    });
    Ok(vec![Replacement {
        kind: "presigned",
        title: format!("presigned URL of version 4 to read {object} alone"),
        why: "One object, one method, hours instead of years. Sign it with a role whose only \
              right is to read that object, never with the key that leaked."
            .into(),
        commands: vec![command],
        differences: list,
        url: signed,
    }])
}

/// A word for a shell.
fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./$:@".contains(c) && c != '$';
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recognise::read;

    const KEY: &str =
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==";
    const LEAKED: &str = "https://contoso.blob.core.windows.net/models/a%20b.ckpt?sv=2020-08-04&ss=bfqt&srt=sco&sp=rwdlacup&se=2051-10-06T07:00:00Z&sig=XU9vVDvdBUWTusHpd4JYXiDMqemtGI6IIU8EyqlN%2Bxk%3D";

    fn wish() -> Wish {
        Wish {
            container: None,
            object: None,
            permissions: "r".into(),
            seconds: WEEK,
            ip: None,
            now: "2026-11-24T12:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn the_replacement_of_full_control_reads_one_object_for_a_week() {
        let leaked = read(LEAKED).unwrap();
        let keys = KeyRing::parse(&format!("contoso:{KEY}")).unwrap();
        let list = replacements(&leaked, &wish(), &keys).unwrap();
        let kinds: Vec<&str> = list.iter().map(|one| one.kind).collect();
        assert_eq!(kinds, ["user_delegation", "stored_policy", "service"]);
        assert!(list[0].url.is_none(), "only the service signs it");
        for one in &list[1..] {
            let url = one.url.as_ref().unwrap().expose().to_owned();
            let grant = read(&url).unwrap().grant(wish().now, &keys);
            assert_eq!(grant.signature.verified, Some(true), "{url}");
            assert_eq!(grant.scope, lidless_core::GrantScope::Object);
            assert_eq!(grant.protocols, ["https"]);
            assert!(url.starts_with("https://contoso.blob.core.windows.net/models/a%20b.ckpt?"));
        }
        let row = |what: &str| list[0].differences.iter().find(|row| row.what == what).unwrap();
        assert_eq!(row("until").before, "2051-10-06 07:00 UTC");
        assert_eq!(row("until").after, "2026-12-01 12:00 UTC");
        assert_eq!(row("may").after, "read");
        assert_eq!(row("severity").before, "critical");
        assert_ne!(row("severity").after, "critical");
        assert!(list[0].commands[0].contains("--name 'a b.ckpt' --permissions r"));
    }

    #[test]
    fn what_cannot_be_given_is_refused_with_its_reason() {
        let leaked = read(LEAKED).unwrap();
        let none = KeyRing::default();
        let try_with = |change: &dyn Fn(&mut Wish)| {
            let mut wish = wish();
            change(&mut wish);
            replacements(&leaked, &wish, &none).map(|list| list.len())
        };
        assert_eq!(try_with(&|w| w.seconds = WEEK + 1), Err(MintError::Lifetime));
        assert!(matches!(
            try_with(&|w| w.permissions = "z".into()),
            Err(MintError::Permissions(_))
        ));
        assert!(matches!(
            try_with(&|w| w.container = Some("a/b".into())),
            Err(MintError::Container(_))
        ));
        assert!(matches!(try_with(&|w| w.ip = Some("x".into())), Err(MintError::Ip(_))));
        assert_eq!(try_with(&|w| w.ip = Some("192.0.2.1-192.0.2.9".into())), Ok(3));
        let link = read("https://contoso.blob.core.windows.net/models").unwrap();
        assert_eq!(replacements(&link, &wish(), &none).unwrap_err(), MintError::Nothing);
    }

    #[test]
    fn presigned_replacements_verify_with_the_key_that_signed_them() {
        let list: Vec<serde_json::Value> =
            serde_json::from_str(include_str!("../tests/vectors/other_signed_urls.json")).unwrap();
        let id = "AKIAI44QH8DHBEXAMPLE";
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        let keys = KeyRing::parse(&format!("{id}:{secret}\nGOOG1EXAMPLE:{secret}")).unwrap();
        for vector in list.iter().filter(|one| one["name"] != "s3_v4_list_bucket") {
            let leaked = read(vector["url"].as_str().unwrap()).unwrap();
            let made = replacements(&leaked, &wish(), &keys).unwrap().remove(0);
            let url = made.url.unwrap();
            let Some(Credential::Presigned(read)) = read(url.expose()) else { panic!("{vector}") };
            assert_eq!(read.method_signed_with(secret), Some("GET"), "{vector}");
            let grant = Credential::Presigned(read).grant(wish().now, &keys);
            assert_eq!(grant.resource, leaked.grant(wish().now, &keys).resource);
            assert!(made.commands[0].contains("presign") || made.commands[0].contains("sign-url"));
        }
    }
}
