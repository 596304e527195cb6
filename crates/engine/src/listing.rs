//! Listing containers, parallel over containers, folders and parts of flat key spaces, page by
//! page into the case.

use crate::board::{Active, Board, Work};
use crate::error::EngineError;
use crate::follow::Doors;
use crate::left_out::LeftOut;
use crate::metadata::Metadata;
use crate::progress::Progress;
use crate::settings::ScanSettings;
use crate::split::{Ahead, divide};
use lidless_core::{Gap, Object};
use lidless_ledger::{Case, LedgerError, ListedPage, ListingMode, ListingTask, Oddities};
use lidless_storage::{ListPage, ListRequest, StorageError, Store};
use std::collections::HashSet;

/// More folders than this on one page are not worth a listing each.
const FOLDERS: usize = 256;
/// Pages in a row that name nothing new: a store that filters may send some, none sends so many.
const BARREN: usize = 1000;

/// Lists everything that was started, to its end.
///
/// # Errors
/// When the case cannot be written. A listing that the service breaks off is a gap.
pub(crate) fn list_all(
    settings: &ScanSettings,
    case: &Case,
    doors: &Doors,
    progress: &Progress,
    (metadata, left_out): (&Metadata<'_>, &LeftOut),
) -> Result<(), EngineError> {
    let board = Board::default();
    let lister = Lister { settings, case, doors, progress, board: &board, metadata, left_out };
    std::thread::scope(|scope| {
        for _ in 0..settings.jobs.max(1) {
            scope.spawn(|| lister.work());
        }
    });
    match board.into_failure() {
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}

/// What the threads that list share.
struct Lister<'a> {
    settings: &'a ScanSettings,
    case: &'a Case,
    doors: &'a Doors,
    progress: &'a Progress,
    board: &'a Board,
    metadata: &'a Metadata<'a>,
    left_out: &'a LeftOut,
}

impl Lister<'_> {
    fn work(&self) {
        loop {
            let result = match self.board.next(self.case, self.doors) {
                Work::Done => return,
                Work::List(task) => {
                    let result = self.list_one(&task);
                    self.board.ended(&task);
                    result
                }
                Work::Divide(active) => self.divide(&active),
            };
            if let Err(error) = result {
                self.board.fail(error);
                return;
            }
        }
    }

    /// Lists one task to its end, or to where the service breaks it off.
    fn list_one(&self, task: &ListingTask) -> Result<(), LedgerError> {
        let (Some(store), Some((store_name, container))) =
            (self.doors.store(&task.grant, task.container), self.doors.name(task.container))
        else {
            return self.case.break_off_listing(task);
        };
        let mut task = task.clone();
        let mut barren = HashSet::new();
        loop {
            let request = ListRequest {
                container: container.clone(),
                prefix: task.prefix.clone(),
                delimited: task.mode == ListingMode::Split,
                cursor: task.cursor.clone(),
                max: None,
            };
            let broken = match store.list(&request) {
                Ok(page) => match self.keep(&task, page, &**store, (store_name, container))? {
                    None => return Ok(()),
                    Some(next) => {
                        let moved = next.last > task.last || next.mode != task.mode;
                        task = next;
                        goes_in_circles(&mut barren, moved, task.cursor.as_deref())
                            .then(|| "listing broken off: it goes in circles".to_owned())
                    }
                },
                Err(error) => Some(broken_off(&error)),
            };
            if let Some(reason) = broken {
                let place = format!("{store_name}/{container}/{}", task.prefix);
                self.case.put_local(&[], &[], &[Gap::new(place, reason, None)])?;
                return self.case.break_off_listing(&task);
            }
        }
    }

    /// Keeps a page; gives the task as it goes on, if it does.
    fn keep(
        &self,
        task: &ListingTask,
        page: ListPage,
        store: &dyn Store,
        name: (&str, &str),
    ) -> Result<Option<ListingTask>, LedgerError> {
        // Before the page: its listing is not asked again once it is kept.
        self.left_out.keep(self.case, store)?;
        let (plan, next) = next_task(task, &page);
        let mut oddities = Oddities::default();
        let mut last = task.last.clone();
        let mut objects: Vec<(Object, i64)> = Vec::with_capacity(page.objects.len());
        let mut folders = page.prefixes;
        if plan == Plan::Leave {
            // It is listed again from its beginning, in another way.
            folders.clear();
        } else {
            let mut in_order = last.as_deref();
            // Of one key there may be many states.
            let mut is_state = true;
            for object in &page.objects {
                let was_state = std::mem::replace(&mut is_state, object.version.is_some());
                let same = in_order == Some(object.key.as_str()) && (is_state || was_state);
                if !object.key.starts_with(&task.prefix) {
                    oddities.foreign = oddities.foreign.saturating_add(1);
                } else if !same && in_order.is_some_and(|last| !comes_after(&object.key, last)) {
                    oddities.disordered = oddities.disordered.saturating_add(1);
                } else {
                    in_order = Some(&object.key);
                }
            }
            last = in_order.map(str::to_owned);
            folders.retain(|folder| folder.starts_with(&task.prefix) && *folder != task.prefix);
            if let Some(folder) = folders.last().filter(|one| Some(*one) > last.as_ref()) {
                last = Some(folder.clone());
            }
            for object in page.objects {
                if object.key.starts_with(&task.prefix)
                    && !self.settings.exclude.is_match(&object.key)
                {
                    let priority = crate::order::priority(&object);
                    objects.push((object, priority));
                }
            }
        }
        let next = next.map(|next| ListingTask { last, ..next });
        // Before the page, too: what is found beside its objects is not looked for again.
        self.metadata.look(task.container, name, &objects)?;
        let goes_on = self.case.put_page(&ListedPage {
            task,
            objects: &objects,
            folders: &folders,
            oddities,
            next: next.as_ref(),
        })?;
        let bytes = objects.iter().map(|(object, _)| object.size).fold(0, u64::saturating_add);
        self.progress.listed(u64::try_from(objects.len()).unwrap_or(0), bytes);
        let next = next.filter(|_| goes_on);
        if let Some(next) = &next {
            self.board.page(next, objects.first().map(|(object, _)| object.key.as_str()));
        }
        Ok(next)
    }

    /// Divides what a long listing has still to name, so that this thread can list a part.
    fn divide(&self, active: &Active) -> Result<(), LedgerError> {
        let task = &active.task;
        let (Some(store), Some((store_name, container))) =
            (self.doors.store(&task.grant, task.container), self.doors.name(task.container))
        else {
            return Ok(());
        };
        let Some(last) = task.last.as_deref().filter(|_| task.mode != ListingMode::Split) else {
            return Ok(());
        };
        let ahead = Ahead {
            prefix: &task.prefix,
            first: &active.first,
            last,
            until: task.until.as_deref(),
            within: &active.within,
        };
        // A store that refuses the question has its listing read to the end by one thread.
        let Ok(division) = divide(&**store, container, &ahead) else { return Ok(()) };
        let mut at = None;
        if let Some(seek) = division.at {
            let upper = ListingTask {
                start: seek.start,
                mode: ListingMode::Straight,
                cursor: Some(seek.cursor),
                fallback: None,
                last: seek.objects.last().map(|object| object.key.clone()),
                ..task.clone()
            };
            let objects: Vec<(Object, i64)> = seek
                .objects
                .into_iter()
                .filter(|object| !self.settings.exclude.is_match(&object.key))
                .map(|object| {
                    let priority = crate::order::priority(&object);
                    (object, priority)
                })
                .collect();
            self.metadata.look(task.container, (store_name, container), &objects)?;
            let is_done = self.case.split_listing(task, &upper, &objects)?;
            at = Some(upper.start).filter(|_| is_done);
        }
        self.board.divided(task, division.within, at);
        Ok(())
    }
}

