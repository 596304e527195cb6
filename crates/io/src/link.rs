//! What a source's link costs, measured on the way.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Before anything was measured: a request of 10 ms at 6 MB/s, a careful guess.
const UNKNOWN: u64 = 64 << 10;
/// The bounds of an answer: a request is never worth less than this ...
const LEAST: u64 = 16 << 10;
/// ... and never more, however slow it was: memory is bounded too.
const MOST: u64 = 4 << 20;
/// Up to this size a request shows the delay, from the other on the bandwidth.
const SMALL: u64 = 64 << 10;
const LARGE: u64 = 512 << 10;
/// How much a new measurement counts.
const WEIGHT: f64 = 0.2;

/// Delay and bandwidth of a link, from the requests made over it; clones share what they measure.
#[derive(Debug, Clone, Default)]
pub struct Link {
    measured: Arc<Mutex<Measured>>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Measured {
    delay_seconds: Option<f64>,
    bytes_per_second: Option<f64>,
}

impl Link {
    /// Notes that a request brought `bytes` in `took`.
    pub fn note(&self, bytes: u64, took: Duration) {
        let seconds = took.as_secs_f64();
        let mut measured = self.measured.lock().unwrap_or_else(PoisonError::into_inner);
        if bytes <= SMALL {
            measured.delay_seconds = Some(mean(measured.delay_seconds, seconds));
        } else if bytes >= LARGE {
            // What a small request takes is not the bandwidth's fault.
            let net = (seconds - measured.delay_seconds.unwrap_or(0.0)).max(seconds / 4.0);
            let bytes = bytes.to_string().parse::<f64>().unwrap_or(0.0);
            let speed = bytes / net.max(1e-6);
            measured.bytes_per_second = Some(mean(measured.bytes_per_second, speed));
        }
    }

    /// How many unwanted bytes are cheaper than another request: delay times bandwidth.
    #[must_use]
    pub fn gap_bytes(&self) -> u64 {
        let measured = *self.measured.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(delay), Some(speed)) = (measured.delay_seconds, measured.bytes_per_second) else {
            return UNKNOWN;
        };
        let bytes = format!("{:.0}", (delay * speed).clamp(0.0, 1e12));
        bytes.parse().unwrap_or(UNKNOWN).clamp(LEAST, MOST)
    }
}

fn mean(known: Option<f64>, new: f64) -> f64 {
    known.map_or(new, |known| known + (new - known) * WEIGHT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_start_and_a_fast_stream_make_gaps_worth_reading() {
        let link = Link::default();
        assert_eq!(link.gap_bytes(), UNKNOWN);
        link.note(4096, Duration::from_millis(20));
        link.note(5_000_000, Duration::from_millis(120));
        // 20 ms at 50 MB/s.
        assert!((900_000..1_100_000).contains(&link.gap_bytes()), "{}", link.gap_bytes());
        for _ in 0..60 {
            link.note(100, Duration::from_micros(100));
            link.note(1_000_000, Duration::from_millis(100));
        }
        assert_eq!(link.gap_bytes(), LEAST);
        link.note(0, Duration::ZERO);
        link.note(u64::MAX, Duration::ZERO);
        assert!(link.gap_bytes() <= MOST);
    }
}
