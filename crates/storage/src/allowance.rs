//! How many requests a run may send, and for how long.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What is left to a client; clones draw from the same. Without bounds by default.
#[derive(Debug, Clone, Default)]
pub struct Allowance {
    requests: Option<Arc<AtomicU64>>,
    until: Option<Instant>,
}

/// Why nothing more is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spent {
    /// So many requests as were allowed were sent.
    Requests,
    /// The time is over.
    Time,
}

impl Spent {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Requests => "the requests of the budget are spent",
            Self::Time => "the time of the budget is over",
        }
    }
}

impl Allowance {
    /// So many requests, and for so long from now on.
    #[must_use]
    pub fn new(requests: Option<u64>, time: Option<Duration>) -> Self {
        Self {
            requests: requests.map(|count| Arc::new(AtomicU64::new(count))),
            until: time.and_then(|time| Instant::now().checked_add(time)),
        }
    }

    /// Why nothing more is sent; none while something is.
    #[must_use]
    pub fn spent(&self) -> Option<Spent> {
        if self.until.is_some_and(|until| Instant::now() >= until) {
            return Some(Spent::Time);
        }
        let left = self.requests.as_ref().map(|left| left.load(Ordering::Relaxed));
        (left == Some(0)).then_some(Spent::Requests)
    }

    /// Takes one request.
    pub(crate) fn take(&self) -> Result<(), Spent> {
        if let Some(spent) = self.spent() {
            return Err(spent);
        }
        let Some(left) = &self.requests else { return Ok(()) };
        let taken =
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        taken.map(|_| ()).map_err(|_| Spent::Requests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_down_and_time_ends() {
        let allowance = Allowance::new(Some(2), None);
        assert_eq!(allowance.clone().take(), Ok(()));
        assert_eq!(allowance.spent(), None);
        assert_eq!(allowance.take(), Ok(()));
        assert_eq!(allowance.take(), Err(Spent::Requests));
        assert_eq!(allowance.spent(), Some(Spent::Requests));
        let over = Allowance::new(None, Some(Duration::ZERO));
        assert_eq!(over.take(), Err(Spent::Time));
        assert_eq!(Allowance::default().take(), Ok(()));
    }
}
