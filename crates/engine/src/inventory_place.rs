//! Where inventories lie: on this machine, or in the store that they were written to, read with
//! the credential that was given for them or with that of a target that reaches them.

use crate::book::{Book, Known};
use crate::error::EngineError;
use crate::scan::new_client;
use crate::settings::ScanSettings;
use crate::stored_inventory::StoredFiles;
use crate::target::Target;
use lidless_core::{Access, Auth, Gap, GrantScope, GrantStatus, Permission, Provider, Scope};
use lidless_inventory::Inventory;
use lidless_io::{Budget, DiskBlocks};
use lidless_ledger::Case;
use lidless_storage::Client;
use lidless_token::Credential;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// What is kept on disk of inventories that lie in stores, so that nothing is fetched twice. What
/// does not fit is fetched again.
const DISK_BYTES: u64 = 4 << 30;

/// Where an inventory that the user named is.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "there is a handful of inventories a run")]
pub enum InventoryPlace {
    /// On this machine, opened.
    Here(Inventory),
    /// In a store: a link to its manifest, or its place.
    There(Target),
}

impl InventoryPlace {
    /// Understands a link to a manifest or its place in a store; `source` says where it was given.
    ///
    /// # Errors
    /// When it names no object of a store.
    pub fn parse(word: &str, source: &str) -> Result<Self, EngineError> {
        let target = Target::parse(word, source)?;
        match access_of(&target) {
            Some(Access { container: Some(_), key: Some(key), .. }) if !key.ends_with('/') => {
                Ok(Self::There(target))
            }
            _ => Err(EngineError::Target(format!(
                "{} names no manifest: give the place of the manifest itself \
                 (s3://BUCKET/…/manifest.json), or a link to it",
                target.describe()
            ))),
        }
    }

    /// Whether it was given with a credential, which no case keeps.
    #[must_use]
    pub fn holds_credential(&self) -> bool {
        match self {
            Self::There(Target::Credential { credential, .. }) => credential.secret().is_some(),
            _ => false,
        }
    }
}

/// The way in that was named, with the user's own credentials where they gave some.
fn access_of(target: &Target) -> Option<Access> {
    match target {
        Target::Credential { credential, .. } => credential.access(),
        Target::Store { own: Some(own), access, .. } => {
            let own = Credential::Own(own.clone()).access()?;
            Some(Access { container: access.container.clone(), key: access.key.clone(), ..own })
        }
        Target::Store { access, .. } => Some(access.clone()),
        Target::Path(_) | Target::GitUrl(_) => None,
    }
}

/// The inventories of a run, opened: of two with the same manifest one, the newest first.
pub(crate) struct Inventories {
    pub(crate) list: Vec<Inventory>,
}

impl Inventories {
    /// Opens every inventory. Those in stores are asked for by a client of their own, whose scope
    /// has the containers they lie in and no more than that: naming an inventory names no target.
    ///
    /// # Errors
    /// When a manifest cannot be read, or none of its data files can.
    pub(crate) fn open(
        settings: &ScanSettings,
        case: &Case,
        (book, budget, run): (&Mutex<Book>, &Budget, &Client),
    ) -> Result<Self, EngineError> {
        let places: Vec<(Access, &Target)> = settings
            .inventories
            .iter()
            .filter_map(|place| match place {
                InventoryPlace::There(target) => Some((access_of(target)?, target)),
                InventoryPlace::Here(_) => None,
            })
            .collect();
        let client = (!places.is_empty()).then(|| {
            let mut settings = settings.clone();
            places.iter().for_each(|(access, _)| name(&mut settings.scope, access));
            Arc::new(new_client(&settings, Some(case)).beside(run))
        });
        let disk = Arc::new(DiskBlocks::new(DISK_BYTES));
        let mut list: Vec<Inventory> = Vec::new();
        for place in &settings.inventories {
            let inventory = match (place, &client) {
                (InventoryPlace::Here(inventory), _) => inventory.clone(),
                (InventoryPlace::There(target), Some(client)) => {
                    let Some(access) = access_of(target) else { continue };
                    let by_url = matches!(target, Target::Credential { .. });
                    let ways = ways(&access, by_url, book);
                    let files = StoredFiles::new(client, ways, &access, budget, &disk)?;
                    Inventory::of(Arc::new(files))
                        .map_err(|error| EngineError::Target(error.to_string()))?
                }
                (InventoryPlace::There(_), None) => continue,
            };
            if list.iter().any(|known| known.manifest() == inventory.manifest()) {
                let reason = "the same inventory was given twice, and was read once";
                case.put_local(&[], &[], &[Gap::new(inventory.place(), reason, None)])?;
                continue;
            }
            list.push(inventory);
        }
        list.sort_by_key(|inventory| std::cmp::Reverse(inventory.manifest().made));
        Ok(Self { list })
    }
}

