//! What the tokens of an Azure account open, on any service that speaks its language. What a store
//! answers once it is open is the suite's business.

use super::suite::{in_container, list_all, odd_names};
use lidless_core::{Access, Auth, BlobType, GrantStatus, Provider, PublicAccess, Scope, Secret};
use lidless_io::{ReadAt as _, read_exact_vec};
use lidless_storage::{Client, ClientSettings, StorageErrorKind, Store, open};
use lidless_token::{AccountSasParameters, ServiceSasParameters};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// An account as the service under test holds it.
pub struct Account {
    /// `http://127.0.0.1:PORT`; path-style.
    pub origin: String,
    pub name: String,
    pub key1: String,
    pub key2: String,
    pub client: Arc<Client>,
}

/// Containers and how public they are.
pub const CONTAINERS: [(&str, PublicAccess); 4] = [
    ("models", PublicAccess::None),
    ("open", PublicAccess::Container),
    ("readable", PublicAccess::Blob),
    ("vacant", PublicAccess::None),
];

const FAR: &str = "2051-10-06T07:00:00Z";

/// What lies in the account: container and key, and the bytes of a block blob.
pub fn blobs() -> BTreeMap<(String, String), Vec<u8>> {
    let mut blobs: BTreeMap<_, _> = odd_names(true)
        .into_iter()
        .map(|(name, bytes)| (("models".to_owned(), name), bytes))
        .collect();
    blobs.insert(("open".to_owned(), "public.txt".to_owned()), b"for all".to_vec());
    blobs.insert(("readable".to_owned(), "known.txt".to_owned()), b"if you know".to_vec());
    blobs
}

impl Account {
    pub fn new(origin: &str, name: &str, key1: &str, key2: &str) -> Self {
        let settings = ClientSettings {
            read_timeout: Duration::from_secs(60),
            attempts: 2,
            ..ClientSettings::default()
        };
        Self {
            origin: origin.to_owned(),
            name: name.to_owned(),
            key1: key1.to_owned(),
            key2: key2.to_owned(),
            client: Arc::new(Client::new(Arc::new(Scope::without_file()), settings)),
        }
    }

    pub fn store(&self, auth: Auth, container: Option<&str>, key: Option<&str>) -> Arc<dyn Store> {
        let access = Access {
            provider: Provider::Azure,
            origin: self.origin.clone(),
            path_style: true,
            account: self.name.clone(),
            container: container.map(str::to_owned),
            key: key.map(str::to_owned),
            auth,
        };
        open(&self.client, &access).unwrap()
    }

    pub fn account_sas(&self, types: &str, letters: &str, expiry: &str) -> Auth {
        let token = AccountSasParameters {
            version: "2020-08-04".into(),
            services: "b".into(),
            resource_types: types.into(),
            permissions: letters.into(),
            expiry: expiry.into(),
            ..AccountSasParameters::default()
        };
        Auth::Query(Secret::new(token.mint(&self.name, &self.key1).unwrap()))
    }

    fn service_sas(&self, path: &str, resource: &str, letters: &str, key: &str) -> Auth {
        let token = ServiceSasParameters {
            version: "2020-12-06".into(),
            resource: resource.into(),
            permissions: letters.into(),
            expiry: FAR.into(),
            ..ServiceSasParameters::default()
        };
        Auth::Query(Secret::new(token.mint(&self.name, path, key).unwrap()))
    }

    pub fn key(&self, key: &str) -> Auth {
        Auth::Key { id: self.name.clone(), key: Secret::new(key), session: None }
    }

    /// Every credential that opens all of it.
    pub fn owners(&self) -> [Auth; 3] {
        [self.account_sas("sco", "rl", FAR), self.key(&self.key1), self.key(&self.key2)]
    }
}

/// All of it.
pub fn tokens(account: &Account) {
    the_account_says_what_is_public(account);
    tokens_are_probed(account);
    strangers_are_probed(account);
}

fn the_account_says_what_is_public(account: &Account) {
    for auth in account.owners() {
        let store = account.store(auth, None, None);
        assert_eq!(store.probe().unwrap().observed.can_list_containers, Some(true));
        let containers = store.containers().unwrap();
        let listed: Vec<_> =
            containers.iter().map(|it| (it.name.as_str(), it.public.unwrap())).collect();
        assert_eq!(listed, CONTAINERS);
        assert!(containers.iter().all(|it| it.modified.is_some()));
        assert!(list_all(&*store, &in_container("vacant")).0.is_empty());
        for object in list_all(&*store, &in_container("models")).0 {
            assert_eq!(object.blob_type, Some(BlobType::Block));
        }
        let error = store.list(&in_container("nowhere")).unwrap_err();
        assert_eq!((error.status, error.code.as_deref()), (Some(404), Some("ContainerNotFound")));
    }
}

