//! How much of what is bad in the account of the incident is found, by how much of its 38 TB was
//! read: a run without a bound, then runs with budgets. What was planted is listed here by hand,
//! by the place where it lies, whatever rule says it; critical counts twice what high does.

use lidless_benches::{measured, settings};
use lidless_core::Timestamp;
use lidless_engine::{Progress, Target, scan};
use lidless_ledger::Case;
use lidless_replica::{Replica, incident};
use std::path::{Path, PathBuf};

/// In the home of each user, on each of the backups of both machines.
const HOME: [(&str, u32); 12] = [
    (".aws/credentials", 2),
    (".git-credentials", 2),
    (".npmrc", 2),
    (".ssh/id_ed25519", 2),
    (".ssh/id_rsa", 2),
    (".kube/config", 2),
    ("source/service/.env", 2),
    ("source/service/certs/server.key", 2),
    ("Desktop/passwords.txt", 1),
    ("Documents/lab/passwords.txt", 1),
    ("AppData/Local/Google/Chrome/User%20Data/Default/Login%20Data", 1),
    ("AppData/Local/Google/Chrome/User%20Data/Default/Cookies", 1),
];
const MACHINES: [(&str, &str); 4] = [
    ("WS-ALICE-01/C", "alice"),
    ("WS-BOB-02/C", "bob"),
    ("alice.vhdx!/p2", "alice"),
    ("bob.vhd!/p2", "bob"),
];
const OTHERS: [(&str, u32); 8] = [
    ("backups/vm/gpu07.vmdk!/p1/etc/shadow", 2),
    ("backups/vm/gpu07.vmdk!/p1/home/carol/.ssh/id_ed25519", 2),
    ("backups/vm/gpu07.vmdk!/p1/home/carol/.aws/credentials", 2),
    ("backups/vm/gpu07.vmdk!/p1/srv/app/.env", 2),
    ("backups/mail/alice.pst!", 2),
    ("backups/alice.vhdx!/p2/Windows/System32/config/SECURITY", 2),
    ("backups/bob.vhd!/p2/Windows/System32/config/SECURITY", 2),
    ("models/resnet50.ckpt", 2),
];

fn planted() -> Vec<(String, u32)> {
    let home = |(machine, user): &(&str, &str)| format!("backups/{machine}/Users/{user}");
    let of_users = MACHINES.iter().flat_map(|machine| {
        let home = home(machine);
        HOME.iter().map(move |(place, weight)| (format!("{home}/{place}"), *weight))
    });
    of_users.chain(OTHERS.iter().map(|(place, weight)| ((*place).to_owned(), *weight))).collect()
}

fn main() {
    let folder = std::env::temp_dir().join(format!("lidless-triage-{}", std::process::id()));
    incident::repository(&folder, &incident::account()).expect("a repository");
    for budget in [None, Some(1 << 20), Some(4 << 20), Some(16 << 20), Some(64 << 20)] {
        run(&folder, budget);
    }
    let _ = std::fs::remove_dir_all(&folder);
}

fn run(folder: &Path, budget: Option<u64>) {
    let contents = incident::contents();
    let replica = Replica::start(incident::account(), contents, Timestamp::now).expect("it starts");
    let case = Case::temporary().expect("a case");
    let mut settings = settings(vec![Target::Path(PathBuf::from(folder))], Some(replica.url()));
    settings.budget = budget;
    let (report, cost) =
        measured(|| scan(&settings, &case, &Progress::default()).expect("the scan runs"));
    let planted = planted();
    let is_found = |place: &str| report.findings.iter().any(|one| one.location.contains(place));
    let found = planted.iter().filter(|(place, _)| is_found(place));
    let sum = |weights: &mut dyn Iterator<Item = u32>| f64::from(weights.sum::<u32>());
    let share = sum(&mut found.map(|(_, weight)| *weight))
        / sum(&mut planted.iter().map(|(_, weight)| *weight));
    let listed = report.run.bytes_listed;
    println!(
        "{:>12} {:5.1} % of the planted severity, {:.6} % of {:.1} TB read ({} bytes, {} requests), \
         {:.1} s CPU",
        budget.map_or("no budget".to_owned(), |bytes| format!("{} MiB", bytes >> 20)),
        share * 100.0,
        report.run.bytes_read as f64 / listed.max(1) as f64 * 100.0,
        listed as f64 / 1e12,
        report.run.bytes_read,
        report.run.requests,
        cost.cpu_seconds,
    );
    for (place, _) in planted.iter().filter(|(place, _)| budget.is_none() && !is_found(place)) {
        println!("             not found: {place}");
    }
}
