//! What every store must answer, whoever provides it. What differs between providers is told by a
//! [`World`]; credentials and what they open are each provider's own tests.

#![allow(dead_code, reason = "each test file uses a part of it")]

mod names;

#[allow(unused_imports, reason = "each test file uses a part of it")]
pub use names::{LARGE, bytes_of, odd_names};

use lidless_core::{GrantStatus, Object, Timestamp};
use lidless_io::{ReadAt as _, ReadErrorKind, read_exact_vec};
use lidless_storage::{ListRequest, Seeking, StorageErrorKind, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A store under test, and how its kind differs from others.
pub struct World<'a> {
    /// Its name as places write it.
    pub name: String,
    pub store: Arc<dyn Store>,
    /// The containers that are listed.
    pub containers: Vec<String>,
    /// The container that holds the objects.
    pub container: String,
    /// What a listing stays below: empty, or a folder with a slash.
    pub below: &'static str,
    /// Key and content.
    pub objects: BTreeMap<String, Vec<u8>>,
    /// The same store through a credential that is refused.
    pub refused: Option<Arc<dyn Store>>,
    pub ways: Ways,
    /// Requests that were sent so far, where any are.
    pub requests: Option<&'a dyn Fn() -> u64>,
    /// Gives an object another content of the same length.
    pub change: Option<&'a dyn Fn(&str)>,
    /// Everything the service holds, told by other means than the store under test.
    pub state: &'a dyn Fn() -> String,
}

/// How kinds of store differ.
#[derive(Debug, Clone, Copy)]
pub struct Ways {
    /// Names come in the order of their bytes.
    pub is_ordered: bool,
    /// Every object has a version to check reads by.
    pub has_versions: bool,
    /// Containers are asked for by name, so that one can be missing.
    pub has_containers: bool,
    /// A listing below what is not there is empty, not refused.
    pub lists_nothing_below_nothing: bool,
    /// Requests say which range they want, so that the end of an object is checked by it.
    pub checks_size: bool,
    /// A listing can be begun in its middle.
    pub is_sought: bool,
}

impl Ways {
    /// Those of an object store.
    pub const OBJECTS: Self = Self {
        is_ordered: true,
        has_versions: true,
        has_containers: true,
        lists_nothing_below_nothing: true,
        checks_size: true,
        is_sought: true,
    };
}

/// All of it. The last check changes an object.
pub fn conformance(world: &World<'_>) {
    let before = (world.state)();
    the_store_is_named_and_probed(world);
    everything_is_listed_once(world);
    pages_are_parts_of_the_whole(world);
    prefixes_are_folded(world);
    a_listing_is_begun_in_its_middle(world);
    what_is_listed_is_what_is_asked_about_and_read(world);
    ranges_are_read(world);
    what_is_missing_is_said(world);
    a_refusal_is_an_answer(world);
    another_version_is_not_read(world);
    assert_eq!((world.state)(), before, "{}: something was written", world.name);
    what_changed_is_not_read(world);
}

/// Every page of a listing: objects, prefixes, and how many pages it took.
pub fn list_all(store: &dyn Store, request: &ListRequest) -> (Vec<Object>, Vec<String>, usize) {
    let (mut objects, mut prefixes, mut pages) = (Vec::new(), Vec::new(), 0);
    let mut request = request.clone();
    loop {
        let page = store.list(&request).unwrap();
        objects.extend(page.objects);
        prefixes.extend(page.prefixes);
        pages += 1;
        assert!(pages < 10_000, "{request:?} does not end");
        assert!(page.next.is_none() || page.next != request.cursor, "{request:?} stands still");
        request.cursor = page.next;
        if request.cursor.is_none() {
            return (objects, prefixes, pages);
        }
    }
}

/// A listing of all of a container.
pub fn in_container(name: &str) -> ListRequest {
    ListRequest { container: name.to_owned(), ..ListRequest::default() }
}

