//! A user's hive: where they log on to, and with what.

use super::detector::Machine;
use super::facts::{Facts, hosts};
use crate::detector::{Context, Output};
use crate::names::{many, shown};
use lidless_core::{Category, Severity};
use lidless_records::hive::Key;
use serde_json::Value;

const PUTTY: &str = "Software\\SimonTatham\\PuTTY";
const WINSCP: &str = "Software\\Martin Prikryl\\WinSCP 2";
const RDP: &str = "Software\\Microsoft\\Terminal Server Client";

pub(super) fn read(facts: &Facts<'_>, context: &Context, output: &mut Output) -> Machine {
    putty(facts, context, output);
    winscp(facts, output);
    remote_desktop(facts, output);
    agent_keys(facts, output);
    identity(facts, output);
    Machine { evidence: "settings of a user in the registry", ..Machine::default() }
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn putty(facts: &Facts<'_>, context: &Context, output: &mut Output) {
    let sessions = facts.subkeys(&format!("{PUTTY}\\Sessions"));
    let known = facts.key(&format!("{PUTTY}\\SshHostKeys"));
    let known = known.map(|key| facts.values(&key)).unwrap_or_default();
    if sessions.is_empty() && known.is_empty() {
        return;
    }
    let targets: Vec<String> =
        sessions.iter().filter_map(|key| facts.text_of(key, "HostName")).collect();
    // `rsa2@22:login.example.com`
    let hosts_known = known.iter().filter_map(|value| value.name.split_once('@'));
    let hosts_known = hosts_known.filter_map(|(_, host)| host.split_once(':'));
    let hosts_known: Vec<String> = hosts_known.map(|(_, host)| shown(host)).collect();
    let password = sessions.iter().find_map(|key| {
        facts.value_of(key, "ProxyPassword")?.text().filter(|password| !password.is_empty())
    });
    let with = if password.is_some() { "; a proxy's password among them" } else { "" };
    let evidence = format!(
        "{}, {}{with}",
        many(wide(sessions.len()), "session", "sessions"),
        many(wide(known.len()), "known host key", "known host keys"),
    );
    let severity = if password.is_some() { Severity::High } else { Severity::Medium };
    let mut finding = facts
        .finding(
            "credential_file.putty_sessions",
            Category::CredentialFile,
            severity,
            "SSH sessions of PuTTY",
            evidence,
        )
        .with_detail("count", wide(sessions.len()))
        .with_detail("host_keys", wide(known.len()))
        .with_detail("sites", hosts(targets.into_iter().chain(hosts_known)));
    if let Some(password) = password {
        finding = finding.with_fingerprint(context.key.of(password.as_bytes()));
    }
    output.findings.push(finding);
}

fn winscp(facts: &Facts<'_>, output: &mut Output) {
    let sessions: Vec<Key> = facts
        .subkeys(&format!("{WINSCP}\\Sessions"))
        .into_iter()
        .filter(|key| key.name != "Default%20Settings")
        .collect();
    if sessions.is_empty() {
        return;
    }
    let stored = |key: &&Key| {
        let password = |name| facts.value_of(key, name).is_some_and(|value| value.length > 2);
        password("Password") || password("PasswordPlain")
    };
    let stored = wide(sessions.iter().filter(stored).count());
    let master = facts
        .key(&format!("{WINSCP}\\Configuration\\Security"))
        .and_then(|key| facts.value_of(&key, "UseMasterPassword"))
        .and_then(|value| value.number())
        .is_some_and(|value| value != 0);
    let severity = match (stored, master) {
        (0, _) | (_, true) => Severity::Medium,
        _ => Severity::Critical,
    };
    let how = if master { " (behind a master password)" } else { "" };
    let evidence = format!(
        "{}, {stored} with a stored password{how}",
        many(wide(sessions.len()), "session", "sessions")
    );
    let targets = sessions.iter().filter_map(|key| facts.text_of(key, "HostName"));
    let finding = facts
        .finding(
            "credential_file.winscp_sessions",
            Category::CredentialFile,
            severity,
            "SSH and FTP logins (WinSCP)",
            evidence,
        )
        .with_detail("count", wide(sessions.len()))
        .with_detail("passwords", stored)
        .with_detail("sites", hosts(targets));
    output.findings.push(finding);
}

fn remote_desktop(facts: &Facts<'_>, output: &mut Output) {
    let servers = facts.subkeys(&format!("{RDP}\\Servers"));
    if servers.is_empty() {
        return;
    }
    let finding = facts
        .finding(
            "credential_file.rdp_servers",
            Category::CredentialFile,
            Severity::Medium,
            "machines reached by remote desktop",
            many(wide(servers.len()), "machine", "machines"),
        )
        .with_detail("count", wide(servers.len()))
        .with_detail("sites", hosts(servers.iter().map(|key| shown(&key.name))));
    output.findings.push(finding);
}

/// Keys that the system's SSH agent keeps, encrypted with what the user logs on with.
fn agent_keys(facts: &Facts<'_>, output: &mut Output) {
    let keys = facts.subkeys("Software\\OpenSSH\\Agent\\Keys");
    if keys.is_empty() {
        return;
    }
    let finding = facts
        .finding(
            "credential_file.ssh_agent_keys",
            Category::CredentialFile,
            Severity::High,
            "private keys kept by the SSH agent of Windows",
            format!("{}, encrypted for the user", many(wide(keys.len()), "key", "keys")),
        )
        .with_detail("count", wide(keys.len()));
    output.findings.push(finding);
}

/// Who the user is for their employer's services, and which shares they have at hand.
fn identity(facts: &Facts<'_>, output: &mut Output) {
    let drive = facts.subkeys("Software\\Microsoft\\OneDrive\\Accounts");
    let mut accounts: Vec<String> =
        drive.iter().filter_map(|key| facts.text_of(key, "UserEmail")).collect();
    for version in ["16.0", "15.0"] {
        let key = format!("Software\\Microsoft\\Office\\{version}\\Common\\Identity");
        accounts.extend(facts.text(&key, "ADUserName"));
    }
    let shares: Vec<String> = facts
        .subkeys("Network")
        .iter()
        .filter_map(|key| facts.text_of(key, "RemotePath"))
        .collect();
    if accounts.is_empty() && shares.is_empty() {
        return;
    }
    let list = crate::names::name_list;
    let accounts = list(accounts);
    let evidence = format!(
        "{}, {}",
        many(wide(accounts.len()), "work account", "work accounts"),
        many(wide(shares.len()), "mapped drive", "mapped drives")
    );
    let finding = facts
        .finding(
            "backup.user_settings",
            Category::Backup,
            Severity::Info,
            "accounts and shares of a user",
            evidence,
        )
        .with_detail("accounts", Value::from(accounts))
        .with_detail("shares", Value::from(list(shares)));
    output.findings.push(finding);
}
