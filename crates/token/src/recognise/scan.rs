//! One pass over a text for anchors, then local work around each.

use super::flat::{Flat, Reading};
use super::signed::WINDOW;
use super::{gate, key, link, signed};
use crate::credential::{Credential, Sighting};
use crate::host::Address;
use crate::link::Link;
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use lidless_core::{Holds, Pieces};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// What a credential cannot be written without, and how often it has to be percent-decoded.
pub(crate) const ANCHORS: [(&str, Anchor); 46] = [
    ("sig=", Anchor::Signed(0)),
    ("sig\\u003d", Anchor::Signed(0)),
    ("sig\\x3d", Anchor::Signed(0)),
    ("sig&#61;", Anchor::Signed(0)),
    ("sig&#x3d;", Anchor::Signed(0)),
    ("sig%3d", Anchor::Signed(1)),
    ("sig%253d", Anchor::Signed(2)),
    ("sig%25253d", Anchor::Signed(3)),
    // When a line break falls into `sig=` itself, the version still stands.
    ("sv=20", Anchor::Signed(0)),
    ("sv=3d20", Anchor::Signed(0)),
    ("sv%3d20", Anchor::Signed(1)),
    ("signature=", Anchor::Signed(0)),
    ("signature\\u003d", Anchor::Signed(0)),
    ("signature%3d", Anchor::Signed(1)),
    ("signature%253d", Anchor::Signed(2)),
    ("signature%25253d", Anchor::Signed(3)),
    ("accountkey", Anchor::Key(0)),
    ("account_key", Anchor::Key(0)),
    ("account-key", Anchor::Key(0)),
    ("account.key", Anchor::Key(0)),
    ("storage_key", Anchor::Key(0)),
    ("storagekey", Anchor::Key(0)),
    ("storage-key", Anchor::Key(0)),
    ("access_key", Anchor::Key(0)),
    ("access-key", Anchor::Key(0)),
    ("accesskey", Anchor::Key(0)),
    ("sharedkey", Anchor::Key(0)),
    ("primarykey", Anchor::Key(0)),
    ("primary_key", Anchor::Key(0)),
    ("keyname", Anchor::Key(0)),
    ("accountkey%3d", Anchor::Key(1)),
    ("akia", Anchor::Access("AKIA")),
    ("asia", Anchor::Access("ASIA")),
    ("goog", Anchor::Access("GOOG")),
    ("service_account\"", Anchor::KeyFile),
    ("core.windows.net", Anchor::Link),
    ("storage.azure.net", Anchor::Link),
    ("cloudapi", Anchor::Link),
    ("fabric.microsoft.com", Anchor::Link),
    ("amazonaws.com", Anchor::Link),
    ("r2.cloudflarestorage.com", Anchor::Link),
    (".r2.dev", Anchor::Link),
    ("digitaloceanspaces.com", Anchor::Link),
    ("aliyuncs.com", Anchor::Link),
    ("storage.googleapis.com", Anchor::Link),
    ("storage.cloud.google.com", Anchor::Link),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// A signature, after so many rounds of percent-decoding.
    Signed(u8),
    /// What an account key, or the secret of a pair, is called.
    Key(u8),
    /// The beginning of an access id, in this very case.
    Access(&'static str),
    /// The mark of a file that holds a key and whose it is.
    KeyFile,
    /// The host of a storage service.
    Link,
}

static FINDER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::LeftmostLongest)
        .kind(Some(AhoCorasickKind::DFA))
        .build(ANCHORS.iter().map(|(text, _)| text))
        .ok()
});

/// Longest part that is flattened at a time, so that memory stays bounded.
const REGION: usize = 64 * 1024;

/// Something found in one reading of one region.
pub(crate) struct Candidate {
    pub(crate) span: std::ops::Range<usize>,
    pub(crate) form: &'static str,
    /// Whether its values make sense together, and whether its account is known.
    pub(crate) rank: (bool, bool),
    pub(crate) credential: Credential,
}

/// A stretch of text with anchors in it.
struct Region {
    first: usize,
    last: usize,
    /// Which rounds of percent-decoding its anchors ask for, a bit each.
    levels: u8,
    signatures: Vec<usize>,
    keys: bool,
    /// The beginning of an access id, or the mark of a key file.
    ids: bool,
}

/// Every credential and storage link in a text, in order of place. Where two overlap, the one
/// that says more is kept, and of equals the longer. Takes time linear in the text.
#[must_use]
pub fn recognise(text: &str) -> Vec<Sighting> {
    recognise_in(text, &Pieces::whole(text.len()))
}

