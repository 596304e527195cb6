//! Why an inventory cannot be used at all.

/// An inventory that cannot be used. What can be used in part is told in gaps instead.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// The manifest cannot be read.
    #[error("cannot read {path}: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the operating system or the store said.
        reason: String,
    },
    /// It is something else.
    #[error("{path} is no manifest of an inventory: {found}")]
    NotAManifest {
        /// The file.
        path: String,
        /// What it is instead.
        found: String,
    },
    /// It is a manifest of something this version does not read.
    #[error("{path}: {reason}")]
    Unsupported {
        /// The manifest.
        path: String,
        /// What it is, and what to do.
        reason: String,
    },
    /// None of its files is there.
    #[error("{path}: none of its {files} data files is there; the first is {first}: {reason}")]
    NoFiles {
        /// The manifest.
        path: String,
        /// How many it names.
        files: usize,
        /// The first of them, as the manifest names it.
        first: String,
        /// Why it is not, or what to do.
        reason: String,
    },
}
