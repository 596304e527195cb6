//! What every service must answer, and every client make of it.

use lidless_core::{Access, Auth, BlobType, GrantStatus, Object, Provider, PublicAccess, Secret};
use lidless_core::{Scope, Timestamp};
use lidless_io::{ReadAt, ReadErrorKind, read_exact_vec};
use lidless_storage::{Client, ClientSettings, ListRequest, StorageErrorKind, Store, open};
use lidless_token::{AccountSasParameters, ServiceSasParameters};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// An account as the service under test holds it.
pub struct World {
    /// `http://127.0.0.1:PORT`; path-style.
    pub origin: String,
    pub account: String,
    pub key1: String,
    pub key2: String,
    /// Container and how public it is.
    pub containers: BTreeMap<String, PublicAccess>,
    /// Container and key, and the bytes of a block blob.
    pub blobs: BTreeMap<(String, String), Vec<u8>>,
}

/// Names that break clients which encode carelessly.
pub const ODD_NAMES: [&str; 9] = [
    "plain.txt",
    "a b/c d.txt",
    "100%/50%25.txt",
    "plus+and&and=and#and?.txt",
    "ünï/日本語.txt",
    "deep/er/and/deeper.txt",
    "quote'\"<tag>&amp;.txt",
    "dir//double.txt",
    "empty.txt",
];

impl World {
    /// The names and bytes to put into the service under test before [`conformance`].
    pub fn new(origin: &str, account: &str, key1: &str, key2: &str) -> Self {
        let mut blobs = BTreeMap::new();
        for name in ODD_NAMES {
            let bytes = if name == "empty.txt" { Vec::new() } else { name.as_bytes().to_vec() };
            blobs.insert(("models".to_owned(), name.to_owned()), bytes);
        }
        let large = (0..300_000u32).flat_map(u32::to_le_bytes).collect();
        blobs.insert(("models".to_owned(), "large.bin".to_owned()), large);
        blobs.insert(("open".to_owned(), "public.txt".to_owned()), b"for all".to_vec());
        blobs.insert(("readable".to_owned(), "known.txt".to_owned()), b"if you know".to_vec());
        let containers = [
            ("models", PublicAccess::None),
            ("open", PublicAccess::Container),
            ("readable", PublicAccess::Blob),
            ("vacant", PublicAccess::None),
        ];
        Self {
            origin: origin.to_owned(),
            account: account.to_owned(),
            key1: key1.to_owned(),
            key2: key2.to_owned(),
            containers: containers.into_iter().map(|(name, it)| (name.to_owned(), it)).collect(),
            blobs,
        }
    }

    fn store(&self, auth: Auth, container: Option<&str>, key: Option<&str>) -> Arc<dyn Store> {
        let settings = ClientSettings {
            read_timeout: Duration::from_secs(60),
            attempts: 2,
            ..ClientSettings::default()
        };
        let client = Arc::new(Client::new(Arc::new(Scope::without_file()), settings));
        let access = Access {
            provider: Provider::Azure,
            origin: self.origin.clone(),
            path_style: true,
            account: self.account.clone(),
            container: container.map(str::to_owned),
            key: key.map(str::to_owned),
            auth,
        };
        open(&client, &access).unwrap()
    }

    fn account_sas(&self, types: &str, letters: &str, expiry: &str) -> Auth {
        let token = AccountSasParameters {
            version: "2020-08-04".into(),
            services: "b".into(),
            resource_types: types.into(),
            permissions: letters.into(),
            expiry: expiry.into(),
            ..AccountSasParameters::default()
        };
        Auth::Query(Secret::new(token.mint(&self.account, &self.key1).unwrap()))
    }

    fn service_sas(&self, path: &str, resource: &str, letters: &str, key: &str) -> Auth {
        let token = ServiceSasParameters {
            version: "2020-12-06".into(),
            resource: resource.into(),
            permissions: letters.into(),
            expiry: FAR.into(),
            ..ServiceSasParameters::default()
        };
        Auth::Query(Secret::new(token.mint(&self.account, path, key).unwrap()))
    }
}

const FAR: &str = "2051-10-06T07:00:00Z";

/// All of it.
pub fn conformance(world: &World) {
    let key =
        |key: &str| Auth::Key { id: world.account.clone(), key: Secret::new(key), session: None };
    for auth in [world.account_sas("sco", "rl", FAR), key(&world.key1), key(&world.key2)] {
        let store = world.store(auth, None, None);
        everything_is_listed(world, &*store);
        listings_are_paged_and_folded(world, &*store);
        content_is_read(world, &*store);
        what_is_missing_is_said(&*store);
    }
    tokens_are_probed(world);
    strangers_are_probed(world);
}

