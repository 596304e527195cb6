//! Adding up the marks of workstation backups.

use lidless_core::{Category, Finding, Mark, Timestamp, Workstation};
use std::collections::{BTreeMap, BTreeSet};

/// A tree with this much evidence is a workstation backup ...
const ENOUGH: u32 = 5;
/// ... when at least one piece of it is strong.
const STRONG: u8 = 3;
/// How many pieces of evidence and places a report keeps of one machine.
const KEPT: usize = 12;

#[derive(Default)]
struct Tree {
    /// Names, those that the machine's own settings state first.
    hosts: BTreeSet<(bool, String)>,
    domains: BTreeSet<String>,
    systems: BTreeSet<String>,
    owners: BTreeSet<String>,
    users: BTreeSet<String>,
    evidence: BTreeMap<String, u8>,
    roots: BTreeSet<String>,
    last_used: Option<Timestamp>,
    machine_ids: BTreeSet<String>,
}

/// The machines whose backups the marks show. Two backups that name one host are one machine
/// unless their domains or their ids differ; trees without a host name are told apart by where
/// they lie. Findings below a machine's places are counted as its credentials.
pub fn workstations<'a>(
    marks: impl IntoIterator<Item = &'a Mark>,
    findings: &[Finding],
) -> Vec<Workstation> {
    let mut by_root: BTreeMap<String, Tree> = BTreeMap::new();
    for mark in marks {
        if let Mark::Workstation { root, .. } = mark {
            by_root.entry(root.clone()).or_default().add(mark);
        }
    }
    let mut trees: Vec<Tree> = by_root.into_values().collect();
    for tree in &mut trees {
        // Local accounts stand below the machine's own name, as those of a domain below its.
        let hosts: Vec<String> = tree.hosts.iter().map(|(_, host)| host.to_lowercase()).collect();
        tree.domains.retain(|domain| !hosts.contains(&domain.to_lowercase()));
    }
    // Those that say most of themselves first: the others then find their machine.
    trees.sort_by_key(|tree| (tree.machine_ids.is_empty(), tree.domains.is_empty()));
    let mut machines: Vec<Tree> = Vec::new();
    for tree in trees {
        match machines.iter_mut().find(|machine| machine.is_also(&tree)) {
            Some(machine) => machine.join(tree),
            None => machines.push(tree),
        }
    }
    let mut found: Vec<Workstation> = machines
        .into_iter()
        .filter(Tree::is_enough)
        .map(|tree| {
            let credentials = credentials(&tree.roots, findings);
            tree.into_workstation(credentials)
        })
        .collect();
    found.sort();
    found
}

impl Tree {
    fn add(&mut self, mark: &Mark) {
        let Mark::Workstation {
            root,
            host,
            domain,
            os,
            owner,
            users,
            evidence,
            weight,
            stated,
            last_used,
            machine_id,
        } = mark
        else {
            return;
        };
        self.hosts.extend(host.iter().map(|host| (!stated, host.clone())));
        self.domains.extend(domain.clone());
        self.systems.extend(os.clone());
        self.owners.extend(owner.clone());
        self.users.extend(users.iter().cloned());
        self.roots.insert(root.clone());
        self.machine_ids.extend(machine_id.clone());
        self.last_used = self.last_used.max(*last_used);
        let seen = self.evidence.entry(evidence.clone()).or_default();
        *seen = (*seen).max(*weight);
    }

    fn host(&self) -> Option<&str> {
        self.hosts.first().map(|(_, host)| host.as_str())
    }

    /// Whether another tree is of the same machine.
    fn is_also(&self, other: &Self) -> bool {
        let same_host = match (self.host(), other.host()) {
            (Some(one), Some(two)) => one.to_uppercase() == two.to_uppercase(),
            _ => false,
        };
        let ids = self.machine_ids.is_empty()
            || other.machine_ids.is_empty()
            || !self.machine_ids.is_disjoint(&other.machine_ids);
        let domains = self.domains.is_empty()
            || other.domains.is_empty()
            || self.domains.iter().any(|one| other.domains.iter().any(|two| fit(one, two)));
        same_host && ids && domains
    }