impl World<'_> {
    fn request(&self, prefix: &str) -> ListRequest {
        ListRequest { prefix: format!("{}{prefix}", self.below), ..in_container(&self.container) }
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.below)
    }

    fn head(&self, name: &str) -> Object {
        self.store.head(&self.container, &self.key(name)).unwrap()
    }

    /// The keys of objects and the folded prefixes that a listing has to give.
    fn expected(&self, prefix: &str, folded: bool) -> (BTreeSet<String>, BTreeSet<String>) {
        let (mut keys, mut prefixes) = (BTreeSet::new(), BTreeSet::new());
        for name in self.objects.keys() {
            let Some(rest) = name.strip_prefix(prefix) else { continue };
            match rest.split_once('/').filter(|_| folded) {
                Some((folder, _)) => drop(prefixes.insert(self.key(&format!("{prefix}{folder}/")))),
                None => drop(keys.insert(self.key(name))),
            }
        }
        (keys, prefixes)
    }

    fn is(&self, list: &[Object], prefixes: &[String], prefix: &str, folded: bool) {
        let what = format!("{} below {prefix:?}, folded {folded}", self.name);
        let (keys, wanted) = self.expected(prefix, folded);
        let listed: BTreeSet<String> = list.iter().map(|it| it.key.clone()).collect();
        assert_eq!(listed, keys, "{what}, gaps {:?}", self.store.gaps());
        assert_eq!(list.len(), keys.len(), "{what}: an object twice");
        let found: BTreeSet<String> = prefixes.iter().cloned().collect();
        assert_eq!(found, wanted, "{what}");
        assert_eq!(prefixes.len(), wanted.len(), "{what}: a prefix twice");
        if self.ways.is_ordered {
            assert!(list.is_sorted_by(|a, b| a.key < b.key), "{what}: {list:?}");
            assert!(prefixes.is_sorted(), "{what}: {prefixes:?}");
        }
    }
}

fn the_store_is_named_and_probed(world: &World<'_>) {
    assert_eq!(world.store.name(), world.name);
    let seen = world.store.probe().unwrap();
    assert_eq!(seen.status, GrantStatus::Live, "{}: {seen:?}", world.name);
    assert_eq!(seen.observed.can_list, Some(true), "{}: {seen:?}", world.name);
    assert!(seen.observed.checked_at.is_some(), "{}", world.name);
    let mut names: Vec<String> =
        world.store.containers().unwrap().into_iter().map(|it| it.name).collect();
    names.sort();
    let mut wanted = world.containers.clone();
    wanted.sort();
    assert_eq!(names, wanted, "{}", world.name);
}

fn everything_is_listed_once(world: &World<'_>) {
    let (objects, prefixes, _) = list_all(&*world.store, &world.request(""));
    world.is(&objects, &prefixes, "", false);
    let now = Timestamp::now();
    for object in &objects {
        let name = object.key.strip_prefix(world.below).unwrap();
        assert_eq!(object.size, world.objects[name].len() as u64, "{object:?}");
        assert_eq!(object.version, None, "{object:?}");
        if world.ways.has_versions {
            assert!(object.etag.as_ref().is_some_and(|etag| !etag.contains('"')), "{object:?}");
            // Another machine's clock may be ahead a little; this one's is not.
            assert!(object.modified.is_some_and(|time| time <= now), "{object:?}");
        }
    }
    assert_eq!(world.store.gaps(), [], "{}", world.name);
}

fn pages_are_parts_of_the_whole(world: &World<'_>) {
    let (whole, ..) = list_all(&*world.store, &world.request(""));
    for most in [1, 2, 3, 7] {
        let request = ListRequest { max: Some(most), ..world.request("") };
        let (paged, _, pages) = list_all(&*world.store, &request);
        assert_eq!(paged, whole, "{}, {most} a page", world.name);
        assert!(pages >= whole.len().div_ceil(most as usize), "{}: {pages} pages", world.name);
    }
    // A page that is asked for out of turn is the same: a run that is resumed asks so.
    let mut pages = Vec::new();
    let mut request = ListRequest { max: Some(2), ..world.request("") };
    loop {
        let page = world.store.list(&request).unwrap();
        assert!(page.objects.len() <= 2, "{}: {page:?}", world.name);
        let next = page.next.clone();
        pages.push((request.clone(), page));
        request.cursor = next;
        if request.cursor.is_none() {
            break;
        }
    }
    for (request, page) in pages.iter().rev() {
        assert_eq!(&world.store.list(request).unwrap(), page, "{} {request:?}", world.name);
    }
}

fn prefixes_are_folded(world: &World<'_>) {
    let prefixes = ["", "100%/", "pl", "deep", "deep/", "deep/er", "deep/er/", "ünï/", "ünï/日"];
    for prefix in prefixes.into_iter().chain(["a b/c d.txt", "plus+and&and=and#and?"]) {
        for most in [None, Some(1), Some(2)] {
            for delimited in [false, true] {
                let request = ListRequest { max: most, delimited, ..world.request(prefix) };
                let (objects, prefixes, _) = list_all(&*world.store, &request);
                world.is(&objects, &prefixes, prefix, delimited);
                let page = world.store.list(&request).unwrap();
                let named = page.objects.len() + page.prefixes.len();
                assert!(most.is_none_or(|most| named <= most as usize), "{request:?}: {page:?}");
            }
        }
    }
    for delimited in [false, true] {
        let nothing = ListRequest { delimited, ..world.request("plain.txtx") };
        let (objects, prefixes, _) = list_all(&*world.store, &nothing);
        assert_eq!((objects, prefixes), (Vec::new(), Vec::new()), "{}", world.name);
    }
}

