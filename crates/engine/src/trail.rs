//! From the network client to the trail in the case.

use lidless_core::{RequestRecord, TrailRecord};
use lidless_ledger::TrailWriter;
use lidless_storage::Trail;

/// Notes requests in a case.
#[derive(Debug)]
pub(crate) struct Noted(pub(crate) TrailWriter);

impl Trail for Noted {
    fn note(&self, record: RequestRecord) {
        self.0.note(TrailRecord::Request(record));
    }
}
