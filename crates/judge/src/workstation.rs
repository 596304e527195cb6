//! Adding up the marks of workstation backups.

use lidless_core::{Mark, Workstation};
use std::collections::{BTreeMap, BTreeSet};

/// A tree with this much evidence is a workstation backup ...
const ENOUGH: u32 = 5;
/// ... when at least one piece of it is strong.
const STRONG: u8 = 3;
/// How many pieces of evidence and places a report keeps of one machine.
const KEPT: usize = 12;

#[derive(Default)]
struct Tree {
    hosts: BTreeSet<String>,
    domains: BTreeSet<String>,
    systems: BTreeSet<String>,
    owners: BTreeSet<String>,
    users: BTreeSet<String>,
    evidence: BTreeMap<String, u8>,
    roots: BTreeSet<String>,
}

/// The machines whose backups the marks show. Two backups that name one host are one machine;
/// trees without a host name are told apart by where they lie.
pub fn workstations<'a>(marks: impl IntoIterator<Item = &'a Mark>) -> Vec<Workstation> {
    let mut by_root: BTreeMap<String, Tree> = BTreeMap::new();
    for mark in marks {
        let Mark::Workstation { root, host, domain, os, owner, users, evidence, weight } = mark
        else {
            continue;
        };
        let tree = by_root.entry(root.clone()).or_default();
        tree.hosts.extend(host.clone());
        tree.domains.extend(domain.clone());
        tree.systems.extend(os.clone());
        tree.owners.extend(owner.clone());
        tree.users.extend(users.iter().cloned());
        tree.roots.insert(root.clone());
        let seen = tree.evidence.entry(evidence.clone()).or_default();
        *seen = (*seen).max(*weight);
    }
    let mut machines: BTreeMap<String, Tree> = BTreeMap::new();
    for (root, tree) in by_root {
        let name = tree.hosts.first().map_or(root, |host| format!("\u{0}{}", host.to_uppercase()));
        let machine = machines.entry(name).or_default();
        machine.hosts.extend(tree.hosts);
        machine.domains.extend(tree.domains);
        machine.systems.extend(tree.systems);
        machine.owners.extend(tree.owners);
        machine.users.extend(tree.users);
        machine.roots.extend(tree.roots);
        for (evidence, weight) in tree.evidence {
            let seen = machine.evidence.entry(evidence).or_default();
            *seen = (*seen).max(weight);
        }
    }
    let mut found: Vec<Workstation> =
        machines.into_values().filter(is_enough).map(into_workstation).collect();
    found.sort();
    found
}

fn is_enough(tree: &Tree) -> bool {
    let total: u32 = tree.evidence.values().map(|weight| u32::from(*weight)).sum();
    total >= ENOUGH && tree.evidence.values().any(|weight| *weight >= STRONG)
}

fn into_workstation(tree: Tree) -> Workstation {
    let mut evidence: Vec<(u8, String)> =
        tree.evidence.into_iter().map(|(text, weight)| (weight, text)).collect();
    evidence.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    Workstation {
        host: tree.hosts.into_iter().next(),
        domain: tree.domains.into_iter().next(),
        // The longest says most: "Windows 10 Pro" over "Windows".
        os: tree.systems.into_iter().max_by_key(String::len),
        owner: tree.owners.into_iter().next(),
        users: tree.users.into_iter().collect(),
        evidence: evidence.into_iter().take(KEPT).map(|(_, text)| text).collect(),
        places: tree.roots.into_iter().take(KEPT).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        }
    }

    #[test]
    fn two_backups_of_one_machine_are_one_workstation() {
        let marks = [
            mark("az://a/b/1", Some("WS-1"), "alice", "registry hive SAM", 3),
            mark("az://a/b/1", None, "alice", "AppData of a user", 2),
            mark("az://a/b/2", Some("ws-1"), "alice", "registry hive SAM", 3),
            mark("az://a/b/2", None, "carol", "pagefile.sys", 2),
        ];
        let found = workstations(&marks);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].users, ["alice", "carol"]);
        assert_eq!(found[0].places.len(), 2);
    }

    #[test]
    fn weak_evidence_is_no_workstation_however_much_there_is() {
        let marks: Vec<Mark> =
            (0..9).map(|n| mark("az://a/b", Some("X"), "u", &format!("weak {n}"), 1)).collect();
        assert!(workstations(&marks).is_empty());
        assert!(workstations(&[mark("az://a/b", None, "u", "registry hive", 3)]).is_empty());
    }
}
