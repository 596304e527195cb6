//! What a local target gave that is no finding, gathered over all versions of its files.

use lidless_core::{Finding, Reason, Suppressed, Suppressions};
use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hasher as _};

/// From here on versions of a file are no longer told apart in counts.
const TOLD_APART: usize = 1_000_000;

/// One candidate in one file is one, however many versions of the file hold it.
type Key = (String, String, String, u64);

/// What a local target gave that is no finding.
#[derive(Default)]
pub(crate) struct Gathering {
    counts: BTreeMap<Reason, u64>,
    listed: BTreeMap<Reason, BTreeMap<Key, (u64, Suppressed)>>,
    seen: HashSet<u64>,
    /// What the newest version of a file allows, for all its versions.
    allowed: BTreeMap<(String, String, String), Suppressed>,
}

/// The parts of a place that stay when a file moves through its history.
fn inside(location: &str) -> &str {
    let inside = location.split_once("!/").map_or("", |(_, inside)| inside);
    inside.split('#').next().unwrap_or("")
}

fn hash(of: &impl std::hash::Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

impl Gathering {
    /// Adds what one version of a file gave; `newest` says that it is what lies there now.
    pub(crate) fn add(&mut self, path: &str, order: u64, newest: bool, all: &Suppressions) {
        for (reason, count) in all.beyond() {
            let known = self.counts.entry(*reason).or_default();
            *known = known.saturating_add(*count);
        }
        for one in all.listed() {
            if one.reason == Reason::InlineAllow
                && newest
                && let Some(print) = &one.fingerprint
            {
                let key = (path.to_owned(), one.rule.clone(), print.to_string());
                self.allowed.insert(key, one.clone());
            }
            self.add_one(path, order, one);
        }
    }

    fn add_one(&mut self, path: &str, order: u64, one: &Suppressed) {
        // The identity is the same in every run that lists the same things in the same order.
        let value = one.fingerprint.as_ref().map_or(0, |print| hash(&print.as_str()));
        let within = inside(&one.location).to_owned();
        let key: Key = (path.to_owned(), within, one.rule.clone(), value);
        let known = hash(&(one.reason, &key));
        let fresh = self.seen.len() >= TOLD_APART || self.seen.insert(known);
        if fresh {
            let count = self.counts.entry(one.reason).or_default();
            *count = count.saturating_add(1);
        }
        let rows = self.listed.entry(one.reason).or_default();
        match rows.get_mut(&key) {
            Some((first, kept)) => {
                if (order, &one.location, &one.id) < (*first, &kept.location, &kept.id) {
                    (*first, *kept) = (order, one.clone());
                }
            }
            None => {
                rows.insert(key, (order, one.clone()));
                // The first places stay, whichever thread came first.
                if rows.len() > Suppressions::LISTED {
                    rows.pop_last();
                }
            }
        }
    }

    /// Whether the newest version of the file allows what an older one was found for; it is
    /// counted with the allowed ones then.
    pub(crate) fn allows(&self, path: &str, finding: &Finding) -> bool {
        let Some(print) = &finding.fingerprint else { return false };
        let key = (path.to_owned(), finding.rule.clone(), print.to_string());
        self.allowed.contains_key(&key)
    }

    /// The list, and all of it counted.
    pub(crate) fn finish(self) -> (Vec<Suppressed>, BTreeMap<Reason, u64>) {
        let rows = self.listed.into_values().flat_map(BTreeMap::into_values);
        (rows.map(|(_, one)| one).collect(), self.counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_core::{FingerprintKey, Layer, Place, Provenance};

    #[test]
    fn versions_of_a_file_count_once_and_the_oldest_is_listed() {
        let key = FingerprintKey::from_bytes([1; 32]);
        let version = |commit: &str, value: &str| {
            let layer =
                Layer::Git { repository: "/r".into(), commit: commit.into(), path: "a".into() };
            let place = Place::line(Provenance::new(layer), 1, 1);
            let mut all = Suppressions::default();
            all.add(Reason::Word, || {
                let print = Some(key.of(value.as_bytes()));
                Suppressed::new("secret.password", &place, Reason::Word, None, print)
            });
            all
        };
        let mut gathering = Gathering::default();
        gathering.add("a", 2, true, &version("bb", "x"));
        gathering.add("a", 1, false, &version("aa", "x"));
        gathering.add("a", 3, false, &version("cc", "y"));
        let (listed, counts) = gathering.finish();
        assert_eq!(counts[&Reason::Word], 2);
        let mut places: Vec<&str> = listed.iter().map(|one| one.location.as_str()).collect();
        places.sort_unstable();
        assert_eq!(places, ["git+file:///r@aa:a#L1", "git+file:///r@cc:a#L1"]);
    }
}
