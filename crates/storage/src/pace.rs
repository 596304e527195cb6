//! At most so many requests a second.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Spaces requests evenly; shared by all threads.
#[derive(Debug)]
pub(crate) struct Pace {
    gap: Option<Duration>,
    next: Mutex<Instant>,
}

impl Pace {
    pub(crate) fn new(requests_per_second: Option<u32>) -> Self {
        let gap = requests_per_second.and_then(|rate| Duration::from_secs(1).checked_div(rate));
        Self { gap, next: Mutex::new(Instant::now()) }
    }

    /// Waits for one's turn.
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
}
