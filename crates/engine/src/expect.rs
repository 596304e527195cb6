//! What an object promises before it is looked into: how much severity for how many bytes.
//!
//! The numbers to begin with are guesses by kind of object; what was found in the same folder and
//! in objects of the same kind corrects them while the run goes on.

use crate::order::{class, is_store};
use lidless_core::{Object, Severity};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher as _};

/// What a request costs beside the bytes it brings, in bytes.
const REQUEST: u64 = 16 << 10;
/// Points of what was found in one object that count: one long list is one find.
const MOST_POINTS: f64 = 64.0;
/// So many points of expectation weigh as much as what was found.
const PRIOR: f64 = 2.0;
/// Folders and kinds that are learned about.
const MOST_LEARNED: usize = 100_000;
/// How far what was learned can go from the guess.
const FARTHEST: f64 = 32.0;

/// What one object promises.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Promise {
    /// Points of severity that are expected in it.
    pub(crate) points: f64,
    /// Bytes that looking into it takes, about.
    pub(crate) bytes: u64,
    folder: u64,
    kind: u64,
}

/// The points of a severity: each twice the one below.
pub(crate) fn points(severity: Severity) -> f64 {
    match severity {
        Severity::Info => 0.0,
        Severity::Low => 1.0,
        Severity::Medium => 2.0,
        Severity::High => 4.0,
        Severity::Critical => 8.0,
    }
}

/// Of a listed object, by its name and size.
pub(crate) fn promise(container: &impl std::hash::Hash, object: &Object) -> Promise {
    let path = object.key.to_ascii_lowercase();
    let class = class(&path);
    let size = object.size;
    // (points, bytes that are read of it at most)
    let (points, most) = match class {
        0 => (4.0, size),
        _ if is_store(&path) => (4.0, size),
        // A machine: its keys, its passwords, its browsers. Of the disk, little is read.
        5 => (60.0, 8 << 20),
        1 => (0.5, size),
        2 => (0.2, size),
        3 => (0.3, 128 << 10),
        4 => (2.0, 64 << 20),
        8 => (0.002, REQUEST),
        _ => (0.05, REQUEST),
    };
    let mut parts = path.split('/');
    let top = (parts.next(), parts.next().filter(|_| parts.next().is_some()));
    let name = path.rsplit('/').next().unwrap_or("");
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    Promise {
        points,
        bytes: size.min(most).saturating_add(REQUEST),
        folder: hash(&(container, top)),
        kind: hash(&(container, class, extension)),
    }
}

fn hash(what: &impl std::hash::Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

/// Points that were expected and found, by folder and by kind.
#[derive(Debug, Default)]
pub(crate) struct Learned {
    of: HashMap<u64, (f64, f64)>,
}

impl Learned {
    /// Notes what an object of that promise turned out to hold.
    pub(crate) fn add(&mut self, promise: &Promise, found: f64) {
        for what in [promise.folder, promise.kind] {
            if self.of.len() >= MOST_LEARNED && !self.of.contains_key(&what) {
                continue;
            }
            let (expected, known) = self.of.entry(what).or_default();
            *expected += promise.points;
            *known += found.min(MOST_POINTS);
        }
    }

    /// Points expected for each byte, by what was learned so far; more is better.
    pub(crate) fn worth(&self, promise: &Promise) -> f64 {
        let factor = |what: u64| {
            let (expected, found) = self.of.get(&what).copied().unwrap_or_default();
            (PRIOR + found) / (PRIOR + expected)
        };
        let factor =
            (factor(promise.folder) * factor(promise.kind)).clamp(1.0 / FARTHEST, FARTHEST);
        promise.points * factor / bytes(promise.bytes)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a size as a weight need not be exact")]
fn bytes(count: u64) -> f64 {
    count.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(key: &str, size: u64) -> Promise {
        let object = Object { key: key.into(), size, ..Object::default() };
        promise(&1u8, &object)
    }

    #[test]
    fn a_machine_is_worth_more_than_its_size_says_and_less_than_a_key() {
        let learned = Learned::default();
        let worth = |key: &str, size| learned.worth(&of(key, size));
        let disk = worth("backups/alice.vhdx", 1 << 40);
        assert!(worth("home/a/.ssh/id_rsa", 2000) > disk);
        assert!(disk > worth("public/table.csv", 40 << 20));
        assert!(disk > worth("chat/page-1.json", 200 << 10));
        assert!(worth("a/model.ckpt", 1 << 30) > worth("a/photo.png", 1 << 20));
        assert!(worth("a/photo.png", 1 << 20) > 0.0);
    }

    #[test]
    fn what_was_found_beside_it_makes_an_object_worth_more_and_nothing_less() {
        let mut learned = Learned::default();
        let (rich, poor) = (of("chat/a/1.json", 1 << 20), of("stats/a/1.json", 1 << 20));
        assert!((learned.worth(&rich) - learned.worth(&poor)).abs() < 1e-12);
        for _ in 0..20 {
            learned.add(&rich, 4.0);
            learned.add(&poor, 0.0);
        }
        let (rich, poor) = (of("chat/a/2.json", 1 << 20), of("stats/a/2.json", 1 << 20));
        assert!(learned.worth(&rich) > 4.0 * learned.worth(&poor));
        let other = of("chat/a/3.csv", 1 << 20);
        assert!(learned.worth(&other) > learned.worth(&poor), "another kind in the same folder");
    }
}