/// What becomes of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    /// It is kept.
    Keep,
    /// It is left: the listing begins anew, in another way.
    Leave,
}

/// Where a listing goes on after a page.
fn next_task(task: &ListingTask, page: &ListPage) -> (Plan, Option<ListingTask>) {
    let onward = |mode, cursor| Some(ListingTask { mode, cursor, fallback: None, ..task.clone() });
    let is_first = task.cursor.is_none() && task.last.is_none();
    match (task.mode, &page.next) {
        (_, None) => (Plan::Keep, None),
        // More than one page, and folders in it: list the folders side by side.
        (ListingMode::Flat, Some(_)) if is_first && has_folders(task, page) => {
            (Plan::Leave, onward(ListingMode::Split, None))
        }
        (ListingMode::Flat, Some(next)) => {
            (Plan::Keep, onward(ListingMode::Straight, Some(next.clone())))
        }
        // Too many folders to be worth a listing each: everything from the beginning.
        (ListingMode::Split, Some(_)) if is_first && page.prefixes.len() > FOLDERS => {
            (Plan::Leave, onward(ListingMode::Straight, task.fallback.clone()))
        }
        (mode, Some(next)) => (Plan::Keep, onward(mode, Some(next.clone()))),
    }
}

fn has_folders(task: &ListingTask, page: &ListPage) -> bool {
    let below = |key: &str| key.get(task.prefix.len()..).is_some_and(|rest| rest.contains('/'));
    page.objects.iter().any(|object| below(&object.key))
}

