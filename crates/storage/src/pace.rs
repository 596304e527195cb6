//! How fast requests are sent: under the ceiling that the user or the scope sets, and as fast as
//! each account turns out to bear.
//!
//! An account starts with a few requests at a time and gets more with each good answer, until it
//! answers that it is too much (429, 503). Then it gets half as many, nothing at all for as long
//! as it asks, and one more for each round of good answers from there on: the way TCP finds what
//! a path bears (RFC 5681, section 3.1).

use crate::retry::pause;
use lidless_core::Touch;
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Requests at a time that an account nobody knows yet gets.
const START: f64 = 4.0;
/// Requests at a time that no account gets more than.
const MOST: f64 = 1024.0;
/// Accounts that are told apart; whatever a redirect names beyond that shares one lane.
const ACCOUNTS: usize = 4096;

/// Spaces requests; shared by all threads.
#[derive(Debug)]
pub(crate) struct Pace {
    gap: Option<Duration>,
    next: Mutex<Instant>,
    cap: Duration,
    lanes: Mutex<BTreeMap<String, Arc<Lane>>>,
}

/// What one account was found to bear.
#[derive(Debug)]
pub(crate) struct Lane {
    cap: Duration,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// How many requests at a time.
    window: f64,
    in_flight: u32,
    /// Doubling until the account says for the first time that it is too much.
    slow_start: bool,
    /// Nothing is sent before.
    not_before: Instant,
    /// Requests that were sent before say nothing new.
    cut_at: Instant,
    /// Cuts since the last good answer.
    cuts: u32,
    told: Throttled,
}

/// How often an account asked for patience.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Throttled {
    /// Answers 429 and 503.
    pub answers: u64,
    /// For how long nothing was sent because of them.
    pub paused: Duration,
}

/// What became of a request, as far as the pace goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome<'a> {
    /// An answer that says nothing about load.
    Good,
    /// Too much, with the `Retry-After` that came.
    Throttled(Option<&'a str>),
    /// No answer, or the service's own trouble.
    Failed,
}

impl Pace {
    /// `cap` is the longest pause an account may ask for.
    pub(crate) fn new(requests_per_second: Option<u32>, cap: Duration) -> Self {
        let gap = requests_per_second.and_then(|rate| Duration::from_secs(1).checked_div(rate));
        let lanes = Mutex::new(BTreeMap::new());
        Self { gap, next: Mutex::new(Instant::now()), cap, lanes }
    }

    /// Waits for one's turn under the ceiling.
    pub(crate) fn wait(&self) {
        let Some(gap) = self.gap else { return };
        let pause = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            let turn = (*next).max(now);
            *next = turn.checked_add(gap).unwrap_or(turn);
            turn.saturating_duration_since(now)
        };
        std::thread::sleep(pause);
    }

    /// The lane of the account that a request touches.
    pub(crate) fn lane(&self, touch: &Touch) -> Arc<Lane> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut name = touch.store.clone().unwrap_or_else(|| touch.host.clone());
        if lanes.len() >= ACCOUNTS && !lanes.contains_key(&name) {
            name = "others".to_owned();
        }
        let lane = lanes.entry(name).or_insert_with(|| Arc::new(Lane::new(self.cap)));
        Arc::clone(lane)
    }

    /// The accounts that asked for patience.
    pub(crate) fn throttled(&self) -> Vec<(String, Throttled)> {
        let lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let told = lanes.iter().map(|(name, lane)| (name.clone(), lane.lock().told));
        told.filter(|(_, told)| told.answers > 0).collect()
    }
}

