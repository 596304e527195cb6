//! Why a run could not start or go on.

/// A run that could not start or go on. What was found so far is in the case.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A target that is none.
    #[error("{0}")]
    Target(String),
    /// None of the targets could be read.
    #[error("nothing was scanned: {0}")]
    NothingScanned(String),
    /// The case failed.
    #[error(transparent)]
    Ledger(#[from] lidless_ledger::LedgerError),
}