fn tokens_are_probed(account: &Account) {
    use GrantStatus::{Denied, Expired, Live, Revoked};
    let probe = |auth, container, key| account.store(auth, container, key).probe().unwrap();
    let models = Some("models");
    let plain = Some("plain.txt");

    let expired = probe(account.account_sas("sco", "rl", "2021-10-05"), None, None);
    assert_eq!(expired.status, Expired, "{expired:?}");
    let renewed = account.service_sas("models", "c", "rl", "bm90IHRoZSBrZXk=");
    assert_eq!(probe(renewed, models, None).status, Revoked);
    let early = AccountSasParameters {
        version: "2020-08-04".into(),
        services: "b".into(),
        resource_types: "sco".into(),
        permissions: "rl".into(),
        start: "2050-01-01T00:00:00Z".into(),
        expiry: FAR.into(),
        ..AccountSasParameters::default()
    };
    let early = Auth::Query(Secret::new(early.mint(&account.name, &account.key1).unwrap()));
    assert_eq!(probe(early, None, None).status, Denied);

    let objects_only = probe(account.account_sas("o", "r", FAR), models, plain);
    assert_eq!(objects_only.status, Live, "{objects_only:?}");
    assert_eq!(objects_only.observed.can_list, None);
    assert_eq!(objects_only.observed.can_read, Some(true));
    let write_only = probe(account.account_sas("o", "w", FAR), models, plain);
    assert_eq!(write_only.status, Live, "{write_only:?}");
    assert_eq!(write_only.observed.can_read, None);

    let container = account.service_sas("models", "c", "rl", &account.key2);
    let seen = probe(container.clone(), models, None);
    assert_eq!((seen.status, seen.observed.can_list), (Live, Some(true)), "{seen:?}");
    let store = account.store(container, models, None);
    let named: Vec<_> = store.containers().unwrap().into_iter().map(|it| it.name).collect();
    assert_eq!(named, ["models"]);
    content_is_read_of(&*store, "models");
    assert_eq!(store.list(&in_container("vacant")).unwrap_err().kind, StorageErrorKind::Denied);

    let names = odd_names(true);
    for name in names.keys().map(String::as_str) {
        let auth = account.service_sas(&format!("models/{name}"), "b", "r", &account.key1);
        let seen = probe(auth, models, Some(name));
        assert_eq!((seen.status, seen.observed.can_read), (Live, Some(true)), "{name} {seen:?}");
    }
    let write = account.service_sas("models/plain.txt", "b", "w", &account.key1);
    let seen = probe(write, models, plain);
    assert_eq!((seen.status, seen.observed.can_read), (Live, Some(false)), "{seen:?}");
    let gone = account.service_sas("models/gone", "b", "r", &account.key1);
    let seen = probe(gone, models, Some("gone"));
    assert_eq!((seen.status, seen.observed.can_read), (Live, Some(false)), "{seen:?}");
    assert_eq!(seen.observed.error_code.as_deref(), Some("BlobNotFound"));
    assert!(seen.observed.checked_at.is_some() && seen.observed.meaning.is_some());
}

fn content_is_read_of(store: &dyn Store, container: &str) {
    let blobs = blobs();
    for object in list_all(store, &in_container(container)).0 {
        let source = store.open(container, &object);
        let bytes = read_exact_vec(&*source, 0, source.len()).unwrap();
        assert!(bytes == blobs[&(container.to_owned(), object.key)]);
    }
}

fn strangers_are_probed(account: &Account) {
    let store = |container, key| account.store(Auth::Anonymous, container, key);
    let probe = |container, key| {
        let seen = store(container, key).probe().unwrap();
        (seen.status, seen.observed.public, seen.observed.can_list, seen.observed.can_read)
    };
    let (live, denied) = (GrantStatus::Live, GrantStatus::Denied);
    assert_eq!(probe(Some("open"), None), (live, Some(true), Some(true), None));
    assert_eq!(
        probe(Some("readable"), Some("known.txt")),
        (live, Some(true), Some(false), Some(true))
    );
    // Its names are not listed, but it says of a name that nothing has that it is not there.
    assert_eq!(probe(Some("readable"), None), (live, Some(true), Some(false), None));
    assert_eq!(probe(Some("vacant"), None), (denied, Some(false), Some(false), None));
    assert_eq!(
        probe(Some("models"), Some("plain.txt")),
        (denied, Some(false), Some(false), Some(false))
    );
    assert_eq!(probe(None, None).0, denied);
    let open = store(Some("open"), None);
    assert_eq!(open.containers().unwrap().len(), 1);
    content_is_read_of(&*open, "open");
}
