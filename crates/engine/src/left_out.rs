//! What stores say they left out, kept so that a resumed run says it again.

use lidless_core::Gap;
use lidless_ledger::{Case, LedgerError};
use lidless_storage::Store;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Under which name the case keeps it.
const META: &str = "left_out";

/// What was said so far; shared by all threads of a run.
#[derive(Default)]
pub(crate) struct LeftOut {
    known: Mutex<BTreeSet<Gap>>,
}

impl LeftOut {
    /// What an earlier run of the case was told, put among its gaps again: the listings that said
    /// it are not done again.
    pub(crate) fn restore(case: &Case) -> Result<Self, LedgerError> {
        let known: BTreeSet<Gap> = case.meta(META)?.unwrap_or_default();
        case.put_local(&[], &[], &known.iter().cloned().collect::<Vec<_>>())?;
        Ok(Self { known: Mutex::new(known) })
    }

    /// Keeps what a store has said since.
    pub(crate) fn keep(&self, case: &Case, store: &dyn Store) -> Result<(), LedgerError> {
        let said = store.gaps();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh: Vec<Gap> = said.into_iter().filter(|gap| !known.contains(gap)).collect();
        if fresh.is_empty() {
            return Ok(());
        }
        known.extend(fresh.iter().cloned());
        case.set_meta(META, &*known)?;
        case.put_local(&[], &[], &fresh)
    }
}