fn list_all(store: &dyn Store, request: &ListRequest) -> (Vec<Object>, Vec<String>, usize) {
    let (mut objects, mut prefixes, mut pages) = (Vec::new(), Vec::new(), 0);
    let mut request = request.clone();
    loop {
        let page = store.list(&request).unwrap();
        objects.extend(page.objects);
        prefixes.extend(page.prefixes);
        pages += 1;
        request.cursor = page.next;
        if request.cursor.is_none() {
            return (objects, prefixes, pages);
        }
    }
}

fn in_container(name: &str) -> ListRequest {
    ListRequest { container: name.to_owned(), ..ListRequest::default() }
}

fn everything_is_listed(world: &World, store: &dyn Store) {
    assert_eq!(store.name(), format!("az://{}", world.account));
    let probe = store.probe().unwrap();
    assert_eq!(probe.status, GrantStatus::Live, "{probe:?}");
    assert_eq!(probe.observed.can_list_containers, Some(true));
    assert_eq!(probe.observed.can_list, Some(true));
    let containers = store.containers().unwrap();
    let listed: BTreeMap<_, _> =
        containers.iter().map(|it| (it.name.clone(), it.public.unwrap())).collect();
    assert_eq!(listed, world.containers);
    assert!(containers.iter().all(|it| it.modified.is_some()));
    for container in world.containers.keys() {
        let (objects, prefixes, _) = list_all(store, &in_container(container));
        let sizes: BTreeMap<_, _> = objects.iter().map(|it| (it.key.clone(), it.size)).collect();
        let wanted: BTreeMap<_, _> = (world.blobs.iter())
            .filter(|((name, _), _)| name == container)
            .map(|((_, key), bytes)| (key.clone(), bytes.len() as u64))
            .collect();
        assert_eq!(sizes, wanted);
        assert_eq!(prefixes, [""; 0]);
        let now = Timestamp::now();
        for object in &objects {
            assert!(object.etag.as_ref().is_some_and(|etag| !etag.contains('"')), "{object:?}");
            assert!(object.modified.is_some_and(|time| time <= now), "{object:?}");
            assert_eq!(object.blob_type, Some(BlobType::Block));
        }
    }
}

fn listings_are_paged_and_folded(world: &World, store: &dyn Store) {
    let (whole, ..) = list_all(store, &in_container("models"));
    let (paged, _, pages) =
        list_all(store, &ListRequest { max: Some(3), ..in_container("models") });
    assert_eq!(whole, paged);
    assert!(pages >= whole.len().div_ceil(3), "{pages} pages");
    let folded = ListRequest { delimited: true, max: Some(2), ..in_container("models") };
    let (objects, prefixes, _) = list_all(store, &folded);
    assert_eq!(prefixes, ["100%/", "a b/", "deep/", "dir/", "ünï/"]);
    assert!(objects.iter().all(|it| !it.key.contains('/')), "{objects:?}");
    let below = ListRequest { prefix: "100%/".into(), ..in_container("models") };
    let (objects, ..) = list_all(store, &below);
    assert_eq!(objects.len(), 1);
    assert_eq!(objects[0].key, "100%/50%25.txt");
    assert_eq!(world.containers.len(), 4);
}

fn content_is_read(world: &World, store: &dyn Store) {
    for ((container, key), bytes) in &world.blobs {
        let object = store.head(container, key).unwrap();
        assert_eq!((&object.key, object.size), (key, bytes.len() as u64));
        let (listed, ..) =
            list_all(store, &ListRequest { prefix: key.clone(), ..in_container(container) });
        assert_eq!((&listed[0].etag, listed[0].modified), (&object.etag, object.modified));
        let source = store.open(container, &object);
        assert_eq!(&read_exact_vec(&*source, 0, source.len()).unwrap(), bytes, "{key}");
    }
    let large = &world.blobs[&("models".to_owned(), "large.bin".to_owned())];
    let object = store.head("models", "large.bin").unwrap();
    let source = store.open("models", &object);
    let end = source.len();
    let ranges = [5..9, 0..3, 600_000..600_010, end - 3..end + 99, 7..7, 600_100..600_104];
    let parts = source.read_ranges(&ranges).unwrap();
    for (range, part) in ranges.iter().zip(&parts) {
        let (from, to) = (range.start as usize, (range.end as usize).min(large.len()));
        assert_eq!(part, &large[from..to], "{range:?}");
    }
    let mut buffer = [0; 10];
    assert_eq!(source.read_at(end - 4, &mut buffer).unwrap(), 4);
    assert_eq!(source.read_at(end + 4, &mut buffer).unwrap(), 0);
    let other = Object { etag: Some("0x0000000000000000".into()), ..object.clone() };
    let error = store.open("models", &other).read_at(0, &mut buffer).unwrap_err();
    assert_eq!(error.kind, ReadErrorKind::Changed, "{error}");
    let longer = Object { size: end + 1, ..object };
    let error = store.open("models", &longer).read_at(end - 5, &mut buffer).unwrap_err();
    assert_eq!(error.kind, ReadErrorKind::Changed, "{error}");
}

