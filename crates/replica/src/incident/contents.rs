//! The four containers: 38 TB apparent.

use super::disk::{vhd, vhdx};
use super::lorem::text;
use super::workstation::Workstation;
use super::{models, teams};
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

    let image = |name: String, gigabytes: u64, day: u64| {
        let size = gigabytes.saturating_mul(GIGABYTE);
        let source = if name.ends_with(".vhd") { vhd(size, &name) } else { vhdx(size) };
        Blob::new(name, when(day), source).page()
    };
    for (station, disks) in [
        (&alice, [("Esp.vhdx", 6000), ("Data.vhdx", 5500), ("Scratch.vhdx", 4500)].as_slice()),
        (
            &bob,
            [("Esp.vhdx", 6000), ("Data.vhdx", 5500), ("Old-1.vhd", 2000), ("Old-2.vhd", 2000)]
                .as_slice(),
        ),
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
