//! From a credential to what it opens: scope, probe, containers.

use crate::book::{Book, Known};
use crate::echo;
use crate::error::EngineError;
use crate::inventory::Inventoried;
use crate::left_out::LeftOut;
use crate::objects::{read_mark, service_read_mark};
use crate::progress::Progress;
use crate::rights;
use crate::settings::ScanSettings;
use lidless_core::{
    Access, Auth, AzureService, Container, Gap, Grant, GrantScope, GrantStatus, Permission,
    Provider, ServiceSeen, Severity,
};
use lidless_ledger::{Case, ContainerId, Reach};
use lidless_storage::{Client, Probe, StorageError, StorageErrorKind, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A way into a part of a container.
pub(crate) struct Door {
    pub(crate) reach: Reach,
    pub(crate) store: Arc<dyn Store>,
    /// Under which name the case keeps that content was read.
    pub(crate) mark: String,
    /// Whether the grant declares, or may have, read access.
    pub(crate) reads: bool,
    /// Set once content was read.
    pub(crate) has_read: Arc<AtomicBool>,
}

/// Every way into every container, found so far.
#[derive(Default)]
pub(crate) struct Doors {
    by_container: BTreeMap<ContainerId, Vec<Arc<Door>>>,
    /// By grant and by the name of the store: one credential may open several services.
    stores: BTreeMap<(String, String), Arc<dyn Store>>,
    names: BTreeMap<ContainerId, (String, String)>,
    /// Prefixes whose listing was started, by container.
    listed: BTreeMap<ContainerId, Vec<String>>,
    /// What is known without a listing.
    inventoried: Inventoried,
}

impl Doors {
    /// No way yet, and what is known without a listing.
    pub(crate) fn knowing(inventoried: Inventoried) -> Self {
        Self { inventoried, ..Self::default() }
    }

    /// The ways to read a key, best first.
    pub(crate) fn for_key(&self, container: ContainerId, key: &str) -> Vec<Arc<Door>> {
        let doors = self.by_container.get(&container).map_or(&[][..], Vec::as_slice);
        doors
            .iter()
            .filter(|door| {
                door.reads
                    && if door.reach.exact {
                        key == door.reach.prefix
                    } else {
                        key.starts_with(&door.reach.prefix)
                    }
            })
            .cloned()
            .collect()
    }

    /// The store that a container is in, through a grant.
    pub(crate) fn store(&self, grant: &str, container: ContainerId) -> Option<&Arc<dyn Store>> {
        let (store, _) = self.names.get(&container)?;
        self.stores.get(&(grant.to_owned(), store.clone()))
    }

    /// Whether any way reaches a key.
    pub(crate) fn reaches(&self, container: ContainerId, key: &str) -> bool {
        let doors = self.by_container.get(&container).map_or(&[][..], Vec::as_slice);
        doors.iter().any(|door| match door.reach.exact {
            true => key == door.reach.prefix,
            false => key.starts_with(&door.reach.prefix),
        })
    }

    /// The containers of a store that have a door, by name.
    pub(crate) fn of_store(&self, store: &str) -> impl Iterator<Item = (String, ContainerId)> {
        let names = self.names.iter().filter(move |(_, (known, _))| known == store);
        names.map(|(id, (_, name))| (name.clone(), *id))
    }

    /// What is known without a listing.
    pub(crate) fn inventoried(&self) -> &Inventoried {
        &self.inventoried
    }

    /// How many ways there are into some containers.
    pub(crate) fn count(&self, containers: impl Iterator<Item = ContainerId>) -> usize {
        containers.filter_map(|id| self.by_container.get(&id)).map(Vec::len).sum()
    }

    /// Whether the objects of a container come from an inventory.
    pub(crate) fn is_inventoried(&self, container: ContainerId) -> bool {
        let name = self.names.get(&container);
        name.is_some_and(|(store, name)| self.inventoried.covers(store, name))
    }

    /// The store and the name of a container.
    pub(crate) fn name(&self, container: ContainerId) -> Option<&(String, String)> {
        self.names.get(&container)
    }
}

/// Why a credential is left alone, or none when it may be followed.
fn left_alone(
    known: &Known,
    access: Option<&Access>,
    settings: &ScanSettings,
) -> (bool, Option<String>) {
    let Some(access) = access else {
        let reason = match known.grant.provider {
            Provider::Azure => "no blob account is known for it, or it opens another service",
            Provider::Aws => "a temporary key, which works only with its session token",
            Provider::Gcs => "a key that this version does not ask with",
            _ => "this version follows Azure, S3 and Google Cloud storage only",
        };
        return (false, Some(reason.into()));
    };
    let touch = lidless_storage::touch(access, &settings.endpoints);
    let in_scope = settings.scope.allows(&touch, settings.now);
    match in_scope {
        Err(denied) => (false, Some(denied.reason)),
        Ok(()) if settings.follow || known.named => (true, None),
        Ok(()) => (true, Some("not asked to: give --follow".into())),
    }
}

/// Follows every credential that was not followed yet; says how many were.
///
/// # Errors
/// When the case cannot be written. A store that does not answer is a gap.
pub(crate) fn follow(
    settings: &ScanSettings,
    client: &Arc<Client>,
    case: &Case,
    book: &Mutex<Book>,
    (doors, done): (&mut Doors, &mut BTreeSet<String>),
    progress: &Progress,
    left_out: &LeftOut,
) -> Result<usize, EngineError> {
    let mut chosen: Vec<(String, Access, Grant)> = Vec::new();
    {
        let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
        let mut marks = Vec::new();
        for (id, known) in book.known() {
            if done.contains(id) {
                continue;
            }
            let access = known.credential.access();
            let (in_scope, left) = left_alone(known, access.as_ref(), settings);
            if let (None, Some(access)) = (&left, access) {
                chosen.push((id.clone(), access, known.grant.clone()));
            }
            marks.push((id.clone(), in_scope, left));
        }
        for (id, in_scope, left) in marks {
            book.mark(&id, in_scope, left.is_none(), left.as_deref());
            done.insert(id);
        }
    }
    // The widest first, so that a container is listed with the grant that sees most of it.
    chosen.sort_by(|a, b| a.2.scope.cmp(&b.2.scope).then_with(|| a.0.cmp(&b.0)));
    let probes = probe_all(settings, client, &chosen);
    let mut followed = 0usize;
    for ((id, access, mut grant), (store, probe)) in chosen.into_iter().zip(probes) {
        followed = followed.saturating_add(1);
        match probe {
            Ok(mut probe) => {
                let book = book.lock().unwrap_or_else(PoisonError::into_inner);
                if let (Some(store), Some(known)) = (&store, book.get(&id)) {
                    echo::explain(&**store, &known.credential, &mut probe);
                }
                drop(book);
                if let Some(gap) = undecided(&grant.resource, &probe) {
                    case.put_local(&[], &[], &[gap])?;
                }
                grant.status = probe.status;
                grant.observed = Some(probe.observed);
                settle(&mut grant);
            }
            Err(error) => {
                if error.kind == StorageErrorKind::OutOfScope {
                    let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
                    book.mark(&id, false, false, Some(&error.message));
                } else {
                    let reason = format!("could not be asked: {}", error.message);
                    case.put_local(&[], &[], &[Gap::new(&grant.resource, reason, None)])?;
                }
            }
        }
        // Who may not list may still read what an inventory names.
        let unlisted = matches!(grant.status, GrantStatus::Denied | GrantStatus::Unknown)
            && doors.inventoried.knows(&access);
        if (grant.status == GrantStatus::Live || unlisted)
            && let Some(store) = store
        {
            enter(&id, &access, &grant, &store, case, doors, progress)?;
            let others = store.others();
            left_out.keep(case, &*store)?;
            doors.stores.insert((id.clone(), store.name().to_owned()), store);
            // One credential may open other services of the account as well.
            let access = Access { container: None, key: None, ..access };
            for store in others {
                if see(&mut grant, &*store, case)? {
                    enter(&id, &access, &grant, &store, case, doors, progress)?;
                    left_out.keep(case, &*store)?;
                    doors.stores.insert((id.clone(), store.name().to_owned()), store);
                }
            }
        }
        let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = book.get(&id) {
            rights::tell(&known.credential, &mut grant);
        }
        case.put_grant(&grant)?;
        book.set_grant(grant);
    }
    Ok(followed)
}

/// Asks another service of a grant's account; whether it answers the credential.
fn see(grant: &mut Grant, store: &dyn Store, case: &Case) -> Result<bool, EngineError> {
    let scheme = store.name().split("://").next().unwrap_or("");
    let service = AzureService::ALL.into_iter().find(|one| one.scheme() == scheme);
    let Some((service, observed)) = service.zip(grant.observed.as_mut()) else {
        return Ok(false);
    };
    let (seen, live) = match store.probe() {
        Ok(probe) => {
            if let Some(gap) = undecided(store.name(), &probe) {
                case.put_local(&[], &[], &[gap])?;
            }
            let Probe { status, observed } = probe;
            let seen = ServiceSeen {
                can_list_containers: observed.can_list_containers,
                can_list: observed.can_list,
                can_read: observed.can_read,
                meaning: observed.meaning,
            };
            (seen, status == GrantStatus::Live)
        }
        Err(error) => {
            // An account need not have every service; what is out of scope or does not answer is
            // something not seen.
            if error.kind != StorageErrorKind::NotFound {
                let reason = format!("could not be asked: {}", error.message);
                case.put_local(&[], &[], &[Gap::new(store.name(), reason, None)])?;
            }
            (ServiceSeen { meaning: Some(error.message), ..ServiceSeen::default() }, false)
        }
    };
    observed.services.insert(service.label().to_owned(), seen);
    Ok(live)
}

/// An answer that decides nothing leaves open what lies behind the credential.
fn undecided(place: &str, probe: &Probe) -> Option<Gap> {
    if probe.status != GrantStatus::Unknown {
        return None;
    }
    let meaning = probe.observed.meaning.as_deref().unwrap_or("no answer decides it");
    Some(Gap::new(place, format!("asked, and whether it works is not known: {meaning}"), None))
}

/// A grant that no longer works is worth tidying up, no more.
pub(crate) fn settle(grant: &mut Grant) {
    let ended = match grant.status {
        GrantStatus::Revoked => "revoked: the service no longer accepts it",
        GrantStatus::Expired => "expired: its time is over",
        _ => return,
    };
    if grant.severity > Severity::Low {
        grant.severity = Severity::Low;
        grant.why.push(format!("{ended}, so at most low"));
    }
}

type Probed = (Option<Arc<dyn Store>>, Result<lidless_storage::Probe, StorageError>);

fn probe_all(
    settings: &ScanSettings,
    client: &Arc<Client>,
    chosen: &[(String, Access, Grant)],
) -> Vec<Probed> {
    let results: Mutex<BTreeMap<usize, Probed>> = Mutex::new(BTreeMap::new());
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..settings.jobs.clamp(1, chosen.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some((_, access, _)) = chosen.get(index) else { break };
                    let probed = match lidless_storage::open(client, access) {
                        Ok(store) => {
                            let probe = store.probe();
                            (Some(store), probe)
                        }
                        Err(error) => (None, Err(error)),
                    };
                    results.lock().unwrap_or_else(PoisonError::into_inner).insert(index, probed);
                }
            });
        }
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}