/// Whether a key comes after another in one of the orders that stores list in: that of bytes, or
/// that of a tree, in which a folder comes with all that is in it.
fn comes_after(key: &str, last: &str) -> bool {
    let in_tree = |byte: u8| if byte == b'/' { 0 } else { byte };
    key > last || key.bytes().map(in_tree).gt(last.bytes().map(in_tree))
}

/// Whether a listing names the same again and again. `barren` holds where its pages since the
/// last new key began.
fn goes_in_circles(barren: &mut HashSet<String>, moved: bool, cursor: Option<&str>) -> bool {
    if moved {
        barren.clear();
    }
    let is_new = cursor.is_none_or(|cursor| barren.insert(cursor.to_owned()));
    !is_new || barren.len() > BARREN
}

fn broken_off(error: &StorageError) -> String {
    format!("listing broken off: {}", error.message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_core::Container;

    fn task(mode: ListingMode, cursor: Option<&str>) -> ListingTask {
        let case = Case::temporary().unwrap();
        let container = Container { name: "c".into(), public: None, modified: None };
        ListingTask {
            container: case.put_container("az://a", &container).unwrap(),
            prefix: "p/".into(),
            start: String::new(),
            until: None,
            grant: "g".into(),
            mode,
            cursor: cursor.map(str::to_owned),
            fallback: None,
            last: cursor.map(str::to_owned),
        }
    }

    fn page(keys: &[&str], folders: usize, next: Option<&str>) -> ListPage {
        let object = |key: &&str| Object {
            key: (*key).into(),
            size: 1,
            etag: None,
            modified: None,
            created: None,
            tier: None,
            blob_type: None,
            content_md5: None,
            content_type: None,
            ..Object::default()
        };
        ListPage {
            objects: keys.iter().map(object).collect(),
            prefixes: (0..folders).map(|n| format!("p/{n}/")).collect(),
            next: next.map(str::to_owned),
        }
    }

    #[test]
    fn a_single_page_is_one_request() {
        let (plan, next) = next_task(&task(ListingMode::Flat, None), &page(&["p/a/b"], 0, None));
        assert_eq!((plan, next), (Plan::Keep, None));
    }

    #[test]
    fn a_long_listing_is_divided_into_its_folders_unless_there_are_none_or_too_many() {
        let flat = task(ListingMode::Flat, None);
        let (plan, split) = next_task(&flat, &page(&["p/a/b"], 0, Some("m1")));
        let split = split.unwrap();
        assert_eq!((plan, split.mode, &split.cursor), (Plan::Leave, ListingMode::Split, &None));
        let (plan, straight) = next_task(&flat, &page(&["p/a", "p/b"], 0, Some("m1")));
        let straight = straight.unwrap();
        assert_eq!((plan, straight.mode), (Plan::Keep, ListingMode::Straight));
        assert_eq!(straight.cursor.as_deref(), Some("m1"));
        let (plan, straight) = next_task(&split, &page(&[], 5000, Some("s1")));
        let straight = straight.unwrap();
        assert_eq!((plan, straight.mode), (Plan::Leave, ListingMode::Straight));
        assert_eq!(straight.cursor, None);
        let (plan, onward) = next_task(&split, &page(&[], 3, Some("s1")));
        assert_eq!((plan, onward.unwrap().cursor.as_deref()), (Plan::Keep, Some("s1")));
    }

    #[test]
    fn both_orders_of_stores_are_orders() {
        assert!(comes_after("a/b", "a-b") && comes_after("a-b", "a/b"));
        assert!(!comes_after("a", "a") && !comes_after("a/a", "a/b") && !comes_after("a", "b"));
    }

    #[test]
    fn pages_that_name_nothing_new_go_in_circles_when_they_come_again() {
        let mut barren = HashSet::new();
        assert!(!goes_in_circles(&mut barren, true, Some("a")));
        assert!(!goes_in_circles(&mut barren, false, Some("b")));
        assert!(goes_in_circles(&mut barren, false, Some("a")));
        assert!(!goes_in_circles(&mut barren, true, Some("a")));
        let mut other = HashSet::new();
        let endless = (0..2 * BARREN)
            .take_while(|n| !goes_in_circles(&mut other, false, Some(n.to_string().as_str())));
        assert_eq!(endless.count(), BARREN);
    }
}