fn a_listing_is_begun_in_its_middle(world: &World<'_>) {
    let store = &*world.store;
    assert_eq!(store.seeking() != Seeking::Nowhere, world.ways.is_sought, "{}", world.name);
    let (whole, ..) = list_all(store, &world.request(""));
    let mut found = 0;
    for from in ["a", "deep/", "deep/er/", "plain.txt", "q", "ünï/"] {
        let from = world.key(from);
        let Some(seek) = store.seek(&world.request(""), &from).unwrap() else { continue };
        found += 1;
        assert!(world.ways.is_sought && seek.start >= from, "{}: {seek:?}", world.name);
        let request = ListRequest { cursor: Some(seek.cursor.clone()), ..world.request("") };
        let rest: Vec<Object> =
            seek.objects.iter().cloned().chain(list_all(store, &request).0).collect();
        let wanted: Vec<Object> = whole.iter().filter(|it| it.key >= seek.start).cloned().collect();
        assert_eq!(rest, wanted, "{} from {from:?}", world.name);
        assert_eq!(Some(&seek.first), wanted.first().map(|it| &it.key), "{from:?}");
        // Nothing lies between what was asked for and what was found.
        let between = whole.iter().filter(|it| it.key > from && it.key < seek.start).count();
        assert_eq!(between, 0, "{}: {seek:?}", world.name);
    }
    if store.seeking() == Seeking::Anywhere {
        assert_eq!(found, 6, "{}", world.name);
    }
    let past = world.key("\u{10ffff}");
    assert_eq!(store.seek(&world.request(""), &past).unwrap(), None, "{}", world.name);
}

fn what_is_listed_is_what_is_asked_about_and_read(world: &World<'_>) {
    let (whole, ..) = list_all(&*world.store, &world.request(""));
    for listed in &whole {
        let asked = world.store.head(&world.container, &listed.key).unwrap();
        assert_eq!((&asked.key, asked.size), (&listed.key, listed.size), "{}", world.name);
        if world.ways.has_versions {
            // Headers know no parts of a second.
            let second = |it: &Object| it.modified.map(Timestamp::as_second);
            assert_eq!((&asked.etag, second(&asked)), (&listed.etag, second(listed)));
        }
        let content = &world.objects[listed.key.strip_prefix(world.below).unwrap()];
        for object in [listed, &asked] {
            let sent = world.requests.map(|requests| requests());
            let source = world.store.open(&world.container, object);
            assert_eq!(source.len(), content.len() as u64);
            assert_eq!(world.requests.map(|requests| requests()), sent, "opening sends nothing");
            let bytes = read_exact_vec(&*source, 0, source.len()).unwrap();
            assert!(&bytes == content, "{}: {} has other bytes", world.name, listed.key);
        }
    }
}

fn ranges_are_read(world: &World<'_>) {
    let content = &world.objects[LARGE];
    let source = world.store.open(&world.container, &world.head(LARGE));
    let end = source.len();
    let cut = 8 << 20;
    let ranges = [
        5..9,
        0..3,
        600_000..600_010,
        end - 3..end + 99,
        7..7,
        end..end + 5,
        end + 3..end + 5,
        600_100..600_104,
        cut - 2..cut + 2,
        1..end - 1,
    ];
    let parts = source.read_ranges(&ranges).unwrap();
    for (range, part) in ranges.iter().zip(&parts) {
        let at = |offset: u64| (offset as usize).min(content.len());
        assert!(part == &content[at(range.start)..at(range.end)], "{} {range:?}", world.name);
        let wanted = range.end - range.start;
        let mut buffer = vec![0; wanted as usize];
        let read = source.read_at(range.start, &mut buffer).unwrap();
        assert!(buffer[..read] == part[..], "{} {range:?}", world.name);
    }
    let mut buffer = [0; 10];
    assert_eq!(source.read_at(end - 4, &mut buffer).unwrap(), 4);
    assert_eq!(source.read_at(end + 4, &mut buffer).unwrap(), 0);
    assert_eq!(source.read_at(u64::MAX, &mut buffer).unwrap(), 0);
    let error = read_exact_vec(&*source, end - 4, 5).unwrap_err();
    assert_eq!(error.kind, ReadErrorKind::Malformed, "{}: {error}", world.name);
    let empty = world.store.open(&world.container, &world.head("empty.txt"));
    assert_eq!(empty.read_at(0, &mut buffer).unwrap(), 0, "{}", world.name);
}

