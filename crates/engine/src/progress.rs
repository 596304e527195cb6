//! How far a run is, for whoever watches.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Counters that every stage adds to. Reading them costs nothing and blocks nobody.
#[derive(Debug, Default)]
pub struct Progress {
    phase: Mutex<String>,
    entries: AtomicU64,
    containers: AtomicU64,
    objects: AtomicU64,
    bytes_listed: AtomicU64,
    inspected: AtomicU64,
    findings: AtomicU64,
    leads: AtomicU64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// What is being done, in words.
    pub phase: String,
    /// Local entries read.
    pub entries: u64,
    /// Containers met.
    pub containers: u64,
    /// Objects listed.
    pub objects: u64,
    /// Their sizes added up.
    pub bytes_listed: u64,
    /// Objects looked into.
    pub inspected: u64,
    /// Findings so far.
    pub findings: u64,
    /// Leads so far.
    pub leads: u64,
}

impl Progress {
    /// The counters now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Snapshot {
            phase: self.phase.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            entries: read(&self.entries),
            containers: read(&self.containers),
            objects: read(&self.objects),
            bytes_listed: read(&self.bytes_listed),
            inspected: read(&self.inspected),
            findings: read(&self.findings),
            leads: read(&self.leads),
        }
    }

    pub(crate) fn phase(&self, words: &str) {
        words.clone_into(&mut self.phase.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn entry(&self) {
        self.entries.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn container(&self) {
        self.containers.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn listed(&self, objects: u64, bytes: u64) {
        self.objects.fetch_add(objects, Ordering::Relaxed);
        self.bytes_listed.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn inspected(&self) {
        self.inspected.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn found(&self, findings: usize, leads: usize) {
        self.findings.fetch_add(u64::try_from(findings).unwrap_or(0), Ordering::Relaxed);
        self.leads.fetch_add(u64::try_from(leads).unwrap_or(0), Ordering::Relaxed);
    }
}
