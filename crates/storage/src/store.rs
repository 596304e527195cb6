//! The face of every storage provider.

use lidless_core::{Container, Gap, GrantStatus, Object, Observed};
use lidless_io::ReadAt;
use std::sync::Arc;

/// What a listing asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListRequest {
    /// Container or bucket.
    pub container: String,
    /// Only keys that start with this.
    pub prefix: String,
    /// Fold keys with a `/` after the prefix into prefixes.
    pub delimited: bool,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// At most this many names a page, beside which those come that were deleted between them;
    /// the store's own maximum when null.
    pub max: Option<u32>,
}

/// One page of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListPage {
    /// The objects, in the store's order.
    pub objects: Vec<Object>,
    /// The prefixes, when the listing was delimited.
    pub prefixes: Vec<String>,
    /// Where the next page starts; null on the last.
    pub next: Option<String>,
}

/// Where in a container a listing can be begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seeking {
    /// After any key that one makes up.
    Anywhere,
    /// At keys that begin with a prefix that there is.
    AtPrefix,
    /// Only at its beginning.
    Nowhere,
}

/// A place in the middle of a listing, from where it can be gone on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seek {
    /// The least key that belongs to what follows: all keys before it are smaller.
    pub start: String,
    /// The first key there is from `start` on.
    pub first: String,
    /// Objects from `start` on that the listing at `cursor` does not name again.
    pub objects: Vec<Object>,
    /// Where the listing goes on.
    pub cursor: String,
}

/// What read-only probes learned about a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// Whether it works.
    pub status: GrantStatus,
    /// What was seen.
    pub observed: Observed,
}

/// The class of a failed request: what a caller decides on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorageErrorKind {
    /// The scope does not allow it; nothing was sent.
    OutOfScope,
    /// The service refused the credential or the operation (401, 403).
    Denied,
    /// No such account, container or object (404, unknown host).
    NotFound,
    /// The object changed since it was listed (412), or cannot be read now (409).
    Conflict,
    /// Still refused for load after every retry (429, 500, 503).
    Busy,
    /// The network failed after every retry.
    Unavailable,
    /// The answer makes no sense.
    Malformed,
    /// This client does not speak the store's language.
    Unsupported,
    /// The run may send nothing more; nothing was sent.
    OutOfBudget,
}

/// A failed request. Plain data; holds no secret and no query string.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StorageError {
    /// What class of failure it is.
    pub kind: StorageErrorKind,
    /// What was tried and what answered, in words.
    pub message: String,
    /// HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// The service's own error code, when it gave one.
    pub code: Option<String>,
}

/// An answer that makes no sense.
pub(crate) fn malformed(what: &str, why: &str) -> StorageError {
    StorageError {
        kind: StorageErrorKind::Malformed,
        message: format!("cannot {what}: {why}"),
        status: None,
        code: None,
    }
}

/// A read-only view of one store through one credential.
pub trait Store: Send + Sync {
    /// The store without its containers, as places write it: `az://contoso`.
    fn name(&self) -> &str;

    /// Asks whether the credential works and what it may do, with as few reading requests as
    /// that takes.
    ///
    /// # Errors
    /// Only when nothing could be learned: out of scope, unreachable. A refusal is an answer.
    fn probe(&self) -> Result<Probe, StorageError>;

    /// Every container the credential can name: by listing, or the one it is bound to.
    ///
    /// # Errors
    /// As the service answers; `Denied` when listing containers is not granted.
    fn containers(&self) -> Result<Vec<Container>, StorageError>;

    /// One page of a listing.
    ///
    /// # Errors
    /// As the service answers.
    fn list(&self, request: &ListRequest) -> Result<ListPage, StorageError>;

    /// Where a listing can be begun, so that parts of a flat key space are listed side by side.
    fn seeking(&self) -> Seeking {
        Seeking::Nowhere
    }

    /// Finds the place in the listing of a request, its cursor aside, where keys from `from` on
    /// begin. `from` begins with the prefix of the request. None when there is no key, or when
    /// the listing cannot be begun there.
    ///
    /// # Errors
    /// As the service answers.
    fn seek(&self, _request: &ListRequest, _from: &str) -> Result<Option<Seek>, StorageError> {
        Ok(None)
    }

    /// What the service says of one object.
    ///
    /// # Errors
    /// As the service answers.
    fn head(&self, container: &str, key: &str) -> Result<Object, StorageError>;

    /// The bytes of an object, read by ranges on demand; each read checks the ETag, so that the
    /// bytes belong to the object that was listed. Sends nothing by itself.
    fn open(&self, container: &str, object: &Object) -> Arc<dyn ReadAt>;

    /// The text that the service said it signed when it last rejected a signature: compared with
    /// what the credential says, it tells why. Holds no signature.
    fn signed_text(&self) -> Option<String> {
        None
    }

    /// The other services that the same credential opens, as stores of their own.
    fn others(&self) -> Vec<Arc<dyn Store>> {
        Vec::new()
    }

    /// What the store is known to have left out so far: what the service refused to list, or lists
    /// and never shows. Grows while containers and objects are listed.
    fn gaps(&self) -> Vec<Gap> {
        Vec::new()
    }
}
