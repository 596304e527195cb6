//! The incident, replayed at full size on this machine.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use lidless_program_tests::run;

#[test]
fn the_demo_tells_the_whole_incident() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("demo");
    let ran = run(&["demo", "--directory", place.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    for word in ["CRITICAL", "az://contosolab", "2020-07-20", "2051-10-06", "30,000", "359", "TB"] {
        assert!(ran.out.contains(word), "{word} in {}", ran.out);
    }
    let case = place.join("incident.case");
    let report = run(&["report", case.to_str().unwrap(), "--format", "json"]).json();
    let statuses: Vec<&str> = report["grants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|g| g["status"].as_str().unwrap())
        .collect();
    assert!(statuses.contains(&"live") && statuses.contains(&"expired"), "{statuses:?}");
    let exposure = &report["exposures"][0];
    assert_eq!(exposure["severity"], "critical");
    assert_eq!(exposure["messages"]["count"], 30_000);
    assert_eq!(exposure["messages"]["people"], 359);
    let machines: Vec<(&str, &str)> = exposure["workstations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["host"].as_str().unwrap(), one["os"].as_str().unwrap()))
        .collect();
    let windows = "Windows 10 Pro 20H2";
    let linux = "Debian GNU/Linux 11 (bullseye)";
    assert_eq!(machines, [("WS-ALICE-01", windows), ("WS-BOB-02", windows), ("gpu07", linux)]);
    for (machine, user) in [(0, "alice"), (1, "bob"), (2, "carol")] {
        let users = exposure["workstations"][machine]["users"].to_string();
        assert!(users.contains(user), "{users}");
    }
    // Found inside the disks and the mailbox, not beside them.
    for place in [
        "backups/alice.vhdx!/p2/Users/alice/.ssh/id_ed25519",
        "backups/bob.vhd!/p2/Users/bob/.aws/credentials",
        "backups/vm/gpu07.vmdk!/p1/home/carol/.ssh/id_ed25519",
        "backups/mail/alice.pst!/Inbox/",
    ] {
        let all = report["findings"].as_array().unwrap();
        let found = all.iter().any(|one| one["location"].as_str().unwrap().contains(place));
        assert!(found, "{place}");
    }
    let bytes = exposure["bytes"].as_u64().unwrap();
    assert!((37_500_000_000_000..39_000_000_000_000).contains(&bytes), "{bytes}");
    assert!(report["run"]["bytes_read"].as_u64().unwrap() < 500_000_000);
    assert!(exposure["writable_models"].as_u64().unwrap() > 100);
    let dangerous = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["rule"] == "model.dangerous")
        .count();
    assert_eq!(dangerous, 1);
    let html = std::fs::read_to_string(place.join("incident.html")).unwrap();
    assert!(html.contains("<svg") && !html.contains("<script"));
    let plan = run(&["plan", case.to_str().unwrap()]);
    assert!(plan.out.contains("az storage account keys renew"), "{}", plan.out);
}
