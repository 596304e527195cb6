//! Which listings are under way, which wait, and which of them may be divided: what the threads
//! that list have in common. Bounded, whatever the case holds.

use crate::follow::Doors;
use lidless_ledger::{Case, ContainerId, LedgerError, ListingTask};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Listings that are taken from the case at a time.
const BATCH: usize = 256;
/// Pages that a listing goes on for before it is worth dividing.
const WORTH_DIVIDING: u64 = 4;
/// How long an idle thread waits before it looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What one listing is told from all others by.
type Name = (ContainerId, String, String);

fn name_of(task: &ListingTask) -> Name {
    (task.container, task.prefix.clone(), task.start.clone())
}

/// A listing that a thread is at.
#[derive(Debug, Clone)]
pub(crate) struct Active {
    /// As it was after its newest page.
    pub(crate) task: ListingTask,
    /// The first key of its newest page.
    pub(crate) first: String,
    /// All keys ahead begin with this.
    pub(crate) within: String,
    pages: u64,
    /// Not looked at for a division before it has so many pages.
    not_before: u64,
}

/// What a thread is to do next.
#[derive(Debug)]
pub(crate) enum Work {
    /// List this.
    List(ListingTask),
    /// Find where this could be divided.
    Divide(Active),
    /// There is nothing left.
    Done,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<ListingTask>,
    active: BTreeMap<Name, Active>,
    failed: Option<LedgerError>,
}

/// The board.
#[derive(Default)]
pub(crate) struct Board {
    state: Mutex<State>,
    changed: Condvar,
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next piece of work; waits while others may still make some.
    pub(crate) fn next(&self, case: &Case, doors: &Doors) -> Work {
        let mut state = self.lock();
        loop {
            if state.failed.is_some() {
                return Work::Done;
            }
            if state.waiting.is_empty()
                && let Err(error) = refill(&mut state, case, doors)
            {
                state.failed = Some(error);
                continue;
            }
            if let Some(task) = state.waiting.pop_front() {
                let active = Active {
                    first: String::new(),
                    within: String::new(),
                    pages: 0,
                    not_before: WORTH_DIVIDING,
                    task: task.clone(),
                };
                state.active.insert(name_of(&task), active);
                return Work::List(task);
            }
            if state.active.is_empty() {
                drop(state);
                self.changed.notify_all();
                return Work::Done;
            }
            let longest = state
                .active
                .values_mut()
                .filter(|one| one.pages >= one.not_before)
                .max_by_key(|one| one.pages);
            if let Some(one) = longest {
                // Not twice at a time, and more rarely each time.
                one.not_before = one.pages.saturating_mul(2);
                return Work::Divide(one.clone());
            }
            let waited = self.changed.wait_timeout(state, LOOK_AGAIN);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// A page more of a listing.
    pub(crate) fn page(&self, task: &ListingTask, first: Option<&str>) {
        let mut state = self.lock();
        if let Some(active) = state.active.get_mut(&name_of(task)) {
            // Where it ends is what the newest division says, not what the page began with.
            let until = active.task.until.take();
            active.task = ListingTask { until, ..task.clone() };
            if let Some(first) = first {
                first.clone_into(&mut active.first);
            }
            active.pages = active.pages.saturating_add(1);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// A listing was divided, or could not be; its upper part waits in the case.
    pub(crate) fn divided(&self, task: &ListingTask, within: String, at: Option<String>) {
        let mut state = self.lock();
        if let Some(active) = state.active.get_mut(&name_of(task)) {
            active.within = within;
            if at.is_some() {
                active.task.until = at;
                active.not_before = active.pages.saturating_add(WORTH_DIVIDING);
            }
        }
        drop(state);
        self.changed.notify_all();
    }

    /// A listing is at its end, or broken off.
    pub(crate) fn ended(&self, task: &ListingTask) {
        self.lock().active.remove(&name_of(task));
        self.changed.notify_all();
    }

    /// The case cannot be written: everybody stops.
    pub(crate) fn fail(&self, error: LedgerError) {
        self.lock().failed.get_or_insert(error);
        self.changed.notify_all();
    }

    /// What went wrong.
    pub(crate) fn into_failure(self) -> Option<LedgerError> {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).failed
    }
}

/// Takes listings from the case that nobody is at.
fn refill(state: &mut State, case: &Case, doors: &Doors) -> Result<(), LedgerError> {
    let mut after: Option<ListingTask> = None;
    loop {
        let batch = case.open_listings(after.as_ref(), BATCH)?;
        let Some(last) = batch.last() else { return Ok(()) };
        after = Some(last.clone());
        for task in batch {
            let free = !state.active.contains_key(&name_of(&task));
            if free && doors.store(&task.grant, task.container).is_some() {
                state.waiting.push_back(task);
            }
        }
        if !state.waiting.is_empty() {
            return Ok(());
        }
    }
}
