//! Inventories in place of listings: what they name becomes the objects of the case.

use crate::error::EngineError;
use crate::follow::Doors;
use crate::metadata::Metadata;
use crate::progress::Progress;
use crate::settings::ScanSettings;
use crate::target::Target;
use lidless_core::{Access, Gap, Object};
use lidless_inventory::{Inventory, Origin, Row};
use lidless_ledger::{Case, ContainerId, LedgerError};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

/// Objects put into the case at once.
const BATCH: usize = 1000;

/// Which containers are known from inventories and need no listing.
#[derive(Default)]
pub(crate) struct Inventoried {
    /// By store and container: which of the inventories name it, the newest first.
    by_store: BTreeMap<String, BTreeMap<String, Vec<usize>>>,
}

impl Inventoried {
    /// Finds out which containers the inventories name. Where the manifest says it, no row is
    /// read for it; where several name one container, that is told.
    ///
    /// # Errors
    /// When an inventory is of a store that no target opens, or the case cannot be written.
    pub(crate) fn survey(
        settings: &ScanSettings,
        inventories: &[Inventory],
        case: &Case,
    ) -> Result<Self, EngineError> {
        let mut known = Self::default();
        for (index, inventory) in inventories.iter().enumerate() {
            let origin = &inventory.manifest().origin;
            if !settings.follow && !settings.targets.iter().any(|target| opens(target, origin)) {
                return Err(EngineError::Target(format!(
                    "{} is the inventory of {}, which no target opens: name that store, or a \
                     credential for it, as the target",
                    inventory.place(),
                    origin.place()
                )));
            }
            let containers = known.by_store.entry(origin.store()).or_default();
            match origin.container() {
                Some(container) => {
                    containers.entry(container.to_owned()).or_default().push(index);
                }
                None => {
                    let mut named = BTreeSet::new();
                    let read = inventory.read(|row| {
                        if !named.contains(&row.container) {
                            named.insert(row.container);
                        }
                        Ok::<(), Infallible>(())
                    });
                    let Ok(told) = read;
                    // Said again when the objects are taken; where no container was named, only
                    // here.
                    case.put_local(&[], &[], &told.gaps)?;
                    for container in named {
                        containers.entry(container).or_default().push(index);
                    }
                }
            }
        }
        case.put_local(&[], &[], &known.overlaps(inventories))?;
        Ok(known)
    }

    /// What is told of containers that several inventories name.
    fn overlaps(&self, inventories: &[Inventory]) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for (store, containers) in &self.by_store {
            for (container, indexes) in containers.iter().filter(|(_, some)| some.len() > 1) {
                let made = indexes.iter().filter_map(|index| inventories.get(*index));
                let made: Vec<String> = made.map(date).collect();
                let reason = format!(
                    "named by {} inventories ({}): all were read, the newest decides where they \
                     name the same object, and what was deleted since the oldest may still be named",
                    made.len(),
                    made.join(", ")
                );
                gaps.push(Gap::new(format!("{store}/{container}"), reason, None));
            }
        }
        gaps
    }

    /// The containers of a store that inventories name.
    pub(crate) fn containers(&self, store: &str) -> impl Iterator<Item = &String> {
        self.by_store.get(store).into_iter().flat_map(BTreeMap::keys)
    }

    /// Whether a container needs no listing.
    pub(crate) fn covers(&self, store: &str, container: &str) -> bool {
        self.by_store.get(store).is_some_and(|containers| containers.contains_key(container))
    }

    /// Whether a newer inventory than this one names a container as well.
    fn has_newer(&self, store: &str, container: &str, index: usize) -> bool {
        let named = self.by_store.get(store).and_then(|containers| containers.get(container));
        named.and_then(|named| named.first()).is_some_and(|first| *first != index)
    }

    /// Whether anything that an access opens is known, so that a refused listing is not the end.
    pub(crate) fn knows(&self, access: &Access) -> bool {
        match &access.container {
            Some(container) => self.covers(&access.store(), container),
            None => self.by_store.contains_key(&access.store()),
        }
    }
}

fn date(inventory: &Inventory) -> String {
    match inventory.manifest().made {
        Some(made) => made.to_string(),
        None => "without a date".to_owned(),
    }
}

/// Whether a target may open what an inventory is of. What lies in a path is known only later.
fn opens(target: &Target, origin: &Origin) -> bool {
    let accesses = match target {
        Target::Credential { credential, .. } => match credential.access() {
            Some(access) => vec![access],
            // A key whose account is known only from what stands beside it.
            None => return true,
        },
        Target::Store { access, .. } => vec![access.clone()],
        Target::Path(_) | Target::GitUrl(_) => Vec::new(),
    };
    accesses.iter().any(|access| {
        access.store() == origin.store()
            && match (&access.container, origin.container()) {
                (Some(named), Some(container)) => named == container,
                _ => true,
            }
    })
}