    fn join(&mut self, other: Self) {
        self.hosts.extend(other.hosts);
        self.domains.extend(other.domains);
        self.systems.extend(other.systems);
        self.owners.extend(other.owners);
        self.users.extend(other.users);
        self.roots.extend(other.roots);
        self.machine_ids.extend(other.machine_ids);
        self.last_used = self.last_used.max(other.last_used);
        for (evidence, weight) in other.evidence {
            let seen = self.evidence.entry(evidence).or_default();
            *seen = (*seen).max(weight);
        }
    }

    fn is_enough(&self) -> bool {
        let total: u32 = self.evidence.values().map(|weight| u32::from(*weight)).sum();
        total >= ENOUGH && self.evidence.values().any(|weight| *weight >= STRONG)
    }

    fn into_workstation(self, credentials: BTreeMap<String, u64>) -> Workstation {
        let host = self.host().map(str::to_owned);
        let mut evidence: Vec<(u8, String)> =
            self.evidence.into_iter().map(|(text, weight)| (weight, text)).collect();
        evidence.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        Workstation {
            host,
            // The longest says most: `corp.example.com` over `CORP`, "Windows 10 Pro" over
            // "Windows".
            domain: self.domains.into_iter().max_by_key(String::len),
            os: self.systems.into_iter().max_by_key(String::len),
            owner: self.owners.into_iter().next(),
            users: self.users.into_iter().collect(),
            evidence: evidence.into_iter().take(KEPT).map(|(_, text)| text).collect(),
            places: self.roots.into_iter().take(KEPT).collect(),
            last_used: self.last_used,
            machine_id: self.machine_ids.into_iter().next(),
            credentials,
        }
    }
}

/// Whether two names can be one domain: `CORP` is what `corp.example.com` is called for short.
fn fit(one: &str, two: &str) -> bool {
    let (one, two) = (one.to_lowercase(), two.to_lowercase());
    let short =
        |whole: &str, name: &str| !name.contains('.') && whole.split('.').next() == Some(name);
    one == two || short(&one, &two) || short(&two, &one)
}

/// What the findings below some places open, by kind.
fn credentials(roots: &BTreeSet<String>, findings: &[Finding]) -> BTreeMap<String, u64> {
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    let (mut hashes, mut key) = (false, false);
    for finding in findings {
        let below = |root: &String| {
            let rest = finding.location.strip_prefix(root.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '!', '#']))
        };
        if !roots.iter().any(below) {
            continue;
        }
        hashes |= finding.rule == "credential_file.windows_hives";
        // SYSTEM holds the key to the hashes; it may lie beside them or be an object of its own.
        key |= finding.rule == "backup.machine_settings"
            || finding.detail.get("complete") == Some(&true.into());
        let Some(kind) = kind(finding) else { continue };
        let many = match kind {
            "browser_logins" | "cookies" => {
                finding.detail.get("count").and_then(serde_json::Value::as_u64).unwrap_or(1)
            }
            _ => 1,
        };
        let count = kinds.entry(kind.to_owned()).or_default();
        *count = count.saturating_add(many);
    }
    if hashes && key {
        kinds.insert("hive_sets".into(), 1);
    }
    kinds
}