/// Adds the place of an inventory to what may be touched: the container, of a web server the
/// folder above that of the manifest.
fn name(scope: &mut Scope, access: &Access) {
    let container = access.container.as_deref().unwrap_or("");
    let place = format!("{}/{container}", access.store());
    let folder = match access.provider {
        Provider::Http => {
            let key = Path::new(access.key.as_deref().unwrap_or(""));
            let above = key.parent().map(|folder| folder.parent().unwrap_or(folder));
            above.map(|folder| folder.to_string_lossy().into_owned()).unwrap_or_default()
        }
        _ => String::new(),
    };
    scope.name_store(format!("{place}/{folder}").trim_end_matches('/'));
}

/// The ways to the manifest, best first: the credential that came with it, those of the targets
/// that the user named for the same account and that reach it, and none. No credential is sent to
/// another host than its own, and what was named by its URL is asked for at no other host.
fn ways(access: &Access, by_url: bool, book: &Mutex<Book>) -> Vec<Access> {
    let (container, key) = (access.container.as_deref(), access.key.as_deref());
    let mut ways = Vec::new();
    if access.auth != Auth::Anonymous {
        ways.push(access.clone());
    }
    let book = book.lock().unwrap_or_else(PoisonError::into_inner);
    for (_, known) in book.known().filter(|(_, known)| known.named) {
        if let Some(way) = known.credential.access()
            && way.auth != Auth::Anonymous
            && way.store() == access.store()
            && way.provider != Provider::Http
            && (!by_url || is_same_service(&way.origin, &access.origin))
            && reaches(known, &way, container.unwrap_or(""), key.unwrap_or(""))
        {
            let (container, key) = (access.container.clone(), access.key.clone());
            ways.push(Access { container, key, ..way });
        }
    }
    let strange = access.auth == Auth::Anonymous;
    if strange || !matches!(access.auth, Auth::Query(_)) {
        ways.push(Access { auth: Auth::Anonymous, ..access.clone() });
    }
    ways
}

/// Whether two origins are hosts of one service: the same, one with a bucket before the other, or
/// both of AWS.
fn is_same_service(one: &str, other: &str) -> bool {
    let host = |origin: &str| {
        let host = origin.split_once("://").map_or(origin, |(_, host)| host);
        host.to_ascii_lowercase()
    };
    let (one, other) = (host(one), host(other));
    let below = |a: &str, b: &str| a.strip_suffix(b).is_some_and(|rest| rest.ends_with('.'));
    let of_aws = |host: &str| below(host, "amazonaws.com") || below(host, "amazonaws.com.cn");
    one == other || below(&one, &other) || below(&other, &one) || of_aws(&one) && of_aws(&other)
}

/// Whether a grant declares that it reads an object.
fn reaches(known: &Known, way: &Access, container: &str, key: &str) -> bool {
    let (grant, named) = (&known.grant, way.key.as_deref().unwrap_or(""));
    if grant.status == GrantStatus::Expired || grant.may(Permission::Read) == Some(false) {
        return false;
    }
    let same = way.container.as_deref().is_none_or(|known| known == container);
    match grant.scope {
        GrantScope::Account => true,
        GrantScope::Object | GrantScope::Version | GrantScope::Snapshot => same && named == key,
        GrantScope::Directory => {
            let folder = named.trim_end_matches('/');
            same && key.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
        }
        _ => same,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_asked_for_at_its_own_service_only() {
        for (one, other, same) in [
            ("https://a.blob.core.windows.net", "https://a.blob.core.windows.net", true),
            ("https://a.blob.core.windows.net", "http://127.0.0.1:10000", false),
            ("https://s3.amazonaws.com", "https://b.s3.eu-west-1.amazonaws.com", true),
            ("https://s3.amazonaws.com", "https://minio.example.com", false),
            ("https://minio.example.com", "https://b.minio.example.com", true),
            ("https://s3.amazonaws.com", "https://evilamazonaws.com", false),
        ] {
            assert_eq!(is_same_service(one, other), same, "{one} {other}");
            assert_eq!(is_same_service(other, one), same, "{other} {one}");
        }
    }

    #[test]
    fn a_place_is_that_of_an_object_and_a_case_keeps_no_link() {
        let parse = |word: &str| InventoryPlace::parse(word, "argument 1");
        for word in ["az://contoso", "az://contoso/reports", "s3://bucket-1/inv/", "/no/such"] {
            assert!(parse(word).is_err(), "{word}");
        }
        let plain = parse("s3://bucket-1/inv/manifest.json").unwrap();
        assert!(!plain.holds_credential());
        let url = "https://contoso.blob.core.windows.net/reports/m.json";
        assert!(!parse(url).unwrap().holds_credential());
        let signed = format!("{url}?sv=2022-11-02&sr=b&sp=r&se=2051-01-01T00%3A00%3A00Z&sig={}", {
            concat!("XU9vVDvdBUWTusHpd4JY", "XiDMqemtGI6IIU8EyqlN%2Bxk%3D")
        });
        assert!(parse(&signed).unwrap().holds_credential());
    }
}