/// Names what a live grant reaches and starts the listings.
fn enter(
    id: &str,
    access: &Access,
    grant: &Grant,
    store: &Arc<dyn Store>,
    case: &Case,
    doors: &mut Doors,
    progress: &Progress,
) -> Result<(), EngineError> {
    let key = access.key.as_deref().unwrap_or("");
    let mut exact =
        matches!(grant.scope, GrantScope::Object | GrantScope::Version | GrantScope::Snapshot)
            && !key.is_empty();
    // What the user named may be a folder or an object: only the store knows.
    if let Some(container) = &access.container
        && access.provider != Provider::Azure
        && !matches!(access.auth, Auth::Query(_))
        && matches!(grant.scope, GrantScope::Object | GrantScope::Directory)
        && !key.is_empty()
        && may_list(grant)
    {
        exact = !key.ends_with('/') && store.head(container, key).is_ok();
    }
    let named = access.container.clone().filter(|_| grant.scope != GrantScope::Account);
    let found = match named {
        Some(name) => Ok(vec![Container { name, public: public_of(grant), modified: None }]),
        None => store.containers(),
    };
    let containers = match found {
        Ok(containers) => containers,
        Err(error) => match &access.container {
            Some(name) => {
                vec![Container { name: name.clone(), public: None, modified: None }]
            }
            None => {
                let reason = format!("containers could not be listed: {}", error.message);
                case.put_local(&[], &[], &[Gap::new(store.name(), reason, None)])?;
                Vec::new()
            }
        },
    };
    let containers = with_inventoried(containers, access, grant, store, doors);
    let has_read = Arc::new(AtomicBool::new(false));
    let own = access.azure_service();
    let other = AzureService::ALL
        .into_iter()
        .find(|one| *one != own && store.name().starts_with(&format!("{}://", one.scheme())));
    let mark = match other.filter(|_| access.provider == Provider::Azure) {
        Some(service) => service_read_mark(id, service),
        None => read_mark(id),
    };
    for container in containers {
        progress.container();
        let container_id = case.put_container(store.name(), &container)?;
        let prefix = if exact {
            key.to_owned()
        } else if matches!(grant.scope, GrantScope::Directory | GrantScope::Object)
            && !key.is_empty()
        {
            format!("{}/", key.trim_end_matches('/'))
        } else {
            String::new()
        };
        let reach = Reach { container: container_id, prefix: prefix.clone(), exact };
        case.put_reach(id, &reach)?;
        doors.names.insert(container_id, (store.name().to_owned(), container.name.clone()));
        doors.by_container.entry(container_id).or_default().push(Arc::new(Door {
            reach,
            store: Arc::clone(store),
            mark: mark.clone(),
            reads: grant.may(Permission::Read) != Some(false),
            has_read: Arc::clone(&has_read),
        }));
        if exact {
            match store.head(&container.name, key) {
                Ok(object) => {
                    let priority = crate::order::priority(&object);
                    progress.listed(1, object.size);
                    case.put_objects(container_id, &[(object, priority)])?;
                }
                Err(error) => {
                    let place = format!("{}/{}/{key}", store.name(), container.name);
                    let reason = format!("could not be asked: {}", error.message);
                    case.put_local(&[], &[], &[Gap::new(place, reason, None)])?;
                }
            }
        } else if doors.inventoried.covers(store.name(), &container.name) {
            // Its objects come from the inventory.
        } else if may_list(grant) {
            let started = doors.listed.entry(container_id).or_default();
            if !started.iter().any(|known| prefix.starts_with(known.as_str())) {
                case.start_listing(container_id, &prefix, id)?;
                started.push(prefix);
            }
        } else {
            // The name that the link itself brings is known all the same.
            let named = !key.is_empty()
                && grant.scope != GrantScope::Directory
                && access.container.as_deref() == Some(container.name.as_str());
            if named
                && grant.may(Permission::Read) != Some(false)
                && let Ok(object) = store.head(&container.name, key)
            {
                let priority = crate::order::priority(&object);
                progress.listed(1, object.size);
                case.put_objects(container_id, &[(object, priority)])?;
            }
            let place = format!("{}/{}", store.name(), container.name);
            let reason = "the grant does not list, so names are not known";
            case.put_local(&[], &[], &[Gap::new(place, reason, None)])?;
        }
    }
    Ok(())
}

/// The containers of a store, with those that only inventories name.
fn with_inventoried(
    mut containers: Vec<Container>,
    access: &Access,
    grant: &Grant,
    store: &Arc<dyn Store>,
    doors: &Doors,
) -> Vec<Container> {
    if access.container.is_none() || grant.scope == GrantScope::Account {
        let known: BTreeSet<String> = containers.iter().map(|one| one.name.clone()).collect();
        let named = doors.inventoried.containers(store.name());
        for name in named.filter(|name| !known.contains(*name)) {
            containers.push(Container { name: name.clone(), public: None, modified: None });
        }
    }
    containers
}

fn may_list(grant: &Grant) -> bool {
    let observed = grant.observed.as_ref().and_then(|seen| seen.can_list);
    observed.unwrap_or_else(|| grant.may(Permission::List) != Some(false))
}

fn public_of(grant: &Grant) -> Option<lidless_core::PublicAccess> {
    let observed = grant.observed.as_ref()?;
    if observed.public != Some(true) {
        return None;
    }
    Some(if observed.can_list == Some(true) {
        lidless_core::PublicAccess::Container
    } else {
        lidless_core::PublicAccess::Blob
    })
}
