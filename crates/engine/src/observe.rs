//! What a store or a folder holds now, for seals: names, sizes and versions, and the content on
//! request.

use crate::error::EngineError;
use crate::order::is_model_name;
use crate::scan::{client, named_scope};
use crate::settings::ScanSettings;
use crate::target::Target;
use lidless_core::{Access, Object, Permission};
use lidless_io::ReadAt;
use lidless_storage::{ListRequest, StorageErrorKind, Store, open_folder};
use percent_encoding::percent_decode_str;
use std::path::Path;
use std::sync::Arc;

/// More objects than a model's folder has; a seal of a whole lake would help nobody.
const MOST: usize = 1_000_000;

/// What a store holds now, as far as one credential reaches.
pub struct StoreView {
    /// `az://ACCOUNT[/CONTAINER[/PREFIX]]`, or the path of a folder.
    pub name: String,
    /// The objects, sorted by name.
    pub objects: Vec<SeenObject>,
    /// Names of what is in a folder and neither file nor folder, links above all.
    pub odd: Vec<String>,
    /// Whether the credential may change what is there, as far as it says.
    pub writable: bool,
}

/// One object.
pub struct SeenObject {
    /// Its key below the container or the prefix that was named; `CONTAINER/KEY` when several
    /// containers were listed.
    pub name: String,
    /// What the store says of it.
    pub object: Object,
    /// Its bytes, read on demand.
    pub bytes: Arc<dyn ReadAt>,
}

impl StoreView {
    /// The object of that name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&SeenObject> {
        let at = self.objects.binary_search_by(|one| one.name.as_str().cmp(name)).ok()?;
        self.objects.get(at)
    }
}

impl SeenObject {
    /// Whether its name is that of a model file.
    #[must_use]
    pub fn is_model(&self) -> bool {
        is_model_name(&self.name)
    }
}

/// Whether a path is named like a model file.
#[must_use]
pub fn names_a_model(path: &str) -> bool {
    is_model_name(path)
}

/// Lists everything that the one target of `settings`, a store or a credential for one, reaches.
///
/// # Errors
/// When the target is no store, or cannot be listed to its end: a seal of half a store would be
/// a promise not kept.
pub fn observe(settings: &ScanSettings) -> Result<StoreView, EngineError> {
    let [target] = settings.targets.as_slice() else {
        return Err(EngineError::Target("name one store".into()));
    };
    let (access, writable) = match target {
        Target::Credential { credential, .. } => {
            let grant = credential.grant(settings.now, &settings.keys);
            let changes = |permission: &Permission| {
                matches!(
                    permission,
                    Permission::Write | Permission::Create | Permission::Add | Permission::Delete
                )
            };
            // An account key declares nothing and may do everything.
            let all = credential.access().is_some() && grant.permissions.is_none();
            let link = matches!(**credential, lidless_token::Credential::Link(_));
            let writable = grant.permissions.iter().flatten().any(changes) || (all && !link);
            (credential.access(), writable)
        }
        Target::Store { own: Some(own), .. } => {
            (lidless_token::Credential::Own(own.clone()).access(), false)
        }
        Target::Store { access, .. } => (Some(access.clone()), false),
        Target::Path(_) | Target::GitUrl(_) => (None, false),
    };
    let access =
        access.ok_or_else(|| EngineError::Target("not a store that can be listed".into()))?;
    let mut settings = settings.clone();
    settings.scope = named_scope(&settings);
    let store = lidless_storage::open(&client(&settings, None), &access).map_err(failed)?;
    let mut view =
        StoreView { name: place(&access), objects: Vec::new(), odd: Vec::new(), writable };
    match &access.container {
        Some(container) => {
            let key = access.key.as_deref().unwrap_or("");
            if !key.is_empty()
                && let Ok(object) = store.head(container, key)
            {
                let name = key.rsplit('/').next().unwrap_or(key).to_owned();
                let bytes = store.open(container, &object);
                view.objects.push(SeenObject { name, object, bytes });
            } else {
                list(&*store, container, key, "", &mut view)?;
            }
        }
        None => {
            for container in store.containers().map_err(failed)? {
                let prefix = format!("{}/", container.name);
                list(&*store, &container.name, "", &prefix, &mut view)?;
            }
        }
    }
    view.objects.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(view)
}

/// Lists everything below a folder of this machine but what is left out by name.
///
/// # Errors
/// When it cannot be listed to its end, as [`observe`].
pub fn observe_folder(
    folder: &Path,
    is_left_out: &dyn Fn(&str) -> bool,
) -> Result<StoreView, EngineError> {
    let store = open_folder(folder).map_err(failed)?;
    let name = folder.display().to_string();
    let (objects, odd) = (Vec::new(), Vec::new());
    let mut view = StoreView { name, objects, odd, writable: false };
    let containers = store.containers().map_err(failed)?;
    for container in &containers {
        list(&*store, &container.name, "", "", &mut view)?;
        for gap in store.gaps() {
            let decoded = |place: &str| percent_decode_str(place).decode_utf8_lossy().into_owned();
            let root = format!("{}/{}/", decoded(store.name()), container.name);
            let place = decoded(&gap.location);
            let name = place.strip_prefix(&root).unwrap_or(&place);
            let Err(error) = store.head(&container.name, name) else { continue };
            match error.kind {
                _ if is_left_out(name) => {}
                StorageErrorKind::Unsupported => view.odd.push(name.to_owned()),
                _ => {
                    let why = format!("cannot read {place}: {}", gap.reason);
                    return Err(EngineError::NothingScanned(why));
                }
            }
        }
    }
    view.objects.retain(|one| !is_left_out(&one.name));
    for one in &mut view.objects {
        // A copy on another machine has another version, and is the same.
        one.object.etag = None;
    }
    view.objects.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(view)
}

fn failed(error: lidless_storage::StorageError) -> EngineError {
    let hint = match error.kind {
        StorageErrorKind::Denied => "; sealing and verifying need to list",
        _ => "",
    };
    EngineError::NothingScanned(format!("{}{hint}", error.message))
}

fn place(access: &Access) -> String {
    let mut name = access.store();
    for part in [&access.container, &access.key].into_iter().flatten() {
        name.push('/');
        name.push_str(part);
    }
    name
}

fn list(
    store: &dyn Store,
    container: &str,
    prefix: &str,
    named: &str,
    view: &mut StoreView,
) -> Result<(), EngineError> {
    // A folder, not every key that begins like it.
    let prefix = match prefix {
        "" => String::new(),
        folder => format!("{}/", folder.trim_end_matches('/')),
    };
    let mut request = ListRequest {
        container: container.to_owned(),
        prefix: prefix.clone(),
        ..ListRequest::default()
    };
    loop {
        let page = store.list(&request).map_err(failed)?;
        // A seal is of what is there now.
        for object in page.objects.into_iter().filter(|object| object.version.is_none()) {
            if view.objects.len() >= MOST {
                return Err(EngineError::Target(format!("more than {MOST} objects: name a part")));
            }
            let below = object.key.strip_prefix(&prefix).unwrap_or(&object.key);
            let name = format!("{named}{below}");
            let bytes = store.open(container, &object);
            view.objects.push(SeenObject { name, object, bytes });
        }
        match page.next {
            Some(next) => request.cursor = Some(next),
            None => return Ok(()),
        }
    }
}
