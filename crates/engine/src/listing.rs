//! Listing containers, parallel over containers and folders, page by page into the case.

use crate::error::EngineError;
use crate::follow::Doors;
use crate::left_out::LeftOut;
use crate::metadata::Metadata;
use crate::progress::Progress;
use crate::settings::ScanSettings;
use lidless_core::{Gap, Object};
use lidless_ledger::{Case, ContainerId, LedgerError, ListingMode, ListingTask};
use lidless_storage::{ListRequest, StorageError};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// More folders than this on one page are not worth a listing each.
const FOLDERS: usize = 256;

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
    // A listing that broke off stays open in the case, for a resumed run to go on with.
    let broken: Mutex<BTreeSet<(ContainerId, String)>> = Mutex::new(BTreeSet::new());
    loop {
        let tasks: Vec<ListingTask> = {
            let broken = broken.lock().unwrap_or_else(PoisonError::into_inner);
            let is_broken =
                |task: &ListingTask| broken.contains(&(task.container, task.prefix.clone()));
            case.open_listings()?
                .into_iter()
                .filter(|task| {
                    doors.store(&task.grant, task.container).is_some() && !is_broken(task)
                })
                .collect()
        };
        if tasks.is_empty() {
            return Ok(());
        }
        let next = AtomicUsize::new(0);
        let failed: Mutex<Option<LedgerError>> = Mutex::new(None);
        std::thread::scope(|scope| {
            for _ in 0..settings.jobs.clamp(1, tasks.len()) {
                scope.spawn(|| {
                    while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                        match list_one(settings, case, doors, progress, task, (metadata, left_out))
                        {
                            Ok(true) => {}
                            Ok(false) => {
                                let key = (task.container, task.prefix.clone());
                                broken.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
                            }
                            Err(error) => {
                                let mut failed =
                                    failed.lock().unwrap_or_else(PoisonError::into_inner);
                                *failed = Some(error);
                                break;
                            }
                        }
                    }
                });
            }
        });
        if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error.into());
        }
    }
}

/// Lists one prefix to its end; false when the service broke it off.
fn list_one(
    settings: &ScanSettings,
    case: &Case,
    doors: &Doors,
    progress: &Progress,
    task: &ListingTask,
    (metadata, left_out): (&Metadata<'_>, &LeftOut),
) -> Result<bool, LedgerError> {
    let (Some(store), Some((store_name, container))) =
        (doors.store(&task.grant, task.container), doors.name(task.container))
    else {
        return Ok(false);
    };
    let mut task = task.clone();
    loop {
        let request = ListRequest {
            container: container.clone(),
            prefix: task.prefix.clone(),
            delimited: task.mode == ListingMode::Split,
            cursor: task.cursor.clone(),
            max: None,
        };
        let page = match store.list(&request) {
            Ok(page) => page,
            Err(error) => {
                let place = format!("{store_name}/{container}/{}", task.prefix);
                case.put_local(&[], &[], &[Gap::new(place, broken_off(&error), None)])?;
                return Ok(false);
            }
        };
        // Before the page: its listing is not asked again once it is kept.
        left_out.keep(case, &**store)?;
        let objects: Vec<(Object, i64)> = page
            .objects
            .into_iter()
            .filter(|object| !settings.exclude.is_match(&object.key))
            .map(|object| {
                let priority = crate::order::priority(&object);
                (object, priority)
            })
            .collect();
        let bytes = objects.iter().map(|(object, _)| object.size).fold(0, u64::saturating_add);
        progress.listed(u64::try_from(objects.len()).unwrap_or(0), bytes);
        let next = next_task(&task, page.prefixes.len(), page.next);
        let folders = if next.as_ref().is_some_and(|next| next.mode == ListingMode::Straight) {
            &[][..]
        } else {
            page.prefixes.as_slice()
        };
        case.put_page(&task, &objects, folders, next.as_ref())?;
        metadata.look(task.container, (store_name, container), &objects)?;
        match next {
            Some(next) => task = next,
            None => return Ok(true),
        }
    }
}

/// Where a listing goes on after a page.
fn next_task(task: &ListingTask, folders: usize, next: Option<String>) -> Option<ListingTask> {
    let onward =
        |mode, cursor, fallback| Some(ListingTask { mode, cursor, fallback, ..task.clone() });
    match task.mode {
        // More than one page: look for folders to list side by side.
        ListingMode::Flat if task.cursor.is_none() && next.is_some() => {
            onward(ListingMode::Split, None, next)
        }
        // Too many folders to be worth a listing each: go on flat where the first page ended.
        ListingMode::Split if folders > FOLDERS && next.is_some() && task.fallback.is_some() => {
            onward(ListingMode::Straight, task.fallback.clone(), None)
        }
        mode => match next {
            // Folders already handed out make going back to flat a waste: no fallback any more.
            Some(cursor) => onward(mode, Some(cursor), None),
            None => None,
        },
    }
}

fn broken_off(error: &StorageError) -> String {
    format!("listing broken off: {}", error.message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_core::Container;

    fn task(mode: ListingMode, cursor: Option<&str>, fallback: Option<&str>) -> ListingTask {
        let case = Case::temporary().unwrap();
        let container = Container { name: "c".into(), public: None, modified: None };
        ListingTask {
            container: case.put_container("az://a", &container).unwrap(),
            prefix: String::new(),
            grant: "g".into(),
            mode,
            cursor: cursor.map(str::to_owned),
            fallback: fallback.map(str::to_owned),
        }
    }

    #[test]
    fn a_single_page_is_one_request() {
        assert!(next_task(&task(ListingMode::Flat, None, None), 0, None).is_none());
    }

    #[test]
    fn a_long_listing_is_split_unless_that_gives_too_many_folders() {
        let split = next_task(&task(ListingMode::Flat, None, None), 0, Some("m1".into())).unwrap();
        assert_eq!((split.mode, split.cursor.as_deref()), (ListingMode::Split, None));
        assert_eq!(split.fallback.as_deref(), Some("m1"));
        let straight = next_task(&split, 5000, Some("s1".into())).unwrap();
        assert_eq!(straight.mode, ListingMode::Straight);
        assert_eq!(straight.cursor.as_deref(), Some("m1"));
        let onward = next_task(&split, 3, Some("s1".into())).unwrap();
        assert_eq!((onward.mode, onward.cursor.as_deref()), (ListingMode::Split, Some("s1")));
    }
}
