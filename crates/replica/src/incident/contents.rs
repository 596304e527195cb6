//! The four containers: 38 TB apparent.

use super::image::{File, Mail, leveldb, linux_vmdk, pst, windows_vhd, windows_vhdx};
use super::lorem::{person, sentence, text};
use super::workstation::Workstation;
use super::{credentials as fake, models, teams};
use crate::blob::{Blob, Tier};
use crate::contents::{Container, Contents};
use crate::random::{Random, seed_of};
use crate::source::{Fill, Source};
use jiff::Timestamp;
use lidless_core::PublicAccess;

/// 10^9 bytes in whole pages of a page blob.
const GIGABYTE: u64 = 1_000_000_000;
/// Bytes of one of the old backups in the archive tier.
const ARCHIVED: u64 = 35 * GIGABYTE;

/// Everything the account holds, the same each time.
#[must_use]
pub fn contents() -> Contents {
    Contents::new(vec![models::container(), backups(), teams::container(), public_data()])
}

/// Midday of the day `day` after 2020-07-01.
pub(super) fn when(day: u64) -> Timestamp {
    let seconds = i64::try_from(day.wrapping_mul(86_400)).unwrap_or(0);
    Timestamp::from_second(seconds.saturating_add(1_593_604_800)).unwrap_or_default()
}

fn backups() -> Container {
    let mut blobs = Vec::new();
    let alice = Workstation { host: "WS-ALICE-01", user: "alice" };
    let bob = Workstation { host: "WS-BOB-02", user: "bob" };
    blobs.extend(alice.files());
    blobs.extend(bob.files());

    // The disks of both machines, and of a server.
    let mut disk = alice.disk();
    let cache = "Users/alice/AppData/Roaming/Microsoft/Teams/IndexedDB/\
                 https_teams.microsoft.com_0.indexeddb.leveldb";
    for (name, bytes) in leveldb(&teams::cached()) {
        disk.push(File::new(format!("{cache}/{name}"), bytes));
    }
    let source = windows_vhdx(1000 * GIGABYTE, "alice.vhdx", "Windows", &disk);
    blobs.push(Blob::new("alice.vhdx", when(244), source).page());
    let source = windows_vhd(2000 * GIGABYTE, "bob.vhd", "Windows", &bob.disk());
    blobs.push(Blob::new("bob.vhd", when(245), source).page());
    let source = linux_vmdk(64 * GIGABYTE, "gpu07.vmdk", "root", &server());
    blobs.push(Blob::new("vm/gpu07.vmdk", when(246), source));

    let source = Source::bytes(mailbox());
    blobs.push(Blob::new("mail/alice.pst", when(244), source));

    let image = |name: String, gigabytes: u64, day: u64| {
        let size = gigabytes.saturating_mul(GIGABYTE);
        let mut random = Random::named(&name);
        let files: Vec<File> = (0..40)
            .map(|number| File::new(format!("data/run{number:02}.txt"), text(&mut random, 12)))
            .collect();
        let source = if name.ends_with(".vhd") {
            windows_vhd(size, &name, "Data", &files)
        } else {
            windows_vhdx(size, &name, "Data", &files)
        };
        Blob::new(name, when(day), source).page()
    };
    for (station, disks) in [
        (&alice, [("Data.vhdx", 6000), ("Scratch.vhdx", 6000), ("Media.vhdx", 3000)].as_slice()),
        (&bob, [("Data.vhdx", 6000), ("Scratch.vhdx", 5500), ("Old.vhd", 2000)].as_slice()),
    ] {
        let root = format!("WindowsImageBackup/{}", station.host);
        for (name, gigabytes) in disks {
            let name = format!("{root}/Backup 2021-03-02 190012/{name}");
            blobs.push(image(name, *gigabytes, 244));
        }
        let specs = "<BackupSpecs><FileSpecs VolumeName=\"C:\"/></BackupSpecs>\r\n";
        let source = Source::bytes(specs.as_bytes().to_vec());
        blobs.push(Blob::new(
            format!("{root}/Backup 2021-03-02 190012/BackupSpecs.xml"),
            when(244),
            source,
        ));
        for month in 1..=6 {
            let name = format!("archive/{}-2019-{month:02}.bak", station.host);
            let source = Source::generated(seed_of(&name), ARCHIVED);
            blobs.push(Blob::new(name, when(0), source).tier(Tier::Archive));
        }
    }
    Container::new("backups", when(244), blobs)
}

