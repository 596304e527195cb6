//! The baseline: findings that are known and accepted for a time, each with a reason.
//!
//! An entry knows its secret again in another run, wherever in its file it moves, and nobody who
//! reads the baseline can search a password back: its id is a slow hash of a keyed digest, and of
//! that hash only 20 bits. A thousand passwords of a list of a billion fit an entry, and a new
//! secret in the same file under the same rule is taken for the old one once in a million times.

use crate::error::EngineError;
use crate::gitleaks::Allowed;
use lidless_core::{
    Category, Finding, FingerprintKey, Identity, Layer, Provenance, Reason, Remark, RemarkKind,
    Suppressed, Timestamp, stable_id,
};
use lidless_ledger::Case;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const SCHEMA: &str = "lidless.baseline/1";
/// Rounds of PBKDF2 for one id.
const ROUNDS: u32 = 20_000;
/// More than this is somebody's attack on the time of whoever reads the file.
const MOST_ROUNDS: u32 = 1_000_000;
/// Hexadecimal digits of an id that come from the secret: 20 bits.
const DIGITS: usize = 5;

/// Findings that are accepted for a time. The file that `--baseline` reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    schema: String,
    /// The key of the digests, 64 hexadecimal digits; says nothing of any case.
    key: String,
    rounds: u32,
    /// Sorted by path, then rule.
    pub entries: Vec<BaselineEntry>,
}

/// One accepted finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BaselineEntry {
    /// The path inside its target, or the whole place of what lies elsewhere.
    pub path: String,
    /// The rule that finds it.
    pub rule: String,
    /// Of rule, path and secret; not of the line.
    pub id: String,
    /// Where it stood when it was accepted, for readers.
    pub location: String,
    /// Why it is accepted.
    pub reason: String,
    /// When it was accepted.
    pub created: Timestamp,
    /// Until when.
    pub expires: Timestamp,
}

/// What new entries of a baseline say.
#[derive(Debug, Clone)]
pub struct NewEntries {
    /// Why the findings are accepted.
    pub reason: String,
    /// When.
    pub now: Timestamp,
    /// Until when.
    pub expires: Timestamp,
}

/// What a run found out about one finding, kept in the case: matching costs time.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Settled {
    /// An entry of the baseline, by its position.
    Entry(usize),
    /// Another tool's word for it.
    Other(String),
}

impl Baseline {
    /// Reads a baseline.
    ///
    /// # Errors
    /// When it is none, in words.
    pub fn read(text: &str) -> Result<Self, String> {
        let read: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if read.schema != SCHEMA {
            return Err(format!("its schema is not {SCHEMA}"));
        }
        if read.rounds == 0 || read.rounds > MOST_ROUNDS {
            return Err(format!("rounds has to be between 1 and {MOST_ROUNDS}"));
        }
        if read.key_bytes().is_none() {
            return Err("key has to be 64 hexadecimal digits".into());
        }
        if let Some(entry) = read.entries.iter().find(|entry| entry.reason.trim().is_empty()) {
            return Err(format!("the entry {} for {} gives no reason", entry.id, entry.path));
        }
        Ok(read)
    }

    /// The key of the digests.
    pub(crate) fn key_bytes(&self) -> Option<[u8; 32]> {
        let mut bytes = [0_u8; 32];
        if self.key.len() != 64 {
            return None;
        }
        for (at, byte) in bytes.iter_mut().enumerate() {
            let from = at.checked_mul(2)?;
            *byte = u8::from_str_radix(self.key.get(from..from.checked_add(2)?)?, 16).ok()?;
        }
        Some(bytes)
    }
}

