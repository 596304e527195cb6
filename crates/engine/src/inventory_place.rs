//! Where inventories lie: on this machine, or in the store that they were written to, read with
//! the credential that was given for them or with that of a target that reaches them.

use crate::book::{Book, Known};
use crate::error::EngineError;
use crate::metered::Metered;
use crate::scan::new_client;
use crate::settings::ScanSettings;
use crate::target::Target;
use lidless_core::{Access, Auth, Gap, GrantScope, GrantStatus, Permission, Provider, Scope};
use lidless_inventory::{DataFile, Inventory, InventoryFile, InventoryFiles, places_of};
use lidless_io::{Budget, DiskBlocks, DiskCache, ReadAt, Tally};
use lidless_ledger::Case;
use lidless_storage::{Client, StorageError, StorageErrorKind, Store};
use lidless_token::Credential;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// What is kept on disk of inventories that lie in stores, so that nothing is fetched twice. What
/// does not fit is fetched again.
const DISK_BYTES: u64 = 4 << 30;
/// Data files that are asked for before it is said that there are none.
const FIRST: usize = 8;
/// After so many in a row that cannot be opened, the others are not asked for.
const IN_A_ROW: usize = 10;

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
                    let ways = ways(&access, book);
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
/// another host than its own.
fn ways(access: &Access, book: &Mutex<Book>) -> Vec<Access> {
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

/// An inventory in a store.
struct StoredFiles {
    ways: Vec<Arc<dyn Store>>,
    container: String,
    key: String,
    budget: Budget,
    disk: Arc<DiskBlocks>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Data files by what the manifest calls them, and why those are not there that are not.
    opened: HashMap<String, Result<InventoryFile, String>>,
    /// Which of the ways read last.
    way: usize,
    /// Which of the places of a data file the first one had.
    layout: Option<usize>,
    /// Files in a row that could not be opened.
    failed: usize,
}

impl StoredFiles {
    fn new(
        client: &Arc<Client>,
        ways: Vec<Access>,
        access: &Access,
        budget: &Budget,
        disk: &Arc<DiskBlocks>,
    ) -> Result<Self, EngineError> {
        let opened = ways.iter().map(|way| lidless_storage::open(client, way));
        let ways = opened
            .collect::<Result<_, StorageError>>()
            .map_err(|error| EngineError::Target(error.message))?;
        Ok(Self {
            ways,
            container: access.container.clone().unwrap_or_default(),
            key: access.key.clone().unwrap_or_default(),
            budget: budget.clone(),
            disk: Arc::clone(disk),
            state: Mutex::default(),
        })
    }

    fn place_of(&self, key: &str) -> String {
        let store = self.ways.first().map_or("", |store| store.name());
        format!("{store}/{}/{key}", self.container)
    }

    /// Opens an object through the first way that does.
    fn ask(&self, state: &mut State, key: &str) -> Result<InventoryFile, StorageError> {
        let mut refused: Option<StorageError> = None;
        let order = std::iter::once(state.way).chain(0..self.ways.len());
        let mut asked = Vec::new();
        for index in order {
            if asked.contains(&index) {
                continue;
            }
            asked.push(index);
            let Some(store) = self.ways.get(index) else { continue };
            match store.head(&self.container, key) {
                Ok(object) => {
                    if let Some(why) = object.unreadable() {
                        return Err(StorageError {
                            kind: StorageErrorKind::Conflict,
                            message: format!("{} is {why}", self.place_of(key)),
                            status: None,
                            code: None,
                        });
                    }
                    state.way = index;
                    let md5 = object.etag.as_ref().map(|etag| etag.to_ascii_lowercase());
                    let remote = store.open(&self.container, &object);
                    let metered = Metered::new(remote, self.budget.clone(), Tally::default());
                    let bytes = DiskCache::new(Arc::new(metered), Arc::clone(&self.disk));
                    let (place, bytes) = (self.place_of(key), Arc::new(bytes));
                    return Ok(InventoryFile { place, bytes, md5 });
                }
                Err(error) if error.kind == StorageErrorKind::Denied => {
                    refused.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(refused.unwrap_or_else(|| StorageError {
            kind: StorageErrorKind::Unsupported,
            message: format!("cannot ask about {}: nothing opens it", self.place_of(key)),
            status: None,
            code: None,
        }))
    }

    /// Looks for a data file: as its whole key says; the first one also elsewhere, as copies of
    /// buckets have it, and where it was, all others are.
    fn find(&self, state: &mut State, key: &str) -> Result<InventoryFile, String> {
        if state.failed >= IN_A_ROW {
            return Err(format!("is not asked for: {IN_A_ROW} before it could not be opened"));
        }
        let folder = Path::new(&self.key).parent().unwrap_or(Path::new(""));
        let mut places = vec![key.to_owned()];
        for place in places_of(folder, key) {
            let place = place.to_string_lossy().into_owned();
            if !places.contains(&place) {
                places.push(place);
            }
        }
        let chosen: Vec<(usize, &String)> = match state.layout {
            Some(0) => places.iter().enumerate().take(1).collect(),
            Some(layout) => {
                let there = places.iter().enumerate().skip(layout).take(1);
                there.chain(places.iter().enumerate().take(1)).collect()
            }
            None if state.failed > 0 => places.iter().enumerate().take(1).collect(),
            None => places.iter().enumerate().collect(),
        };
        let mut first: Option<StorageError> = None;
        for (index, place) in chosen {
            match self.ask(state, place) {
                Ok(file) => {
                    state.layout = Some(index);
                    state.failed = 0;
                    return Ok(file);
                }
                Err(error) => {
                    let goes_on =
                        matches!(error.kind, StorageErrorKind::Denied | StorageErrorKind::NotFound);
                    first.get_or_insert(error);
                    if !goes_on {
                        break;
                    }
                }
            }
        }
        state.failed = state.failed.saturating_add(1);
        let why = first.map_or_else(|| "nothing opens it".to_owned(), |error| error.message);
        Err(format!("cannot be read: {why}"))
    }
}

impl InventoryFiles for StoredFiles {
    fn place(&self) -> String {
        self.place_of(&self.key)
    }

    fn manifest(&self) -> Result<Arc<dyn ReadAt>, String> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(self.ask(&mut state, &self.key).map_err(|error| error.message)?.bytes)
    }

    fn checksum(&self) -> Option<Arc<dyn ReadAt>> {
        let key = Path::new(&self.key).with_extension("checksum");
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Some(self.ask(&mut state, key.to_str()?).ok()?.bytes)
    }

    fn open(&self, key: &str) -> Result<InventoryFile, String> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = state.opened.get(key) {
            return known.clone();
        }
        let found = self.find(&mut state, key);
        state.opened.insert(key.to_owned(), found.clone());
        found
    }

    fn any(&self, files: &[DataFile]) -> Result<(), String> {
        let mut first: Option<String> = None;
        for file in files.iter().take(FIRST) {
            match self.open(&file.key) {
                Ok(_) => return Ok(()),
                Err(why) => first.get_or_insert(why),
            };
        }
        first.map_or(Ok(()), |why| Err(format!("it {why}")))
    }
}
