//! What the account holds.

use crate::blob::Blob;
use jiff::Timestamp;
use lidless_core::PublicAccess;
use std::borrow::Cow;
use std::sync::Arc;

type Make = Arc<dyn Fn(u64) -> Blob + Send + Sync>;

/// A stored access policy of a container: what a service SAS with its `si` may do.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Its identifier.
    pub id: String,
    /// From when; null when the token says so itself.
    pub starts: Option<Timestamp>,
    /// Until when; null when the token says so itself.
    pub expires: Option<Timestamp>,
    /// Permission letters; null when the token says so itself.
    pub permissions: Option<String>,
}

/// A container of blobs, in the order of their names.
#[derive(Clone)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// What strangers may do with it.
    pub public: PublicAccess,
    /// When it was last changed.
    pub modified: Timestamp,
    /// Its stored access policies.
    pub policies: Vec<Policy>,
    blobs: Blobs,
}

#[derive(Clone)]
enum Blobs {
    Kept(Arc<[Blob]>),
    Made { count: u64, make: Make },
}

impl std::fmt::Debug for Container {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} blobs)", self.name, self.count())
    }
}

impl Container {
    /// A private container that holds `blobs`, in any order. Of two with one name the later stays.
    #[must_use]
    pub fn new(name: impl Into<String>, modified: Timestamp, mut blobs: Vec<Blob>) -> Self {
        blobs.reverse();
        blobs.sort_by(|a, b| a.name.cmp(&b.name));
        blobs.dedup_by(|a, b| a.name == b.name);
        Self {
            name: name.into(),
            public: PublicAccess::None,
            modified,
            policies: Vec::new(),
            blobs: Blobs::Kept(blobs.into()),
        }
    }

    /// A private container of `count` blobs that are made when they are asked for: `make(i)` for
    /// `i` below `count`, always the same, with names that rise with `i`. Holds none of them.
    pub fn generated(
        name: impl Into<String>,
        modified: Timestamp,
        count: u64,
        make: impl Fn(u64) -> Blob + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            public: PublicAccess::None,
            modified,
            policies: Vec::new(),
            blobs: Blobs::Made { count, make: Arc::new(make) },
        }
    }

    /// The same, open to strangers.
    #[must_use]
    pub fn public(mut self, public: PublicAccess) -> Self {
        self.public = public;
        self
    }

    /// The same with a stored access policy more.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policies.push(policy);
        self
    }

    /// How many blobs it holds.
    #[must_use]
    pub fn count(&self) -> u64 {
        match &self.blobs {
            Blobs::Kept(blobs) => u64::try_from(blobs.len()).unwrap_or(u64::MAX),
            Blobs::Made { count, .. } => *count,
        }
    }

    /// The blob at a place in the order of names.
    #[must_use]
    pub fn at(&self, index: u64) -> Option<Cow<'_, Blob>> {
        match &self.blobs {
            Blobs::Kept(blobs) => blobs.get(usize::try_from(index).ok()?).map(Cow::Borrowed),
            Blobs::Made { count, make } => (index < *count).then(|| Cow::Owned(make(index))),
        }
    }

    /// The blob of that name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Cow<'_, Blob>> {
        self.at(self.first(|other| other >= name)).filter(|blob| blob.name == name)
    }

    /// Every blob, in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = Cow<'_, Blob>> {
        (0..self.count()).filter_map(|index| self.at(index))
    }

    /// The first place whose name is `past`, by halving: `past` is false for all names up to some
    /// place and true from there on. The count of blobs when it is true for none.
    pub(crate) fn first(&self, past: impl Fn(&str) -> bool) -> u64 {
        let (mut low, mut high) = (0, self.count());
        while low < high {
            let middle = low.midpoint(high);
            if self.at(middle).is_some_and(|blob| past(&blob.name)) {
                high = middle;
            } else {
                low = middle.saturating_add(1);
            }
        }
        low
    }

    /// Apparent size in bytes of all blobs.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.iter().fold(0, |sum: u64, blob| sum.saturating_add(blob.source.size()))
    }
}

/// Everything an account holds.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    containers: Vec<Container>,
}

impl Contents {
    /// These containers, in any order.
    #[must_use]
    pub fn new(mut containers: Vec<Container>) -> Self {
        containers.sort_by(|a, b| a.name.cmp(&b.name));
        Self { containers }
    }

    /// The containers, in the order of their names.
    #[must_use]
    pub fn containers(&self) -> &[Container] {
        &self.containers
    }

    /// The container of that name.
    #[must_use]
    pub fn container(&self, name: &str) -> Option<&Container> {
        self.containers.iter().find(|other| other.name == name)
    }

    /// Apparent size in bytes of everything.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.containers
            .iter()
            .fold(0, |sum: u64, container| sum.saturating_add(container.total_bytes()))
    }

    /// How many blobs there are.
    #[must_use]
    pub fn total_blobs(&self) -> u64 {
        self.containers.iter().fold(0, |sum: u64, container| sum.saturating_add(container.count()))
    }
}