/// The inventories of a run, and the doors that each was taken for.
pub(crate) struct Stocks<'a> {
    pub(crate) inventories: &'a [Inventory],
    /// By inventory: how many doors there were of its store. Without a new one, nothing that it
    /// names can come to be reached, and it is not read again.
    pub(crate) taken: BTreeMap<usize, usize>,
}

/// Puts what inventories name, as far as the doors reach, into the case. What is put twice is
/// there once.
///
/// # Errors
/// When the case cannot be written.
pub(crate) fn take_stock(
    settings: &ScanSettings,
    stocks: &mut Stocks<'_>,
    case: &Case,
    doors: &Doors,
    progress: &Progress,
    metadata: &Metadata<'_>,
) -> Result<(), EngineError> {
    for (index, inventory) in stocks.inventories.iter().enumerate() {
        let store = inventory.manifest().origin.store();
        let ids: BTreeMap<String, ContainerId> = doors.of_store(&store).collect();
        let count = doors.count(ids.values().copied());
        if ids.is_empty() || stocks.taken.insert(index, count) == Some(count) {
            continue;
        }
        let older = ids
            .iter()
            .filter(|(name, _)| doors.inventoried().has_newer(&store, name, index))
            .map(|(_, id)| *id)
            .collect();
        let outside = 0;
        let mut stock =
            Stock { settings, case, doors, progress, metadata, store, ids, older, outside };
        let mut batches: BTreeMap<ContainerId, Vec<(Object, i64)>> = BTreeMap::new();
        let mut waiting = 0usize;
        let told = inventory.read(|row| {
            if let Some((id, object)) = stock.place(row) {
                let priority = crate::order::priority(&object);
                batches.entry(id).or_default().push((object, priority));
                waiting = waiting.saturating_add(1);
                if waiting >= BATCH {
                    waiting = 0;
                    return stock.put(std::mem::take(&mut batches));
                }
            }
            Ok(())
        })?;
        stock.put(batches)?;
        let gaps = gaps(inventory, told.gaps, stock.outside);
        case.put_local(&[], &[], &gaps)?;
    }
    Ok(())
}

/// What is to be told of an inventory that was read.
fn gaps(inventory: &Inventory, mut gaps: Vec<Gap>, outside: u64) -> Vec<Gap> {
    let place = inventory.manifest().origin.place();
    let made = match inventory.manifest().made {
        Some(made) => format!("an inventory of {made}"),
        None => "an inventory without a date".to_owned(),
    };
    let reason = format!("named by {made} and not listed: what came since is not known");
    gaps.push(Gap::new(&place, reason, None));
    if outside > 0 {
        let reason =
            format!("{outside} rows of the inventory are outside of what the target opens");
        gaps.push(Gap::new(&place, reason, None));
    }
    gaps
}

struct Stock<'a> {
    settings: &'a ScanSettings,
    case: &'a Case,
    doors: &'a Doors,
    progress: &'a Progress,
    metadata: &'a Metadata<'a>,
    store: String,
    ids: BTreeMap<String, ContainerId>,
    /// Containers that a newer inventory names as well.
    older: BTreeSet<ContainerId>,
    outside: u64,
}

impl Stock<'_> {
    /// The container of a row, when a door reaches its object and the user left it in.
    fn place(&mut self, row: Row) -> Option<(ContainerId, Object)> {
        let id = self.ids.get(&row.container).copied();
        let Some(id) = id.filter(|id| self.doors.reaches(*id, &row.object.key)) else {
            self.outside = self.outside.saturating_add(1);
            return None;
        };
        (!self.settings.exclude.is_match(&row.object.key)).then_some((id, row.object))
    }

    fn put(&self, batches: BTreeMap<ContainerId, Vec<(Object, i64)>>) -> Result<(), LedgerError> {
        for (id, objects) in batches {
            let bytes = objects.iter().map(|(object, _)| object.size).fold(0, u64::saturating_add);
            self.progress.listed(u64::try_from(objects.len()).unwrap_or(0), bytes);
            let name = self.doors.name(id).map_or("", |(_, name)| name.as_str());
            // Before the objects: what is found beside them is not looked for again.
            self.metadata.look(id, (&self.store, name), &objects)?;
            if self.older.contains(&id) {
                self.case.add_objects(id, &objects)?;
            } else {
                self.case.put_objects(id, &objects)?;
            }
        }
        Ok(())
    }
}
