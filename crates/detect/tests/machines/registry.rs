//! The hives of an invented machine.

use crate::look::{Disk, assert_silent, finding, machines};
use lidless_core::{Mark, Severity};

const CONFIG: &str = "Windows/System32/config";

fn disk() -> Option<Disk> {
    let mut disk = Disk::default();
    for name in ["SYSTEM", "SOFTWARE", "SAM", "SECURITY"] {
        disk = disk.fixture(&format!("{CONFIG}/{name}"), &format!("hive/{name}"))?;
    }
    disk.fixture("Users/alice/NTUSER.DAT", "hive/NTUSER.DAT")
}

#[test]
fn hives_say_which_machine_it_is_and_whose() {
    let Some(disk) = disk() else { return };
    let output = disk.look_at_all();
    assert!(output.gaps.is_empty(), "{:?}", output.gaps);
    let (mut hosts, mut domains, mut systems) = (vec![], vec![], vec![]);
    let (mut owners, mut everyone, mut ids, mut used) = (vec![], vec![], vec![], vec![]);
    for mark in machines(&output) {
        let Mark::Workstation {
            root,
            host,
            domain,
            os,
            owner,
            users,
            machine_id,
            last_used,
            stated,
            ..
        } = mark
        else {
            continue;
        };
        assert_eq!(root, "az://contoso/backups/alice.vhdx");
        assert!(host.is_none() || *stated);
        hosts.extend(host.clone());
        domains.extend(domain.clone());
        systems.extend(os.clone());
        owners.extend(owner.clone());
        everyone.extend(users.clone());
        ids.extend(machine_id.clone());
        used.extend(*last_used);
    }
    assert_eq!(hosts, ["WS-ALICE-01"]);
    assert!(domains.contains(&"corp.example.com".into()) && domains.contains(&"CORP".into()));
    assert!(systems.contains(&"Windows 11 Pro 23H2".into()), "{systems:?}");
    assert_eq!(owners, ["Alice Example"]);
    assert!(everyone.contains(&"alice".into()) && everyone.contains(&"svc.build".into()));
    assert!(
        !everyone.contains(&"Administrator".into()) && !everyone.contains(&"systemprofile".into())
    );
    assert_eq!(ids, ["12345678-1234-1234-1234-123456789abc"]);
    assert_eq!(used.iter().max().unwrap().to_string(), "2023-06-20T20:00:00Z");
    let settings = finding(&output, "backup.machine_settings");
    assert_eq!(settings.detail["time_zone"], "W. Europe Standard Time");
    assert_eq!(settings.detail["joined_as"], "alice@example.com");
    assert_eq!(settings.detail["hardware"], "Example Computers ExampleBook 14");
    assert_eq!(
        finding(&output, "backup.system_settings").detail["installed"],
        "2020-09-13T12:26:40Z"
    );
}

#[test]
fn what_opens_other_doors_is_counted_and_never_shown() {
    let Some(disk) = disk() else { return };
    let output = disk.look_at_all();
    let logon = finding(&output, "secret.windows_autologon");
    assert_eq!(logon.severity, Severity::Critical);
    assert_eq!(logon.evidence, "DefaultPassword=[21 characters], used at every start");
    assert!(logon.fingerprint.is_some());
    let sam = finding(&output, "credential_file.windows_hives");
    assert_eq!((sam.severity, &sam.detail["complete"]), (Severity::Critical, &true.into()));
    assert!(
        sam.evidence.starts_with("2 local accounts; SYSTEM lies beside it"),
        "{}",
        sam.evidence
    );
    let lsa = finding(&output, "credential_file.lsa_secrets");
    assert!(lsa.evidence.starts_with("3 LSA secrets, 1 of services; 1 cached domain logon;"));
    let putty = finding(&output, "credential_file.putty_sessions");
    assert_eq!(putty.severity, Severity::High);
    let sites: Vec<&str> = putty.detail["sites"]
        .as_array()
        .unwrap()
        .iter()
        .map(|site| site.as_str().unwrap())
        .collect();
    assert_eq!(sites, ["192.0.2.7", "git.example.net", "login.example.com"]);
    let winscp = finding(&output, "credential_file.winscp_sessions");
    assert_eq!(winscp.evidence, "1 session, 1 with a stored password");
    assert_eq!(winscp.severity, Severity::Critical);
    assert_eq!(finding(&output, "credential_file.rdp_servers").detail["count"], 2);
    let user = finding(&output, "backup.user_settings");
    assert_eq!(user.evidence, "1 work account, 1 mapped drive");
    assert_silent(&output, &["canary", "CANARY", "A35C4B5C"]);
}

#[test]
fn a_sam_without_its_system_says_so_and_copies_belong_to_their_machine() {
    let Some(disk) = Disk::default().fixture(&format!("{CONFIG}/RegBack/SAM"), "hive/SAM") else {
        return;
    };
    let output = disk.look_at_all();
    let sam = finding(&output, "credential_file.windows_hives");
    assert_eq!(
        (sam.evidence.as_str(), &sam.detail["complete"]),
        ("2 local accounts", &serde_json::Value::Null)
    );
    let Some(Mark::Workstation { root, .. }) = machines(&output).next() else { panic!() };
    assert_eq!(root, "az://contoso/backups/alice.vhdx");
    let loose = Disk::default().fixture("stuff/sam.save", "hive/SAM").unwrap();
    let loose = loose.fixture("stuff/system.save", "hive/SYSTEM").unwrap().look_at_all();
    assert_eq!(finding(&loose, "credential_file.windows_hives").detail["complete"], true);
    let Some(Mark::Workstation { root, .. }) = machines(&loose).next() else { panic!() };
    assert_eq!(root, "az://contoso/backups/alice.vhdx!/stuff");
}

#[test]
fn a_hive_that_does_not_parse_is_a_gap_and_its_hashes_are_told() {
    let mut bytes = b"regf\x01\0\0\0\x01\0\0\0".to_vec();
    bytes.resize(9000, 0);
    let disk = Disk::default().with(&format!("{CONFIG}/SAM"), bytes.clone());
    let output = disk.with(&format!("{CONFIG}/COMPONENTS"), bytes).look_at_all();
    assert_eq!(output.gaps.len(), 1, "{:?}", output.gaps);
    assert_eq!(finding(&output, "credential_file.windows_hives").severity, Severity::Critical);
    let Some(path) = lidless_kit::fixture("hive/SYSTEM") else { return };
    let mut stale = std::fs::read(path).unwrap();
    stale[4] = 9;
    let output = Disk::default().with(&format!("{CONFIG}/SYSTEM"), stale).look_at_all();
    assert!(output.gaps[0].reason.contains("older than they were"));
}