fn kind(finding: &Finding) -> Option<&'static str> {
    let rule = finding.rule.as_str();
    Some(match rule.split_once('.').map_or(rule, |(_, rule)| rule) {
        "private_key" | "putty_key" => "private_keys",
        "browser_logins" | "firefox_logins" => "browser_logins",
        "browser_cookies" | "firefox_cookies" | "safari_cookies" => "cookies",
        "keepass" | "macos_keychain" | "dpapi" | "windows_vault" | "onepassword" | "bitwarden" => {
            "password_stores"
        }
        _ => match finding.category {
            Category::CredentialFile => "credential_files",
            Category::Secret => "secrets",
            _ => return None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_core::{Confidence, Layer, Place, Provenance, Severity};

    fn mark(root: &str, host: Option<&str>, user: &str, evidence: &str, weight: u8) -> Mark {
        Mark::Workstation {
            root: root.into(),
            host: host.map(str::to_owned),
            domain: None,
            os: Some("Windows".into()),
            owner: None,
            users: vec![user.into()],
            evidence: evidence.into(),
            weight,
            stated: false,
            last_used: None,
            machine_id: None,
        }
    }

    /// A whole machine: its name stated, its domain and id as given.
    fn machine(root: &str, name: &str, within: Option<&str>, id: Option<&str>) -> [Mark; 2] {
        let mut stated_mark = mark(root, Some(name), "alice", "settings in the registry", 3);
        if let Mark::Workstation { domain, machine_id, stated, last_used, .. } = &mut stated_mark {
            *domain = within.map(str::to_owned);
            *machine_id = id.map(str::to_owned);
            *stated = true;
            *last_used = "2023-06-20T01:20:00Z".parse().ok();
        }
        [stated_mark, mark(root, Some("A-GUESS-1"), "bob", "AppData of a user", 2)]
    }

    #[test]
    fn two_backups_of_one_machine_are_one_workstation() {
        let marks = [
            mark("az://a/b/1", Some("WS-1"), "alice", "registry hive SAM", 3),
            mark("az://a/b/1", None, "alice", "AppData of a user", 2),
            mark("az://a/b/2", Some("ws-1"), "alice", "registry hive SAM", 3),
            mark("az://a/b/2", None, "carol", "pagefile.sys", 2),
        ];
        let found = workstations(&marks, &[]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].users, ["alice", "carol"]);
        assert_eq!(found[0].places.len(), 2);
    }

    #[test]
    fn machines_of_one_name_are_told_apart_by_domain_and_id() {
        let all = |machines: &[[Mark; 2]]| workstations(machines.iter().flatten(), &[]);
        let corp = machine("az://a/1", "WS-1", Some("corp.example.com"), None);
        let short = machine("az://a/2", "ws-1", Some("CORP"), None);
        let lab = machine("az://a/3", "WS-1", Some("lab.example.net"), None);
        let none = machine("az://a/4", "WS-1", None, None);
        let found = all(&[none.clone(), lab, short, corp]);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].host.as_deref(), Some("WS-1"), "what is stated beats a guess");
        assert_eq!(found[0].domain.as_deref(), Some("corp.example.com"));
        assert_eq!(found[0].places.len() + found[1].places.len(), 4);
        assert!(found[0].last_used.is_some());
        let one = machine("az://a/5", "WS-1", None, Some("id 1"));
        let other = machine("az://a/6", "WS-1", None, Some("id 2"));
        assert_eq!(all(&[one.clone(), other.clone(), one.clone()]).len(), 2);
        assert_eq!(all(&[none, one]).len(), 1);
    }

    #[test]
    fn credentials_below_a_machine_are_counted_by_kind() {
        let finding = |rule: &str, category, path: &str| {
            let place = Provenance::new(Layer::Object {
                store: "az://a".into(),
                container: "b".into(),
                key: "1.vhdx".into(),
            });
            let place = place.child(Layer::Member { path: path.into() });
            let place = Place::whole(place);
            let (severity, confidence) = (Severity::High, Confidence::High);
            Finding::new(rule, category, severity, confidence, "x", &place, "y")
        };
        let file = Category::CredentialFile;
        let findings = [
            finding("secret.private_key", Category::Secret, "k"),
            finding("credential_file.browser_logins", file, "l").with_detail("count", 57),
            finding("credential_file.windows_hives", file, "s").with_detail("complete", true),
            finding("credential_file.keepass", file, "v"),
            finding("model.safe", Category::Model, "m"),
        ];
        let marks = machine("az://a/b/1.vhdx", "WS-1", None, None);
        let found = workstations(&marks, &findings);
        let counts: Vec<(&str, u64)> =
            found[0].credentials.iter().map(|(kind, many)| (kind.as_str(), *many)).collect();
        assert_eq!(
            counts,
            [
                ("browser_logins", 57),
                ("credential_files", 1),
                ("hive_sets", 1),
                ("password_stores", 1),
                ("private_keys", 1)
            ]
        );
        let elsewhere = machine("az://a/b/1.vhd", "WS-1", None, None);
        assert!(workstations(&elsewhere, &findings)[0].credentials.is_empty());
    }

    #[test]
    fn weak_evidence_is_no_workstation_however_much_there_is() {
        let marks: Vec<Mark> =
            (0..9).map(|n| mark("az://a/b", Some("X"), "u", &format!("weak {n}"), 1)).collect();
        assert!(workstations(&marks, &[]).is_empty());
        assert!(workstations(&[mark("az://a/b", None, "u", "registry hive", 3)], &[]).is_empty());
    }
}
