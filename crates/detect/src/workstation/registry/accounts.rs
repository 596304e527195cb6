//! The SAM and SECURITY hives: hashes of local accounts, secrets of services, cached logons.

use super::detector::Machine;
use super::facts::Facts;
use crate::detector::Output;
use crate::names::{many, shown};
use lidless_core::{Artifact, Category, Severity};

const USERS: &str = "SAM\\Domains\\Account\\Users";
/// Accounts that every installation has.
const BUILT_IN: [&str; 5] =
    ["administrator", "guest", "defaultaccount", "wdagutilityaccount", "defaultuser0"];

/// Whether the key to what the hive holds is seen to lie beside it. Where it is not, it may still
/// lie where neighbours cannot be asked for: then nothing is claimed.
fn is_complete(artifact: &Artifact) -> bool {
    let name = artifact.entry.lower_file_name();
    // Exported hives keep their ending: `sam.save` beside `system.save`.
    let beside = match name.split_once('.') {
        Some((_, end)) => format!("SYSTEM.{end}"),
        None => "SYSTEM".to_owned(),
    };
    artifact.sibling(&beside).is_some_and(|system| !system.bytes.is_empty())
}

fn beside(complete: bool) -> &'static str {
    if complete { "; SYSTEM lies beside it, so that they can be decrypted" } else { "" }
}

pub(super) fn sam(facts: &Facts<'_>, artifact: &Artifact, output: &mut Output) -> Machine {
    let names: Vec<String> = facts
        .subkeys(&format!("{USERS}\\Names"))
        .into_iter()
        .map(|key| shown(&key.name))
        .filter(|name| !name.is_empty())
        .collect();
    let hashes = facts
        .subkeys(USERS)
        .iter()
        .filter(|key| facts.value_of(key, "V").is_some_and(|value| value.length > 0))
        .count();
    let hashes = u64::try_from(hashes).unwrap_or(u64::MAX);
    let complete = is_complete(artifact);
    let finding = facts
        .finding(
            "credential_file.windows_hives",
            Category::CredentialFile,
            Severity::Critical,
            "Windows password hashes (registry hive)",
            format!("{}{}", many(hashes, "local account", "local accounts"), beside(complete)),
        )
        .with_detail("count", hashes)
        .with_detail("complete", complete.then_some(true));
    output.findings.push(finding);
    let users = names.into_iter();
    Machine {
        users: users.filter(|name| !BUILT_IN.contains(&name.to_lowercase().as_str())).collect(),
        evidence: "accounts of the machine in its registry",
        ..Machine::default()
    }
}

pub(super) fn security(facts: &Facts<'_>, artifact: &Artifact, output: &mut Output) -> Machine {
    let secrets = facts.subkeys("Policy\\Secrets");
    let services = secrets.iter().filter(|key| key.name.starts_with("_SC_")).count();
    let cached = facts.key("Cache").map_or(0, |key| {
        let used = |value: &lidless_records::hive::RegistryValue| {
            // `NL$1`, `NL$2`, ...: an unused one is all zeros.
            let number = value.name.strip_prefix("NL$");
            number.is_some_and(|number| number.parse::<u32>().is_ok())
                && value.data.iter().any(|byte| *byte != 0)
        };
        facts.values(&key).iter().filter(|value| used(value)).count()
    });
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let (secrets, services, cached) = (count(secrets.len()), count(services), count(cached));
    let complete = is_complete(artifact);
    let evidence = format!(
        "{}, {} of services; {}{}",
        many(secrets, "LSA secret", "LSA secrets"),
        services,
        many(cached, "cached domain logon", "cached domain logons"),
        beside(complete)
    );
    let finding = facts
        .finding(
            "credential_file.lsa_secrets",
            Category::CredentialFile,
            Severity::Critical,
            "secrets of the system and its services (registry hive)",
            evidence,
        )
        .with_detail("count", secrets)
        .with_detail("services", services)
        .with_detail("cached_logons", cached)
        .with_detail("complete", complete.then_some(true));
    output.findings.push(finding);
    Machine { evidence: "secrets of the machine in its registry", ..Machine::default() }
}