fn what_is_missing_is_said(store: &dyn Store) {
    let error = store.list(&in_container("nowhere")).unwrap_err();
    assert_eq!((error.kind, error.status), (StorageErrorKind::NotFound, Some(404)), "{error}");
    assert_eq!(error.code.as_deref(), Some("ContainerNotFound"));
    let error = store.head("models", "nothing").unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::NotFound, "{error}");
    let gone = Object { size: 5, ..store.head("models", "plain.txt").unwrap() };
    let gone = Object { key: "nothing".into(), ..gone };
    let error = store.open("models", &gone).read_at(0, &mut [0; 5]).unwrap_err();
    assert_eq!(error.kind, ReadErrorKind::Changed, "{error}");
}

fn tokens_are_probed(world: &World) {
    use GrantStatus::{Denied, Expired, Live, Revoked};
    let probe = |auth, container, key| world.store(auth, container, key).probe().unwrap();
    let models = Some("models");
    let plain = Some("plain.txt");

    let expired = probe(world.account_sas("sco", "rl", "2021-10-05"), None, None);
    assert_eq!(expired.status, Expired, "{expired:?}");
    let renewed = world.service_sas("models", "c", "rl", "bm90IHRoZSBrZXk=");
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
    let early = Auth::Query(Secret::new(early.mint(&world.account, &world.key1).unwrap()));
    assert_eq!(probe(early, None, None).status, Denied);

    let objects_only = probe(world.account_sas("o", "r", FAR), models, plain);
    assert_eq!(objects_only.status, Live, "{objects_only:?}");
    assert_eq!(objects_only.observed.can_list, None);
    assert_eq!(objects_only.observed.can_read, Some(true));
    let write_only = probe(world.account_sas("o", "w", FAR), models, plain);
    assert_eq!(write_only.status, Live, "{write_only:?}");
    assert_eq!(write_only.observed.can_read, None);

    let container = world.service_sas("models", "c", "rl", &world.key2);
    let seen = probe(container.clone(), models, None);
    assert_eq!((seen.status, seen.observed.can_list), (Live, Some(true)), "{seen:?}");
    let store = world.store(container, models, None);
    let named: Vec<_> = store.containers().unwrap().into_iter().map(|it| it.name).collect();
    assert_eq!(named, ["models"]);
    content_is_read_of(world, &*store, "models");
    assert_eq!(store.list(&in_container("vacant")).unwrap_err().kind, StorageErrorKind::Denied);

    for name in ODD_NAMES {
        let auth = world.service_sas(&format!("models/{name}"), "b", "r", &world.key1);
        let seen = probe(auth, models, Some(name));
        assert_eq!((seen.status, seen.observed.can_read), (Live, Some(true)), "{name} {seen:?}");
    }
    let write = world.service_sas("models/plain.txt", "b", "w", &world.key1);
    let seen = probe(write, models, plain);
    assert_eq!((seen.status, seen.observed.can_read), (Live, Some(false)), "{seen:?}");
    let gone = world.service_sas("models/gone", "b", "r", &world.key1);
    let seen = probe(gone, models, Some("gone"));
    assert_eq!((seen.status, seen.observed.can_read), (Live, Some(false)), "{seen:?}");
    assert_eq!(seen.observed.error_code.as_deref(), Some("BlobNotFound"));
    assert!(seen.observed.checked_at.is_some() && seen.observed.meaning.is_some());
}

fn content_is_read_of(world: &World, store: &dyn Store, container: &str) {
    for object in list_all(store, &in_container(container)).0 {
        let source = store.open(container, &object);
        let bytes = read_exact_vec(&*source, 0, source.len()).unwrap();
        assert_eq!(&bytes, &world.blobs[&(container.to_owned(), object.key)]);
    }
}

fn strangers_are_probed(world: &World) {
    let store = |container, key| world.store(Auth::Anonymous, container, key);
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
    content_is_read_of(world, &*open, "open");
}