impl Lane {
    fn new(cap: Duration) -> Self {
        let now = Instant::now();
        let state = State {
            window: START,
            in_flight: 0,
            slow_start: true,
            not_before: now,
            cut_at: now,
            cuts: 0,
            told: Throttled::default(),
        };
        Self { cap, state: Mutex::new(state), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until one more request may be sent; gives the time it was.
    pub(crate) fn enter(&self) -> Instant {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            let left = state.not_before.saturating_duration_since(now);
            if !left.is_zero() {
                let waited = self.changed.wait_timeout(state, left);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
            } else if f64::from(state.in_flight) + 1.0 <= state.window {
                state.in_flight = state.in_flight.saturating_add(1);
                return now;
            } else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Says what became of the request that entered at `entered`.
    pub(crate) fn leave(&self, entered: Instant, outcome: Outcome<'_>) {
        let mut state = self.lock();
        state.in_flight = state.in_flight.saturating_sub(1);
        let now = Instant::now();
        match outcome {
            Outcome::Good => {
                let more = if state.slow_start { 1.0 } else { state.window.recip() };
                state.window = (state.window + more).min(MOST);
                if entered >= state.cut_at {
                    state.cuts = 0;
                }
            }
            Outcome::Throttled(retry_after) => {
                state.told.answers = state.told.answers.saturating_add(1);
                // Of many that were in flight together, the first one says it for all.
                let news = entered >= state.cut_at;
                if news {
                    state.window = (state.window / 2.0).max(1.0);
                    state.slow_start = false;
                    state.cut_at = now;
                    state.cuts = state.cuts.saturating_add(1);
                }
                if news || retry_after.is_some() {
                    let wait = pause(state.cuts.max(1), retry_after, self.cap);
                    let until = now.checked_add(wait).unwrap_or(now).max(state.not_before);
                    let from = state.not_before.max(now);
                    let longer = until.saturating_duration_since(from);
                    state.told.paused = state.told.paused.saturating_add(longer);
                    state.not_before = until;
                }
            }
            Outcome::Failed => {}
        }
        drop(state);
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane() -> Lane {
        Lane::new(Duration::from_millis(250))
    }

    #[test]
    fn an_account_gets_more_with_each_good_answer_and_half_when_it_is_too_much() {
        let lane = lane();
        for _ in 0..12 {
            let entered = lane.enter();
            lane.leave(entered, Outcome::Good);
        }
        assert_eq!(lane.lock().window, START + 12.0);
        // Three that were in flight together are one cut.
        let together = [lane.enter(), lane.enter(), lane.enter()];
        for entered in together {
            lane.leave(entered, Outcome::Throttled(None));
        }
        let (window, told) = {
            // One guard: a second one in the same statement would wait for the first.
            let state = lane.lock();
            (state.window, state.told)
        };
        assert_eq!((window, told.answers), (8.0, 3));
        assert!(told.paused >= Duration::from_millis(200), "{told:?}");
        let begun = Instant::now();
        let entered = lane.enter();
        assert!(begun.elapsed() >= Duration::from_millis(150));
        lane.leave(entered, Outcome::Good);
        let window = lane.lock().window;
        assert!(window > 8.0 && window < 8.2, "{window}");
    }

    #[test]
    fn one_request_at_a_time_is_the_least() {
        let lane = lane();
        for _ in 0..5 {
            let entered = lane.enter();
            lane.leave(entered, Outcome::Throttled(Some("0")));
        }
        let state = lane.lock();
        assert_eq!((state.window, state.in_flight, state.cuts), (1.0, 0, 5));
    }

    #[test]
    fn accounts_do_not_slow_each_other_down() {
        let pace = Pace::new(None, Duration::from_millis(250));
        let touch = |store: &str| Touch {
            host: "127.0.0.1".into(),
            store: Some(store.into()),
            path: String::new(),
        };
        let busy = pace.lane(&touch("az://busy"));
        busy.leave(busy.enter(), Outcome::Throttled(Some("1")));
        let begun = Instant::now();
        let free = pace.lane(&touch("az://free"));
        free.leave(free.enter(), Outcome::Good);
        assert!(begun.elapsed() < Duration::from_millis(200));
        let told: Vec<_> = pace.throttled().into_iter().map(|(name, _)| name).collect();
        assert_eq!(told, ["az://busy"]);
    }
}
