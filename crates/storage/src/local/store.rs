//! A folder as a store: its one container is the folder, its keys are the paths below it.

use super::address::part_of;
use super::bytes::LocalBytes;
use super::list::{Item, Walk};
use super::probe;
use super::refusal::refused;
use super::tree::{Kind, Tree, kind, names, object};
use crate::store::{
    ListPage, ListRequest, Probe, StorageError, StorageErrorKind, Store, malformed,
};
use lidless_core::{Container, Gap, Layer, Object, Provenance};
use lidless_io::ReadAt;
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Names on a page at most.
const PAGE: u32 = 5000;
/// Gaps that are kept one by one; more are counted.
const GAPS: usize = 10_000;

/// Opens a folder of this machine as a store. Its container is called like the folder; links in
/// it are not followed, and what is no regular file is not opened: both are told as gaps.
///
/// # Errors
/// `NotFound` when there is no such folder, `Denied` when the way to it is barred.
pub fn open_folder(path: &Path) -> Result<Arc<dyn Store>, StorageError> {
    let what = format!("open {}", path.display());
    let failed = |error: std::io::Error| {
        let code = Errno::from_io_error(&error).unwrap_or(Errno::IO);
        refused(&what, code)
    };
    let root = path.canonicalize().map_err(failed)?;
    if !root.metadata().map_err(failed)?.is_dir() {
        return Err(refused(&what, Errno::NOTDIR));
    }
    let shown = part_of(root.as_os_str().as_bytes());
    let (above, container) = match shown.rsplit_once('/') {
        Some((above, name)) => (above.to_owned(), name.to_owned()),
        None => (String::new(), shown.clone()),
    };
    let name = Provenance::new(Layer::File { path: above }).to_string();
    let tree = Arc::new(Tree { root, shown });
    Ok(Arc::new(LocalStore {
        tree,
        name,
        container,
        under_way: Mutex::default(),
        gaps: Mutex::default(),
    }))
}

/// The store.
struct LocalStore {
    tree: Arc<Tree>,
    name: String,
    container: String,
    /// The walk of the last page, for the one that goes on with it.
    under_way: Mutex<Option<UnderWay>>,
    gaps: Mutex<Known>,
}

/// A walk that stopped at the end of a page.
struct UnderWay {
    /// The request that goes on with it.
    request: ListRequest,
    walk: Walk,
    /// What it came to last and no page has.
    first: Item,
}

/// Gaps found so far.
#[derive(Default)]
struct Known {
    gaps: BTreeSet<Gap>,
    /// There were more.
    is_full: bool,
}

impl LocalStore {
    fn note(&self, gap: Gap) {
        let mut known = self.gaps.lock().unwrap_or_else(PoisonError::into_inner);
        if known.gaps.len() < GAPS {
            known.gaps.insert(gap);
        } else {
            known.is_full |= !known.gaps.contains(&gap);
        }
    }

    /// The walk that gives the page of a request.
    fn walk(&self, request: &ListRequest, after: Option<&str>) -> (Walk, Option<Item>) {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        match under_way.take_if(|kept| is_same(&kept.request, request)) {
            Some(kept) => (kept.walk, Some(kept.first)),
            None => {
                let folded = request.delimited;
                (Walk::new(&self.tree, &request.prefix, folded, after), None)
            }
        }
    }

    fn is_known(&self, container: &str, what: &str) -> Result<(), StorageError> {
        if container == self.container { Ok(()) } else { Err(refused(what, Errno::NOENT)) }
    }
}

/// Whether two requests ask for the same, however much of it.
fn is_same(one: &ListRequest, other: &ListRequest) -> bool {
    (&one.prefix, one.delimited, &one.cursor) == (&other.prefix, other.delimited, &other.cursor)
}

impl Store for LocalStore {
    fn name(&self) -> &str {
        &self.name
    }

    fn probe(&self) -> Result<Probe, StorageError> {
        probe::probe(&self.tree)
    }

    fn containers(&self) -> Result<Vec<Container>, StorageError> {
        Ok(vec![Container { name: self.container.clone(), public: None, modified: None }])
    }

    fn list(&self, request: &ListRequest) -> Result<ListPage, StorageError> {
        let what = format!("list {}", self.tree.place(&request.prefix));
        self.is_known(&request.container, &what)?;
        let after = request.cursor.as_deref();
        if after.is_some_and(|after| !after.starts_with(&request.prefix)) {
            return Err(malformed(&what, "the place to go on from is not below the prefix"));
        }
        if after.is_none() {
            // That the root itself is refused is an answer to the listing, not a gap in it.
            let root = self.tree.folder("").map_err(|error| refused(&what, error))?;
            drop(names(&root).map_err(|error| refused(&what, error))?);
        }
        let most = usize::try_from(request.max.unwrap_or(PAGE).clamp(1, PAGE)).unwrap_or(1);
        let (mut walk, mut first) = self.walk(request, after);
        let mut page = ListPage::default();
        let mut last = None;
        while let Some(item) = first.take().or_else(|| walk.next()) {
            if page.objects.len().saturating_add(page.prefixes.len()) >= most
                && !matches!(item, Item::Gap(_))
            {
                page.next = last;
                let request = ListRequest { cursor: page.next.clone(), ..request.clone() };
                let mut kept = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
                *kept = Some(UnderWay { request, walk, first: item });
                return Ok(page);
            }
            match item {
                Item::Object(object) => {
                    last = Some(object.key.clone());
                    page.objects.push(object);
                }
                Item::Prefix(prefix) => {
                    last = Some(prefix.clone());
                    page.prefixes.push(prefix);
                }
                Item::Gap(gap) => self.note(gap),
            }
        }
        Ok(page)
    }

    fn head(&self, container: &str, key: &str) -> Result<Object, StorageError> {
        let what = format!("look at {}", self.tree.place(key));
        self.is_known(container, &what)?;
        let stat = self.tree.look(key).map_err(|error| match error {
            // That a folder on the way is a link shows nothing of what it points at.
            Errno::LOOP => refused(&what, Errno::NOENT),
            error => refused(&what, error),
        })?;
        match kind(&stat) {
            Kind::File => Ok(object(key.to_owned(), &stat)),
            Kind::Folder => Err(StorageError {
                kind: StorageErrorKind::NotFound,
                message: format!("cannot {what}: it is a folder"),
                status: None,
                code: None,
            }),
            Kind::Link => Err(refused(&what, Errno::LOOP)),
            Kind::Special => Err(refused(&what, Errno::OPNOTSUPP)),
        }
    }

    fn open(&self, _container: &str, object: &Object) -> Arc<dyn ReadAt> {
        Arc::new(LocalBytes::new(Arc::clone(&self.tree), object))
    }

    fn gaps(&self) -> Vec<Gap> {
        let known = self.gaps.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = known.is_full.then(|| {
            let reason = format!("more than {GAPS} places could not be listed");
            Gap::new(self.tree.place(""), reason, None)
        });
        known.gaps.iter().cloned().chain(rest).collect()
    }
}
