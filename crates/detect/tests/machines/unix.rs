//! The settings of invented machines.

use crate::look::{Disk, machines};
use lidless_core::Mark;

#[derive(Default)]
struct Said {
    roots: Vec<String>,
    hosts: Vec<String>,
    systems: Vec<String>,
    users: Vec<String>,
    ids: Vec<String>,
    used: Vec<String>,
}

fn said(disk: &Disk) -> Said {
    let mut said = Said::default();
    let output = disk.look_at_all();
    for mark in machines(&output) {
        let Mark::Workstation { root, host, os, users, machine_id, last_used, stated, .. } = mark
        else {
            continue;
        };
        said.roots.push(root.clone());
        said.hosts.extend(host.clone().filter(|_| *stated));
        said.systems.extend(os.clone());
        said.users.extend(users.clone());
        said.ids.extend(machine_id.clone());
        said.used.extend(last_used.map(|time| time.to_string()));
    }
    said.roots.dedup();
    said
}

#[test]
fn a_linux_machine_says_its_name_its_system_and_its_people() {
    let passwd = "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/:/usr/sbin/nologin\n\
                  bob:x:1000:1000:Bob,,,:/home/bob:/bin/bash\nsvc:x:1001:1001::/:/bin/false\n";
    let mut record = vec![7, 0];
    record.resize(340, 0);
    record.extend(1_687_291_200u32.to_le_bytes());
    record.resize(384, 0);
    let disk = Disk::default()
        .with("etc/hostname", b"lab-box-07\n".to_vec())
        .with(
            "etc/os-release",
            b"NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n".to_vec(),
        )
        .with("etc/passwd", passwd.into())
        .with("etc/machine-id", b"0123456789abcdef0123456789abcdef\n".to_vec())
        .with("var/log/wtmp", [vec![0; 384], record].concat());
    let said = said(&disk);
    assert_eq!(said.roots, ["az://contoso/backups/alice.vhdx"]);
    assert_eq!(said.hosts, ["lab-box-07"]);
    assert!(said.systems.contains(&"Debian GNU/Linux 12 (bookworm)".into()));
    assert_eq!((said.users, said.ids.len()), (vec!["bob".to_owned()], 1));
    assert_eq!(said.used, ["2023-06-20T20:00:00Z"]);
}

#[test]
fn a_mac_says_its_name_its_system_and_its_people() {
    let list = |inner: &str| {
        format!("<?xml version=\"1.0\"?>\n<plist version=\"1.0\"><dict>{inner}</dict></plist>")
            .into_bytes()
    };
    let system = "<key>System</key><dict><key>System</key><dict><key>ComputerName</key>\
                  <string>Carols MacBook</string></dict></dict>";
    let version = "<key>ProductName</key><string>macOS</string>\
                   <key>ProductVersion</key><string>13.4</string>";
    let users = "private/var/db/dslocal/nodes/Default/users";
    let name = |name: &str| list(&format!("<key>name</key><array><string>{name}</string></array>"));
    let disk = Disk::default()
        .with("System/Library/CoreServices/SystemVersion.plist", list(version))
        .with("Library/Preferences/SystemConfiguration/preferences.plist", list(system))
        .with(&format!("{users}/carol.plist"), name("carol"))
        .with(&format!("{users}/_spotlight.plist"), name("_spotlight"));
    let said = said(&disk);
    assert_eq!(said.roots, ["az://contoso/backups/alice.vhdx"]);
    assert_eq!((said.hosts, said.users), (vec!["Carols MacBook".into()], vec!["carol".to_owned()]));
    assert!(said.systems.contains(&"macOS 13.4".into()));
}

#[test]
fn files_that_are_only_called_so_say_nothing() {
    let disk = Disk::default()
        .with("docs/etc/hostname", b"two words here\n".to_vec())
        .with("project/etc/passwd", b"not an account file\n".to_vec())
        .with("x/etc/machine-id", b"short\n".to_vec());
    let said = said(&disk);
    assert!(said.hosts.is_empty() && said.users.is_empty() && said.ids.is_empty());
}
