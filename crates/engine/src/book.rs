//! Leads and the credentials behind them, as a run comes upon them.

use crate::inspector::Seen;
use lidless_core::{
    Category, Confidence, Finding, Grant, Layer, Lead, Place, Severity, Timestamp, stable_id,
};
use lidless_ledger::ObjectId;
use lidless_token::{Credential, KeyRing};
use std::collections::BTreeMap;

/// What a history says of the blob a lead stood in.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) commit: String,
    pub(crate) author: String,
    pub(crate) committed_at: Option<Timestamp>,
    pub(crate) in_newest_tree: bool,
    /// Branches whose newest tree holds it, the first few.
    pub(crate) branches: Vec<String>,
    /// Position of the commit, oldest first.
    pub(crate) order: u64,
}

struct Draft {
    lead: Lead,
    branches: Vec<String>,
    order: u64,
    object: Option<ObjectId>,
    named: bool,
}

/// One credential with what is known of it.
pub(crate) struct Known {
    pub(crate) credential: Credential,
    pub(crate) grant: Grant,
    /// The user named it, so it may be followed without `--follow`.
    pub(crate) named: bool,
}

/// Every lead and every credential of a run. One credential in one file is one lead, however
/// many versions of the file hold it: the oldest says when it came.
pub(crate) struct Book {
    now: Timestamp,
    keys: KeyRing,
    drafts: BTreeMap<(String, String), Draft>,
    known: BTreeMap<String, Known>,
}

impl Book {
    pub(crate) fn new(now: Timestamp, keys: KeyRing) -> Self {
        Self { now, keys, drafts: BTreeMap::new(), known: BTreeMap::new() }
    }

    /// Adds what stood in one artifact; says how many credentials were new.
    pub(crate) fn add(
        &mut self,
        seen: Vec<Seen>,
        origin: Option<&Origin>,
        object: Option<ObjectId>,
        named: bool,
    ) -> usize {
        let mut fresh = 0usize;
        for Seen { place, sighting } in seen {
            let id = self.know(&sighting.credential, named, &mut fresh);
            let (file, group) = file_of(&place);
            let lead = Lead {
                id: stable_id(&["lead", &id, &group]),
                kind: sighting.form.to_owned(),
                url: sighting.credential.redacted_url(),
                location: place.to_string(),
                file,
                line: place.line,
                commit: origin.map(|origin| origin.commit.clone()),
                author: origin.map(|origin| origin.author.clone()),
                committed_at: origin.and_then(|origin| origin.committed_at),
                in_newest_tree: origin.map(|origin| origin.in_newest_tree),
                in_scope: false,
                followed: false,
                left_alone: None,
                grant: Some(id.clone()),
            };
            let order = origin.map_or(0, |origin| origin.order);
            let branches = origin.map(|origin| origin.branches.clone()).unwrap_or_default();
            let draft = Draft { lead, branches, order, object, named };
            match self.drafts.entry((id, group)) {
                std::collections::btree_map::Entry::Vacant(slot) => {
                    slot.insert(draft);
                }
                std::collections::btree_map::Entry::Occupied(mut slot) => {
                    slot.get_mut().merge(draft)
                }
            }
        }
        fresh
    }

    fn know(&mut self, credential: &Credential, named: bool, fresh: &mut usize) -> String {
        let id = credential.id();
        let known = self.known.entry(id.clone()).or_insert_with(|| {
            *fresh = fresh.saturating_add(1);
            let grant = credential.grant(self.now, &self.keys);
            Known { credential: credential.clone(), grant, named }
        });
        known.named |= named;
        // The same token with an address says more than the token alone.
        if known.credential.access().is_none() && credential.access().is_some() {
            known.grant = credential.grant(self.now, &self.keys);
            known.credential = credential.clone();
        }
        id
    }