/// The mailbox of a member of the lab.
fn mailbox() -> Vec<u8> {
    let mut random = Random::named("mailbox");
    let mut mail = |number: usize, attachment| Mail {
        subject: sentence(&mut random, 4),
        from: (person(number), format!("person{number}@example.com")),
        to: "Alice".to_owned(),
        body: text(&mut random, 6),
        attachment,
    };
    let mut inbox: Vec<Mail> = (0..24).map(|number| mail(number, None)).collect();
    let mut random = Random::named("mailbox secrets");
    let key = fake::ssh_ed25519(&mut random, "alice@gpu07");
    inbox.push(mail(24, Some(("id_ed25519".to_owned(), key.into_bytes()))));
    let mut welcome = mail(25, None);
    welcome.body =
        format!("Welcome!\r\nuser: alice\r\npassword: {}\r\n", fake::password(&mut random));
    inbox.push(welcome);
    let sent: Vec<Mail> = (30..40).map(|number| mail(number, None)).collect();
    pst(&[("Inbox", &inbox), ("Sent Items", &sent)])
}

/// The files of a Linux server.
fn server() -> Vec<File> {
    let mut random = Random::named("gpu07");
    let release = "NAME=\"Debian GNU/Linux\"\nPRETTY_NAME=\"Debian GNU/Linux 11 (bullseye)\"\n";
    let hash = format!("$6${}${}", random.base62(8), random.base62(86));
    let mut files = vec![
        File::new("etc/hostname", "gpu07\n"),
        File::new("etc/os-release", release),
        File::new("etc/machine-id", format!("{}\n", random.hex(32))),
        File::new(
            "etc/passwd",
            "root:x:0:0:root:/root:/bin/bash\ncarol:x:1000:1000:Carol:/home/carol:/bin/bash\n",
        ),
        File::new(
            "etc/shadow",
            format!("root:*:18000:0:99999:7:::\ncarol:{hash}:18000:0:99999:7:::\n"),
        ),
        File::new("home/carol/.ssh/id_ed25519", fake::ssh_ed25519(&mut random, "carol@gpu07")),
        File::new("home/carol/.aws/credentials", fake::aws(&mut random)),
        File::new("home/carol/.bash_history", "ls\ncd /data\npython train.py\n"),
        File::new("srv/app/.env", fake::dot_env(&mut random)),
        File::zeros("data/cache.bin", 40 << 20),
    ];
    for number in 0..60 {
        files.push(File::new(format!("data/logs/run{number:03}.log"), text(&mut random, 20)));
    }
    files
}

fn public_data() -> Container {
    let mut random = Random::named("public-data");
    let mut blobs = Vec::new();
    for (name, lines) in
        [("README.md", 12), ("LICENSE.txt", 20), ("labels/classes.txt", 1000), ("FAQ.md", 40)]
    {
        let source = Source::bytes(text(&mut random, lines).into_bytes());
        blobs.push(Blob::new(name, when(20), source));
    }
    for number in 0..8 {
        let head = *b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom";
        let source =
            Source::over(Fill::Random(random.next()), 112_000_000, vec![(0, head.to_vec().into())]);
        blobs.push(Blob::new(format!("videos/talk{number}.mp4"), when(30), source));
    }
    Container::new("public-data", when(20), blobs).public(PublicAccess::Blob)
}