fn what_is_missing_is_said(world: &World<'_>) {
    let store = &*world.store;
    let gaps = store.gaps();
    // Below a file some web servers give the file.
    let below = world.ways.has_containers.then_some("plain.txt/below");
    for missing in ["nothing", "deep/nothing.txt", "nothing/at/all"].into_iter().chain(below) {
        let key = world.key(missing);
        let error = store.head(&world.container, &key).unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::NotFound, "{} {missing}: {error}", world.name);
        let gone = Object { key, ..world.head("plain.txt") };
        let error = store.open(&world.container, &gone).read_at(0, &mut [0; 5]).unwrap_err();
        assert_eq!(error.kind, ReadErrorKind::Changed, "{} {missing}: {error}", world.name);
    }
    let below = store.list(&world.request("nothing/"));
    if world.ways.lists_nothing_below_nothing {
        let below = below.unwrap();
        assert_eq!((below.objects, below.prefixes, below.next), (vec![], vec![], None));
    } else {
        assert_eq!(below.unwrap_err().kind, StorageErrorKind::NotFound, "{}", world.name);
    }
    if world.ways.has_containers {
        let error = store.list(&in_container("nowhere-at-all")).unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::NotFound, "{}: {error}", world.name);
        let error = store.head("nowhere-at-all", "plain.txt").unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::NotFound, "{}: {error}", world.name);
    }
    assert_eq!(store.gaps(), gaps, "{}: what is not there is no gap", world.name);
}

fn a_refusal_is_an_answer(world: &World<'_>) {
    use GrantStatus::{Denied, Expired, Revoked};
    let Some(store) = &world.refused else { return };
    let seen = store.probe().unwrap();
    assert!(matches!(seen.status, Denied | Expired | Revoked), "{}: {seen:?}", world.name);
    assert_ne!(seen.observed.can_list, Some(true), "{}: {seen:?}", world.name);
    let error = store.list(&world.request("")).unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Denied, "{}: {error}", world.name);
    let error = store.head(&world.container, &world.key("plain.txt")).unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Denied, "{}: {error}", world.name);
    let known = world.head("plain.txt");
    let error = store.open(&world.container, &known).read_at(0, &mut [0; 5]).unwrap_err();
    assert_eq!(error.kind, ReadErrorKind::Denied, "{}: {error}", world.name);
}

fn another_version_is_not_read(world: &World<'_>) {
    let mut buffer = [0; 10];
    let mut changed = |object: &Object, at: u64| {
        let source = world.store.open(&world.container, object);
        let error = source.read_at(at, &mut buffer).unwrap_err();
        assert_eq!(error.kind, ReadErrorKind::Changed, "{}: {error}", world.name);
    };
    let object = world.head(LARGE);
    if world.ways.has_versions {
        // As long as its own, and none that there is.
        let other =
            object.etag.as_ref().unwrap().chars().map(|it| if it == 'x' { it } else { '0' });
        let other = Object { etag: Some(other.collect()), ..object.clone() };
        changed(&other, 0);
        changed(&other, 600_000);
    }
    if world.ways.checks_size {
        changed(&Object { size: object.size + 1, ..object.clone() }, object.size - 5);
    }
}

fn what_changed_is_not_read(world: &World<'_>) {
    let Some(change) = world.change else { return };
    let object = world.head("plain.txt");
    let source = world.store.open(&world.container, &object);
    let mut buffer = [0; 5];
    assert_eq!(source.read_at(0, &mut buffer).unwrap(), 5, "{}", world.name);
    change(&world.key("plain.txt"));
    if object.etag.is_none() {
        // Nothing tells it from what it was.
        assert!(!world.ways.has_versions, "{}", world.name);
        return;
    }
    let error = source.read_at(0, &mut buffer).unwrap_err();
    assert_eq!(error.kind, ReadErrorKind::Changed, "{}: {error}", world.name);
    let now = world.head("plain.txt");
    assert_eq!(now.size, object.size, "{}", world.name);
    assert_ne!(now.etag, object.etag, "{}", world.name);
    let source = world.store.open(&world.container, &now);
    assert_eq!(source.read_at(0, &mut buffer).unwrap(), 5, "{}", world.name);
}