/// The same, looking only at pieces that may hold what a credential cannot be written without.
#[must_use]
pub fn recognise_in(text: &str, pieces: &Pieces) -> Vec<Sighting> {
    let (mut kept, links) = credentials(text, pieces);
    if links {
        let known: Vec<_> = kept.iter().map(|sighting| sighting.span.clone()).collect();
        kept.extend(link::links(text).into_iter().filter(|sighting| {
            let next = known.partition_point(|span| span.end <= sighting.span.start);
            known.get(next).is_none_or(|span| span.start >= sighting.span.end)
        }));
        kept.sort_by_key(|sighting| (sighting.span.start, sighting.span.end));
    }
    kept
}

/// Every credential, and whether there may be links without one.
fn credentials(text: &str, pieces: &Pieces) -> (Vec<Sighting>, bool) {
    let (regions, links) = regions(text, pieces);
    let mut found = Vec::new();
    for region in &regions {
        search(text, region, &mut found);
    }
    let mut kept = resolve(found);
    name_accounts(text, &mut kept);
    (kept, links)
}

/// Groups anchors that stand near each other.
fn regions(text: &str, pieces: &Pieces) -> (Vec<Region>, bool) {
    let mut regions: Vec<Region> = Vec::new();
    let mut links = false;
    let Some(finder) = FINDER.as_ref() else { return (regions, links) };
    // Margins are bytes, not characters: what is searched is bytes.
    let parts = pieces.parts(Holds::ANCHOR);
    let passing = parts.iter().flat_map(|part| gate::passing(text.as_bytes(), part));
    let anchors = passing.flat_map(|range| {
        let part = text.as_bytes().get(range.clone()).unwrap_or(&[]);
        finder.find_iter(part).map(move |found| {
            (found.pattern().as_usize(), range.start.saturating_add(found.start()))
        })
    });
    for (pattern, at) in anchors {
        pieces.note(Holds::ANCHOR, &(at..at.saturating_add(1)));
        let Some((_, anchor)) = ANCHORS.get(pattern) else { continue };
        let (level, signature, id) = match *anchor {
            Anchor::Link => {
                links = true;
                continue;
            }
            Anchor::Access(prefix) => {
                if !is_access_id(text, at, prefix) {
                    continue;
                }
                (0, false, true)
            }
            Anchor::KeyFile => (0, false, true),
            Anchor::Key(level) => (level, false, false),
            Anchor::Signed(level) => (level, true, false),
        };
        let joins = regions.last().is_some_and(|last| {
            at.saturating_sub(last.last) < WINDOW && at.saturating_sub(last.first) < REGION
        });
        if !joins {
            regions.push(Region {
                first: at,
                last: at,
                levels: 0,
                signatures: Vec::new(),
                keys: false,
                ids: false,
            });
        }
        if let Some(region) = regions.last_mut() {
            region.last = at;
            region.levels |= 1u8.checked_shl(u32::from(level)).unwrap_or(0);
            region.keys |= !signature;
            region.ids |= id;
            if signature {
                region.signatures.push(at);
            }
        }
    }
    (regions, links)
}

