//! The SYSTEM hive: the machine's name, its domain, when it was shut down.

use super::detector::Machine;
use super::facts::{Facts, instant};
use crate::detector::Output;
use lidless_core::{Category, Severity};

pub(super) fn read(facts: &Facts<'_>, output: &mut Output) -> Machine {
    let current = facts.key("Select").and_then(|key| facts.value_of(&key, "Current"));
    let current = current.and_then(|value| value.number()).unwrap_or(1);
    let set = format!("ControlSet{current:03}");
    let control = |path: &str| format!("{set}\\Control\\{path}");
    let network = facts.key(&format!("{set}\\Services\\Tcpip\\Parameters"));
    let of_network = |names: [&str; 2]| {
        let key = network.as_ref()?;
        names.iter().find_map(|name| facts.text_of(key, name))
    };
    let host = facts
        .text(&control("ComputerName\\ComputerName"), "ComputerName")
        .or_else(|| of_network(["NV Hostname", "Hostname"]));
    let domain = of_network(["NV Domain", "Domain"]);
    let shutdown = facts
        .key(&control("Windows"))
        .and_then(|key| facts.value_of(&key, "ShutdownTime"))
        .and_then(|value| value.number())
        .and_then(instant);
    let zone = facts.text(&control("TimeZoneInformation"), "TimeZoneKeyName");
    let hardware = hardware(facts, &control("SystemInformation"));
    let joined = facts.subkeys(&control("CloudDomainJoin\\JoinInfo"));
    let joined = joined.first();
    let mail = joined.and_then(|key| facts.text_of(key, "UserEmail"));
    let tenant = joined.and_then(|key| facts.text_of(key, "TenantId"));
    let name = host.clone().unwrap_or_else(|| "without a name".into());
    let finding = facts
        .finding(
            "backup.machine_settings",
            Category::Backup,
            Severity::Info,
            "settings of a Windows machine",
            format!("the machine {name}"),
        )
        .with_detail("host", host.clone())
        .with_detail("domain", domain.clone())
        .with_detail("last_shutdown", shutdown.map(|time| time.to_string()))
        .with_detail("time_zone", zone)
        .with_detail("hardware", hardware)
        .with_detail("joined_as", mail)
        .with_detail("tenant", tenant);
    output.findings.push(finding);
    Machine {
        host,
        domain,
        last_used: shutdown,
        evidence: "settings of the machine in its registry",
        ..Machine::default()
    }
}

fn hardware(facts: &Facts<'_>, information: &str) -> Option<String> {
    let last = facts.text("HardwareConfig", "LastConfig").unwrap_or_default();
    let places = [
        information.to_owned(),
        "HardwareConfig\\Current".into(),
        format!("HardwareConfig\\{last}"),
    ];
    places.iter().find_map(|place| {
        let key = facts.key(place)?;
        let words = ["SystemManufacturer", "SystemProductName"];
        let words: Vec<String> =
            words.iter().filter_map(|name| facts.text_of(&key, name)).collect();
        (!words.is_empty()).then(|| words.join(" "))
    })
}
