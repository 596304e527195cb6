//! The SOFTWARE hive: the system's version, its owner, who has a profile, who logs on by itself.

use super::detector::Machine;
use super::facts::Facts;
use crate::detector::{Context, Output};
use crate::names::{name_list, shown};
use lidless_core::{Category, Severity, Timestamp};
use lidless_records::hive::Key;
use serde_json::Value;

const CURRENT: &str = "Microsoft\\Windows NT\\CurrentVersion";
/// The first build that is called Windows 11; its ProductName still says 10.
const ELEVEN: u64 = 22_000;
/// What setup writes when nobody is asked.
const NOBODY: [&str; 6] = ["", "user", "windows user", "owner", "admin", "administrator"];

pub(super) fn read(facts: &Facts<'_>, context: &Context, output: &mut Output) -> Machine {
    let current = facts.key(CURRENT);
    let of_current = |name: &str| current.as_ref().and_then(|key| facts.text_of(key, name));
    let os = os(&of_current);
    let owner = of_current("RegisteredOwner")
        .filter(|owner| !NOBODY.contains(&owner.to_lowercase().as_str()));
    let organisation = of_current("RegisteredOrganization");
    let installed = current
        .as_ref()
        .and_then(|key| facts.value_of(key, "InstallDate"))
        .and_then(|value| value.number())
        .and_then(|seconds| Timestamp::from_second(i64::try_from(seconds).ok()?).ok());
    let logon = "Microsoft\\Windows\\CurrentVersion\\Authentication\\LogonUI";
    let last = facts.text(logon, "LastLoggedOnUser").unwrap_or_default();
    let (short_domain, last_user) = last.rsplit_once('\\').unwrap_or(("", last.as_str()));
    let mut users = profiles(facts);
    users.extend((!last_user.is_empty()).then(|| last_user.to_owned()));
    users.sort_by_key(|user| user.to_lowercase());
    users.dedup_by_key(|user| user.to_lowercase());
    let policy = "Microsoft\\Windows\\CurrentVersion\\Group Policy\\History";
    let local = ["", ".", "azuread", "microsoftaccount"];
    let domain = facts.text(policy, "MachineDomain").or_else(|| {
        let is_local = local.contains(&short_domain.to_lowercase().as_str());
        (!is_local).then(|| short_domain.to_owned())
    });
    autologon(facts, context, output);
    vnc(facts, output);
    let finding = facts
        .finding(
            "backup.system_settings",
            Category::Backup,
            Severity::Info,
            "version and profiles of a Windows system",
            os.clone().unwrap_or_else(|| "Windows".into()),
        )
        .with_detail("os", os.clone())
        .with_detail("owner", owner.clone())
        .with_detail("organisation", organisation.clone())
        .with_detail("installed", installed.map(|time| time.to_string()))
        .with_detail("last_user", (!last.is_empty()).then(|| last.clone()))
        .with_detail("profiles", Value::from(name_list(users.iter().cloned())));
    output.findings.push(finding);
    Machine {
        domain,
        os,
        owner: owner.or(organisation),
        users,
        machine_id: facts.text("Microsoft\\Cryptography", "MachineGuid"),
        evidence: "version of the system in its registry",
        ..Machine::default()
    }
}

fn os(of_current: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut name = of_current("ProductName")?;
    let build = of_current("CurrentBuildNumber").or_else(|| of_current("CurrentBuild"));
    let build: u64 = build.and_then(|build| build.parse().ok()).unwrap_or(0);
    if build >= ELEVEN && !name.contains("Server") {
        name = name.replace("Windows 10", "Windows 11");
    }
    match of_current("DisplayVersion").or_else(|| of_current("ReleaseId")) {
        Some(version) => Some(format!("{name} {version}")),
        None => Some(name),
    }
}

/// Who has a profile: the last part of where it lies.
fn profiles(facts: &Facts<'_>) -> Vec<String> {
    let people = |key: &Key| key.name.starts_with("S-1-5-21-") || key.name.starts_with("S-1-12-1-");
    facts
        .subkeys(&format!("{CURRENT}\\ProfileList"))
        .iter()
        .filter(|key| people(key))
        .filter_map(|key| facts.text_of(key, "ProfileImagePath"))
        .filter_map(|path| path.rsplit(['\\', '/']).next().map(shown))
        .filter(|user| !user.is_empty())
        .collect()
}

fn autologon(facts: &Facts<'_>, context: &Context, output: &mut Output) {
    let Some(key) = facts.key(&format!("{CURRENT}\\Winlogon")) else { return };
    let text = |name: &str| facts.value_of(&key, name).and_then(|value| value.text());
    let Some(password) = text("DefaultPassword").filter(|password| !password.is_empty()) else {
        return;
    };
    let by_itself = text("AutoAdminLogon").is_some_and(|value| value.trim() == "1");
    let severity = if by_itself { Severity::Critical } else { Severity::High };
    let when = if by_itself { "used at every start" } else { "left from an earlier setting" };
    let length = password.chars().count();
    let finding = facts
        .finding(
            "secret.windows_autologon",
            Category::Secret,
            severity,
            "password of an account that logs on by itself",
            format!("DefaultPassword=[{length} characters], {when}"),
        )
        .with_fingerprint(context.key.of(password.as_bytes()));
    output.findings.push(finding);
}

/// Passwords of VNC servers, scrambled with a key that everybody knows.
fn vnc(facts: &Facts<'_>, output: &mut Output) {
    const PLACES: [&str; 4] =
        ["TightVNC\\Server", "RealVNC\\WinVNC4", "RealVNC\\vncserver", "ORL\\WinVNC3\\Default"];
    let has = |place: &&&str| {
        facts.key(place).is_some_and(|key| {
            facts.value_of(&key, "Password").is_some_and(|value| !value.data.is_empty())
        })
    };
    let servers = PLACES.iter().filter(has).count();
    if servers > 0 {
        output.findings.push(facts.finding(
            "credential_file.vnc_server",
            Category::CredentialFile,
            Severity::Critical,
            "password of a VNC server in the registry",
            "stored with a key that is public",
        ));
    }
}
