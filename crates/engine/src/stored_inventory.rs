//! The files of an inventory where the store put them.

use crate::error::EngineError;
use crate::metered::Metered;
use lidless_core::{Access, Auth, Provider};
use lidless_inventory::{DataFile, InventoryFile, InventoryFiles, places_of};
use lidless_io::{Budget, DiskBlocks, DiskCache, ReadAt, Tally};
use lidless_storage::{Client, StorageError, StorageErrorKind, Store};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Data files that are asked for before it is said that there are none.
const FIRST: usize = 8;
/// After so many in a row that cannot be opened, the others are not asked for.
const IN_A_ROW: usize = 10;

/// An inventory in a store.
pub(crate) struct StoredFiles {
    ways: Vec<Arc<dyn Store>>,
    /// No credential was found for it.
    strange: bool,
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
    /// Opens the ways, best first; sends nothing.
    ///
    /// # Errors
    /// For a store that there is no client for.
    pub(crate) fn new(
        client: &Arc<Client>,
        ways: Vec<Access>,
        access: &Access,
        budget: &Budget,
        disk: &Arc<DiskBlocks>,
    ) -> Result<Self, EngineError> {
        let strange =
            access.provider != Provider::Http && ways.iter().all(|way| way.auth == Auth::Anonymous);
        let opened = ways.iter().map(|way| lidless_storage::open(client, way));
        let ways = opened
            .collect::<Result<_, StorageError>>()
            .map_err(|error| EngineError::Target(error.message))?;
        Ok(Self {
            ways,
            strange,
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
        let asked = self.ask(&mut state, &self.key);
        let asked = asked.map_err(|error| match self.strange {
            true => format!(
                "{}; it was asked as a stranger: give a link that opens it as @FILE, or \
                 --credentials",
                error.message
            ),
            false => error.message,
        });
        Ok(asked?.bytes)
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
