//! Objects that wait to be looked into, the best by what is known first.
//!
//! The case has them by class and size (`order`); here the first of each class are in memory, and
//! what was found so far says which of those comes next (`expect`).

use crate::expect::{Learned, Promise, promise};
use lidless_ledger::{Case, LedgerError, ObjectId, PendingObject};
use std::collections::VecDeque;

/// Classes of the order.
const CLASSES: i64 = 9;
/// How many of a class are in memory at most, and how few before more are fetched.
const HELD: u32 = 2_000;
const FEW: usize = 500;
/// So many are chosen at a time.
const CHOSEN: usize = 64;

/// What waits.
pub(crate) struct Queue {
    waiting: Vec<Waiting>,
    chosen: VecDeque<Waiting>,
    feeds: Vec<Feed>,
    learned: Learned,
}

/// An object with what it promises.
pub(crate) struct Waiting {
    pub(crate) object: PendingObject,
    pub(crate) promise: Promise,
}

/// Where the rest of a class is fetched from.
struct Feed {
    after: Option<(i64, ObjectId)>,
    /// The priority of the next class.
    end: i64,
    held: usize,
    is_done: bool,
}

impl Queue {
    /// Of everything that waits in a case.
    pub(crate) fn new() -> Self {
        let feed = |class: i64| Feed {
            after: class.checked_shl(48).map(|first| (first.saturating_sub(1), ObjectId::LAST)),
            end: class.saturating_add(1).checked_shl(48).unwrap_or(i64::MAX),
            held: 0,
            is_done: false,
        };
        Self {
            waiting: Vec::new(),
            chosen: VecDeque::new(),
            feeds: (0..CLASSES).map(feed).collect(),
            learned: Learned::default(),
        }
    }

    /// The next one; none when nothing waits any more.
    ///
    /// # Errors
    /// `Database`.
    pub(crate) fn next(&mut self, case: &Case) -> Result<Option<Waiting>, LedgerError> {
        if self.chosen.is_empty() {
            self.fill(case)?;
            self.choose();
        }
        Ok(self.chosen.pop_front())
    }

    /// Notes how many points of severity one turned out to hold.
    pub(crate) fn learn(&mut self, promise: &Promise, found: f64) {
        self.learned.add(promise, found);
    }

    /// What would come next, the best first.
    ///
    /// # Errors
    /// `Database`.
    pub(crate) fn ahead(&mut self, case: &Case) -> Result<Vec<Waiting>, LedgerError> {
        self.waiting.extend(self.chosen.drain(..));
        self.fill(case)?;
        self.choose();
        Ok(std::mem::take(&mut self.chosen).into())
    }

    fn fill(&mut self, case: &Case) -> Result<(), LedgerError> {
        for feed in &mut self.feeds {
            feed.held = 0;
        }
        for waiting in &self.waiting {
            if let Some(feed) = feed_of(&mut self.feeds, waiting.object.priority) {
                feed.held = feed.held.saturating_add(1);
            }
        }
        for feed in self.feeds.iter_mut().filter(|feed| !feed.is_done && feed.held < FEW) {
            let batch = case.pending_objects(feed.after, HELD)?;
            feed.is_done = batch.len() < usize::try_from(HELD).unwrap_or(usize::MAX);
            for object in batch {
                if object.priority >= feed.end {
                    feed.is_done = true;
                    break;
                }
                feed.after = Some((object.priority, object.id));
                let promise = promise(&object.container, &object.object);
                self.waiting.push(Waiting { object, promise });
            }
        }
        Ok(())
    }

    fn choose(&mut self) {
        let learned = &self.learned;
        // More first; of equals the one that was listed first.
        let order = |one: &Waiting, other: &Waiting| {
            let worth = |waiting: &Waiting| learned.worth(&waiting.promise);
            worth(other).total_cmp(&worth(one)).then(one.object.id.cmp(&other.object.id))
        };
        if self.waiting.len() > CHOSEN {
            self.waiting.select_nth_unstable_by(CHOSEN, order);
        }
        let rest = self.waiting.split_off(CHOSEN.min(self.waiting.len()));
        let mut best = std::mem::replace(&mut self.waiting, rest);
        best.sort_by(order);
        self.chosen = best.into();
    }
}

fn feed_of(feeds: &mut [Feed], priority: i64) -> Option<&mut Feed> {
    feeds.iter_mut().find(|feed| priority < feed.end)
}