/// The id of a finding in a baseline.
fn id_of(rule: &str, path: &str, title: &str, identity: Option<&Identity>, rounds: u32) -> String {
    match identity {
        None => stable_id(&["baseline", rule, path, title]),
        Some(identity) => {
            let place = stable_id(&["baseline", rule, path]);
            let mut digest = [0_u8; 8];
            pbkdf2::pbkdf2_hmac::<sha2::Sha256>(
                identity.as_bytes(),
                format!("{SCHEMA}\u{0}{rule}\u{0}{path}").as_bytes(),
                rounds,
                &mut digest,
            );
            let digits = hex(&digest);
            format!("{place}-{}", digits.get(..DIGITS).unwrap_or(""))
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The roots of local targets as places begin: `file:///src/`.
fn roots(case: &Case) -> Result<Vec<String>, EngineError> {
    let mut roots: Vec<String> = case
        .sources()?
        .into_iter()
        .map(|source| match source.container.strip_prefix("git+file://") {
            Some(path) => Provenance::new(Layer::File { path: path.to_owned() }).to_string(),
            None => source.container,
        })
        .collect();
    // The longest first: a target inside another is the nearer one.
    roots.sort_by_key(|root| std::cmp::Reverse(root.len()));
    Ok(roots)
}

/// The path of a place inside its target, the same in every checkout and every commit, and the
/// commit where there is one.
fn path_of(location: &str, roots: &[String]) -> (String, Option<String>) {
    let place = match location.rsplit_once("#L") {
        Some((place, line)) if line.bytes().all(|byte| byte.is_ascii_digit()) => place,
        _ => location,
    };
    if place.starts_with("git+") {
        for (at, _) in place.match_indices('@') {
            let rest = place.get(at.saturating_add(1)..).unwrap_or("");
            if let Some((commit, path)) = rest.split_once(':')
                && matches!(commit.len(), 40 | 64)
                && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
            {
                return (path.to_owned(), Some(commit.to_owned()));
            }
        }
    }
    for root in roots {
        if let Some(rest) = place.strip_prefix(root.as_str()) {
            if rest.is_empty() || rest.starts_with("!/") {
                let name = root.rsplit('/').next().unwrap_or(root);
                return (format!("{name}{rest}"), None);
            }
            if let Some(rest) = rest.strip_prefix('/') {
                return (rest.to_owned(), None);
            }
        }
    }
    (place.to_owned(), None)
}

/// Whether a baseline may speak of a finding: never of what opens storage.
fn is_acceptable(finding: &Finding) -> bool {
    finding.category != Category::Grant && !finding.rule.starts_with("grant.")
}

/// Ids of many findings, on every core: one costs milliseconds.
fn ids(findings: &[(&Finding, String)], rounds: u32) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let known: Mutex<HashMap<usize, String>> = Mutex::default();
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads.min(findings.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some((finding, path)) = findings.get(at) else { break };
                    let identity = finding.fingerprint.as_ref().and_then(|print| print.identity());
                    let id = id_of(&finding.rule, path, &finding.title, identity, rounds);
                    let mut known = known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    known.insert(at, id);
                }
            });
        }
    });
    let mut known = known.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    (0..findings.len()).map(|at| known.remove(&at).unwrap_or_default()).collect()
}

