//! One pass over a text for anchors, then local work around each.

use super::{key, link, signed};
use crate::credential::{Credential, Sighting};
use crate::link::Link;
use aho_corasick::{AhoCorasick, MatchKind};
use std::sync::LazyLock;

/// What a credential cannot be written without, and how to read on from there.
const ANCHORS: [(&str, Anchor); 21] = [
    ("sig=", Anchor::Sas(0)),
    ("sig%3d", Anchor::Sas(1)),
    ("sig%253d", Anchor::Sas(2)),
    ("sig\\u003d", Anchor::Sas(0)),
    ("signature=", Anchor::Presigned(0)),
    ("signature%3d", Anchor::Presigned(1)),
    ("accountkey", Anchor::AzureKey),
    ("account_key", Anchor::AzureKey),
    ("account-key", Anchor::AzureKey),
    ("storage_key", Anchor::AzureKey),
    ("storagekey", Anchor::AzureKey),
    ("access_key", Anchor::AzureKey),
    ("core.windows.net", Anchor::Link),
    ("storage.azure.net", Anchor::Link),
    ("cloudapi", Anchor::Link),
    ("amazonaws.com", Anchor::Link),
    ("r2.", Anchor::Link),
    ("digitaloceanspaces.com", Anchor::Link),
    ("storage.googleapis.com", Anchor::Link),
    ("akia", Anchor::Aws),
    ("asia", Anchor::Aws),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Anchor {
    Sas(u8),
    Presigned(u8),
    AzureKey,
    Link,
    Aws,
}

static FINDER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::LeftmostLongest)
        .build(ANCHORS.iter().map(|(text, _)| text))
        .ok()
});

/// Every credential and storage link in a text, in order of place. Where two overlap, the one
/// that says more is kept. Takes time linear in the text.
#[must_use]
pub fn recognise(text: &str) -> Vec<Sighting> {
    let Some(finder) = FINDER.as_ref() else { return Vec::new() };
    let mut signed: Vec<Sighting> = Vec::new();
    let (mut keys, mut links, mut aws) = (false, false, false);
    for found in finder.find_iter(text) {
        let Some((_, anchor)) = ANCHORS.get(found.pattern().as_usize()) else { continue };
        match anchor {
            Anchor::AzureKey => keys = true,
            Anchor::Link => links = true,
            Anchor::Aws => aws = true,
            Anchor::Sas(percent) => {
                if !inside(&signed, found.start()) {
                    signed.extend(signed::sas(text, found.start(), *percent));
                }
            }
            Anchor::Presigned(percent) => {
                if !inside(&signed, found.start()) {
                    signed.extend(signed::presigned(text, found.start(), *percent));
                }
            }
        }
    }
    let nameless = |sighting: &Sighting| matches!(&sighting.credential, Credential::AzureSas(sas) if sas.address.is_none());
    if signed.iter().any(nameless)
        && let Some(account) = link::only_account(text)
    {
        for sighting in &mut signed {
            if let Credential::AzureSas(sas) = &mut sighting.credential
                && sas.address.is_none()
            {
                sas.account = Some(account.clone());
            }
        }
    }
    if keys {
        add(&mut signed, key::azure(text));
    }
    if aws {
        add(&mut signed, key::aws(text));
    }
    if links {
        add(&mut signed, link::links(text));
    }
    signed.sort_by_key(|sighting| (sighting.span.start, sighting.span.end));
    signed
}

fn inside(found: &[Sighting], place: usize) -> bool {
    // Anchors come in order, so only the last few can reach this far.
    found.iter().rev().take(4).any(|known| known.span.contains(&place))
}

fn add(found: &mut Vec<Sighting>, more: Vec<Sighting>) {
    found.sort_by_key(|sighting| sighting.span.start);
    let known: Vec<std::ops::Range<usize>> =
        found.iter().map(|sighting| sighting.span.clone()).collect();
    for sighting in more {
        let next = known.partition_point(|span| span.end <= sighting.span.start);
        let overlaps = known.get(next).is_some_and(|span| span.start < sighting.span.end);
        if !overlaps {
            found.push(sighting);
        }
    }
}

/// Reads one token, connection string or URL as a user pastes it.
#[must_use]
pub fn read(input: &str) -> Option<Credential> {
    let trimmed = input.trim().trim_matches(|c| matches!(c, '"' | '\'' | '<' | '>' | '`'));
    let mut found = recognise(trimmed);
    let first = found.iter().position(|one| !matches!(one.credential, Credential::Link(_)));
    if let Some(index) = first {
        return Some(found.swap_remove(index).credential);
    }
    if trimmed.contains(char::is_whitespace) {
        return found.into_iter().next().map(|one| one.credential);
    }
    // A half token in a URL is not a link without one.
    let query = trimmed.split_once('?').map_or("", |(_, query)| query).to_ascii_lowercase();
    if query.contains("sv=") || query.contains("signature") {
        return None;
    }
    Link::parse(trimmed).or_else(|| local(trimmed)).map(Credential::Link)
}

/// A URL of an emulator on this machine, `http://127.0.0.1:10000/ACCOUNT[/CONTAINER]`.
fn local(url: &str) -> Option<Link> {
    let address = crate::host::Address::parse(url.split(['?', '#']).next()?)?;
    if !address.is_local() || address.account.is_none() {
        return None;
    }
    let address = crate::host::Address { service: Some("blob".into()), ..address };
    Some(Link { address, provider: lidless_core::Provider::Azure })
}