/// Twelve capitals or digits after the prefix: no word of a language begins so.
fn is_access_id(text: &str, at: usize, prefix: &str) -> bool {
    let Some(rest) = text.as_bytes().get(at..) else { return false };
    rest.starts_with(prefix.as_bytes())
        && rest.len() >= 16
        && rest.iter().take(16).all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Reads one region in every way it asks for, the plainest first.
fn search(text: &str, region: &Region, found: &mut Vec<Candidate>) {
    let mut start = region.first.saturating_sub(WINDOW);
    while !text.is_char_boundary(start) {
        start = start.saturating_sub(1);
    }
    let mut end = region.last.saturating_add(WINDOW).min(text.len());
    while !text.is_char_boundary(end) {
        end = end.saturating_add(1);
    }
    let raw = text.get(start..end).unwrap_or("");
    let keys = region.keys && (region.ids || may_hold_key(raw));
    if !keys && region.signatures.is_empty() {
        return;
    }
    for (join, quoted_printable) in [(false, false), (true, false), (true, true)] {
        let from = found.len();
        for percent in 0..4u8 {
            let asked = region.levels & 1u8.checked_shl(u32::from(percent)).unwrap_or(0) != 0;
            if !asked {
                continue;
            }
            let flat = Flat::new(raw, start, Reading { join, quoted_printable, percent });
            if !region.signatures.is_empty() {
                signed::search(&flat, text, found);
            }
            if keys {
                key::search(&flat, text, found);
            }
        }
        // What is read whole needs no guessing at broken lines.
        let good = found.get(from..).unwrap_or(&[]);
        let whole = |at: &usize| {
            good.iter()
                .any(|one| one.rank == (true, true) && (one.span.contains(at) || starts(one, *at)))
        };
        let keys_done =
            !(keys && padded(raw)) || good.iter().any(|one| !is_signed(&one.credential));
        if region.signatures.iter().all(whole) && keys_done {
            break;
        }
    }
}

/// Whether the padding of an account key stands anywhere, plain or in any escape that is undone:
/// most names of keys stand in code that holds none, and need not be read.
fn may_hold_key(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    let escaped = |mark: &str| {
        memchr::memmem::find_iter(bytes, mark).any(|at| {
            let before = at.checked_sub(1).and_then(|index| bytes.get(index));
            before.is_some_and(|byte| b"%=xX05".contains(byte))
        })
    };
    padded(raw)
        || ["\\=", "&#61", "&#x3", "&#X3", "&equals"]
            .iter()
            .any(|mark| memchr::memmem::find(bytes, mark.as_bytes()).is_some())
        || escaped("3d")
        || escaped("3D")
}

/// Whether the padding of an account key stands anywhere as it is.
fn padded(raw: &str) -> bool {
    memchr::memmem::find_iter(raw.as_bytes(), b"==").any(|at| {
        let before = at.checked_sub(1).and_then(|index| raw.as_bytes().get(index));
        before.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
    })
}

fn starts(candidate: &Candidate, at: usize) -> bool {
    candidate.span.start == at
}

fn is_signed(credential: &Credential) -> bool {
    matches!(credential, Credential::AzureSas(_) | Credential::Presigned(_))
}

/// Of candidates that overlap keeps the one that says most.
fn resolve(mut found: Vec<Candidate>) -> Vec<Sighting> {
    // Stable: of equals the plainer reading came first.
    found.sort_by_key(|one| {
        let length = one.span.end.saturating_sub(one.span.start);
        (std::cmp::Reverse(one.rank), std::cmp::Reverse(length))
    });
    let mut kept: BTreeMap<usize, Sighting> = BTreeMap::new();
    for Candidate { span, form, credential, .. } in found {
        let overlaps = kept
            .range(..span.end)
            .next_back()
            .is_some_and(|(_, known)| known.span.end > span.start);
        if !overlaps {
            kept.insert(span.start, Sighting { span, form, credential });
        }
    }
    kept.into_values().collect()
}

/// Gives tokens and keys that stand alone the one account that the text names.
fn name_accounts(text: &str, found: &mut [Sighting]) {
    let mut only: Option<Option<String>> = None;
    for sighting in found {
        let account = match &mut sighting.credential {
            Credential::AzureSas(sas) if sas.address.is_none() => &mut sas.account,
            Credential::AzureKey(key) => &mut key.account,
            _ => continue,
        };
        if account.is_none() {
            account.clone_from(only.get_or_insert_with(|| link::only_account(text)));
        }
    }
}

/// Reads one token, connection string or URL as a user pastes it.
#[must_use]
pub fn read(input: &str) -> Option<Credential> {
    let trimmed = input.trim().trim_matches(|c| matches!(c, '"' | '\'' | '<' | '>' | '`'));
    let (found, _) = credentials(trimmed, &Pieces::whole(trimmed.len()));
    if let Some(first) = found.into_iter().next() {
        return Some(first.credential);
    }
    if trimmed.contains(char::is_whitespace) {
        return link::links(trimmed).into_iter().next().map(|one| one.credential);
    }
    // A half token in a URL is not a link without one.
    let query = trimmed.split_once('?').map_or("", |(_, query)| query).to_ascii_lowercase();
    if query.contains("sv=") || query.contains("signature") || query.contains("sig=") {
        return None;
    }
    Link::parse(trimmed).or_else(|| local(trimmed)).map(Credential::Link)
}

/// A URL of an emulator on this machine, `http://127.0.0.1:10000/ACCOUNT[/CONTAINER]`.
fn local(url: &str) -> Option<Link> {
    let address = Address::parse(url.split(['?', '#']).next()?)?;
    let repository = address.path.ends_with(".git");
    if !address.is_local() || address.account.is_none() || repository {
        return None;
    }
    let address = Address { service: Some("blob".into()), ..address };
    Some(Link { address, provider: lidless_core::Provider::Azure })
}