/// Finds out which findings of a case the user has accepted, and keeps that in the case.
pub(crate) fn settle(
    case: &Case,
    baseline: Option<&Baseline>,
    others: &[Allowed],
    key: &FingerprintKey,
) -> Result<(), EngineError> {
    let mut settled: BTreeMap<String, Settled> = BTreeMap::new();
    if baseline.is_some() || !others.is_empty() {
        let roots = roots(case)?;
        let findings = case.findings_with_identities()?;
        let mut by_path: HashMap<&str, Vec<&Allowed>> = HashMap::new();
        for one in others {
            by_path.entry(one.path()).or_default().push(one);
        }
        let mut asked = Vec::new();
        for finding in findings.iter().filter(|finding| is_acceptable(finding)) {
            let (path, commit) = path_of(&finding.location, &roots);
            let identity = finding.fingerprint.as_ref().and_then(|print| print.identity());
            let said = by_path.get(path.as_str()).and_then(|all| {
                all.iter().find(|one| one.allows(commit.as_deref(), finding.line, identity, key))
            });
            if let Some(one) = said {
                settled.insert(finding.id.clone(), Settled::Other(one.source().to_owned()));
            }
            let entries = baseline.map_or(&[][..], |baseline| &baseline.entries);
            if entries.iter().any(|entry| entry.rule == finding.rule && entry.path == path) {
                asked.push((finding, path));
            }
        }
        if let Some(baseline) = baseline {
            let positions: HashMap<&str, usize> = baseline
                .entries
                .iter()
                .enumerate()
                .map(|(at, entry)| (entry.id.as_str(), at))
                .collect();
            for ((finding, _), id) in asked.iter().zip(ids(&asked, baseline.rounds)) {
                if let Some(at) = positions.get(id.as_str()) {
                    settled.insert(finding.id.clone(), Settled::Entry(*at));
                }
            }
        }
    }
    case.set_meta("baseline", &baseline)?;
    case.set_meta("baseline_settled", &settled)?;
    Ok(())
}

/// Takes what is accepted out of the findings, and says what the baseline is no longer right about.
pub(crate) fn apply(
    case: &Case,
    findings: &mut Vec<Finding>,
    now: Timestamp,
) -> Result<(Vec<Suppressed>, Vec<Remark>), EngineError> {
    let baseline: Option<Baseline> = case.meta::<Option<Baseline>>("baseline")?.flatten();
    let settled: BTreeMap<String, Settled> = case.meta("baseline_settled")?.unwrap_or_default();
    let entries = baseline.as_ref().map_or(&[][..], |baseline| &baseline.entries);
    let (mut suppressed, mut remarks) = (Vec::new(), Vec::new());
    let mut met = std::collections::BTreeSet::new();
    findings.retain(|finding| {
        let note = match settled.get(&finding.id) {
            None => return true,
            Some(Settled::Other(word)) => word.clone(),
            Some(Settled::Entry(at)) => {
                let Some(entry) = entries.get(*at) else { return true };
                met.insert(*at);
                if entry.expires <= now {
                    return true;
                }
                format!("{} (until {})", entry.reason, entry.expires.strftime("%Y-%m-%d"))
            }
        };
        suppressed.push(Suppressed::from_finding(finding, Reason::Baseline, Some(note)));
        false
    });
    for (at, entry) in entries.iter().enumerate() {
        let location = entry.location.clone();
        let (kind, message) = if !met.contains(&at) {
            let message = format!("{} in {} was not found again", entry.rule, entry.path);
            (RemarkKind::BaselineStale, message)
        } else if entry.expires <= now {
            let day = entry.expires.strftime("%Y-%m-%d");
            let message = format!("{} in {} was accepted until {day}", entry.rule, entry.path);
            (RemarkKind::BaselineExpired, message)
        } else {
            continue;
        };
        remarks.push(Remark { kind, location, message });
    }
    Ok((suppressed, remarks))
}