    pub(crate) fn known(&self) -> impl Iterator<Item = (&String, &Known)> {
        self.known.iter()
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Known> {
        self.known.get(id)
    }

    pub(crate) fn set_grant(&mut self, grant: Grant) {
        if let Some(known) = self.known.get_mut(&grant.id) {
            known.grant = grant;
        }
    }

    /// Notes for every lead of a grant whether it may be and was followed.
    pub(crate) fn mark(&mut self, id: &str, in_scope: bool, followed: bool, left: Option<&str>) {
        for ((grant, _), draft) in &mut self.drafts {
            if grant == id {
                draft.lead.in_scope = in_scope;
                draft.lead.followed = followed;
                draft.lead.left_alone = left.map(str::to_owned);
            }
        }
    }

    /// Every lead with the object it stood in.
    pub(crate) fn leads(&self) -> impl Iterator<Item = (&Lead, Option<ObjectId>)> {
        self.drafts.values().map(|draft| (&draft.lead, draft.object))
    }

    /// A finding for every lead that is a credential and was not named by the user.
    pub(crate) fn findings(
        &self,
        key: &lidless_core::FingerprintKey,
    ) -> Vec<(Finding, Option<ObjectId>)> {
        let mut findings = Vec::new();
        for ((id, _), draft) in &self.drafts {
            let Some(known) = self.known.get(id) else { continue };
            let Some(secret) = known.credential.secret() else { continue };
            if draft.named {
                continue;
            }
            let grant = &known.grant;
            let title = format!("{} for {}", grant.mechanism.words(), grant.resource);
            let mut finding = Finding::new(
                format!("grant.{}", grant.mechanism.as_str()),
                Category::Grant,
                grant.severity,
                Confidence::High,
                title,
                &Place::whole(lidless_core::Provenance::new(Layer::Input { name: String::new() })),
                draft.lead.url.clone(),
            );
            finding.id = stable_id(&["finding", &finding.rule, &draft.lead.location, id]);
            finding.location.clone_from(&draft.lead.location);
            finding.line = draft.lead.line;
            finding = finding
                .with_fingerprint(key.of(secret.expose().as_bytes()))
                .with_detail("grant", id.as_str());
            if draft.lead.commit.is_some() {
                finding = finding.with_detail("git", draft.origin());
            }
            if known.credential.is_public_test_value() {
                finding.severity = Severity::Info;
            }
            findings.push((finding, draft.object));
        }
        findings
    }
}

impl Draft {
    fn merge(&mut self, other: Draft) {
        let newest = match (self.lead.in_newest_tree, other.lead.in_newest_tree) {
            (Some(a), Some(b)) => Some(a || b),
            (a, b) => a.or(b),
        };
        let named = self.named || other.named;
        let mut branches = std::mem::take(&mut self.branches);
        branches.extend(other.branches.iter().cloned());
        branches.sort();
        branches.dedup();
        let earlier = (other.order, &other.lead.location, other.lead.line)
            < (self.order, &self.lead.location, self.lead.line);
        if earlier {
            *self = other;
        }
        self.lead.in_newest_tree = newest;
        self.branches = branches;
        self.named = named;
    }

    fn origin(&self) -> serde_json::Value {
        serde_json::json!({
            "commit": self.lead.commit,
            "author": self.lead.author,
            "committed_at": self.lead.committed_at.map(|time| time.to_string()),
            "in_newest_tree": self.lead.in_newest_tree,
            "branches": self.branches,
        })
    }
}

/// The path of the file a place is in, and what makes two places the same file.
fn file_of(place: &Place) -> (Option<String>, String) {
    let mut group = String::new();
    let mut file = None;
    for layer in place.provenance.layers() {
        let part = match layer {
            Layer::Git { repository, path, .. } => format!("{repository}\u{0}{path}"),
            Layer::File { path } => path.clone(),
            Layer::Object { store, container, key } => format!("{store}\u{0}{container}\u{0}{key}"),
            Layer::Member { path } => path.clone(),
            Layer::Input { name } => name.clone(),
            // One credential in one object, whichever version of it held it first.
            Layer::Version { .. } => continue,
            Layer::Partition { number } => number.to_string(),
            Layer::Decoded { encoding } => encoding.clone(),
        };
        if file.is_none() {
            file = match layer {
                Layer::Git { path, .. } | Layer::File { path } => Some(path.clone()),
                Layer::Object { key, .. } => Some(key.clone()),
                _ => None,
            };
        }
        group.push_str(&part);
        group.push('\u{1}');
    }
    (file, group)
}