/// Makes the baseline of a case: what the case's own baseline still accepts stays as it is, and
/// every other finding becomes a new entry. Grants never do.
///
/// # Errors
/// When the case cannot be read.
pub fn write_baseline(case: &Case, new: &NewEntries) -> Result<Baseline, EngineError> {
    let old: Option<Baseline> = case.meta::<Option<Baseline>>("baseline")?.flatten();
    let settled: BTreeMap<String, Settled> = case.meta("baseline_settled")?.unwrap_or_default();
    let (key, rounds) = match &old {
        Some(old) => (old.key.clone(), old.rounds),
        None => (hex(case.key().identity_key()), ROUNDS),
    };
    let roots = roots(case)?;
    let findings = case.findings_with_identities()?;
    let mut entries: BTreeMap<String, BaselineEntry> = BTreeMap::new();
    let mut fresh = Vec::new();
    for finding in findings.iter().filter(|finding| is_acceptable(finding)) {
        let kept = match settled.get(&finding.id) {
            Some(Settled::Entry(at)) => old.as_ref().and_then(|old| old.entries.get(*at)),
            Some(Settled::Other(_)) => continue,
            None => None,
        };
        match kept.filter(|entry| entry.expires > new.now) {
            Some(entry) => {
                entries.insert(entry.id.clone(), entry.clone());
            }
            None => fresh.push((finding, path_of(&finding.location, &roots).0)),
        }
    }
    for ((finding, path), id) in fresh.iter().zip(ids(&fresh, rounds)) {
        let entry = BaselineEntry {
            path: path.clone(),
            rule: finding.rule.clone(),
            id: id.clone(),
            location: finding.location.clone(),
            reason: new.reason.clone(),
            created: new.now,
            expires: new.expires,
        };
        // The first place of several in a file is the one that is shown.
        let first = entries
            .get(&id)
            .is_none_or(|known| known.created == new.now && entry.location < known.location);
        if first {
            entries.insert(id, entry);
        }
    }
    let mut entries: Vec<BaselineEntry> = entries.into_values().collect();
    entries.sort();
    Ok(Baseline { schema: SCHEMA.into(), key, rounds, entries })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_the_same_in_every_checkout_and_commit() {
        let commit = "a".repeat(40);
        let roots = ["file:///src/repo".to_owned()];
        let git = format!("git+file:///src/re@po@{commit}:a/b.env#L3");
        assert_eq!(path_of(&git, &roots), ("a/b.env".into(), Some(commit)));
        assert_eq!(path_of("file:///src/repo/a/b.env#L9", &roots).0, "a/b.env");
        assert_eq!(path_of("file:///src/repo/a.zip!/b#L9", &roots).0, "a.zip!/b");
        assert_eq!(path_of("file:///src/repo#L1", &roots).0, "repo");
        assert_eq!(path_of("file:///src/repository/x", &roots).0, "file:///src/repository/x");
        assert_eq!(path_of("az://a/b/c.env#L9", &roots).0, "az://a/b/c.env");
    }

    #[test]
    fn an_id_is_of_the_secret_and_shows_twenty_bits_of_it() {
        let key = FingerprintKey::from_bytes([7; 32]);
        let (one, two) = (key.identity(b"tr0ub4dor"), key.identity(b"tr0ub4dor2"));
        let id = |identity| id_of("secret.password", "a.env", "t", Some(identity), 100);
        assert_eq!(id(&one), id(&one));
        assert_ne!(id(&one), id(&two));
        assert_eq!(id(&one).rsplit('-').next().unwrap().len(), DIGITS);
        assert_ne!(id(&one), id_of("secret.password", "b.env", "t", Some(&one), 100));
    }

    #[test]
    fn a_baseline_that_is_none_says_what_is_wrong() {
        let good = Baseline {
            schema: SCHEMA.into(),
            key: "0".repeat(64),
            rounds: 1,
            entries: vec![BaselineEntry {
                path: "a".into(),
                rule: "r".into(),
                id: "i".into(),
                location: "l".into(),
                reason: "known".into(),
                created: Timestamp::UNIX_EPOCH,
                expires: Timestamp::UNIX_EPOCH,
            }],
        };
        let text = serde_json::to_string(&good).unwrap();
        assert_eq!(Baseline::read(&text).unwrap(), good);
        for (from, to, word) in [
            ("lidless.baseline/1", "other/1", "schema"),
            ("\"rounds\":1", "\"rounds\":4000000000", "rounds"),
            ("\"rounds\":1", "\"rounds\":0", "rounds"),
            ("000", "0g0", "key"),
            ("\"known\"", "\" \"", "reason"),
            ("\"expires\"", "\"expire\"", "expires"),
        ] {
            let error = Baseline::read(&text.replacen(from, to, 1)).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
