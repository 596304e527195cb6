//! Azure credentials read as grants: everything they declare.

use crate::azure::{AzureKey, AzureSas, SasKind};
use crate::operations::{services, words};
use crate::signing::signed_path;
use crate::{problems, severity, time};
use lidless_core::{
    Grant, GrantScope, GrantStatus, Mechanism, Permission, Provider, Severity, SignatureCheck,
    Timestamp,
};

/// Reads a SAS as a grant and judges it.
pub(crate) fn sas(sas: &AzureSas, now: Timestamp) -> Grant {
    let scope = scope(sas);
    let permissions = permissions(sas);
    let expires = expires(sas);
    let starts = sas.get("st").and_then(time::azure);
    let mut protocols: Vec<String> = match sas.get("spr") {
        Some(text) => text.split(',').map(|one| one.trim().to_ascii_lowercase()).collect(),
        None => vec!["https".into(), "http".into()],
    };
    protocols.sort_by(|a, b| b.cmp(a));
    let mut grant = Grant {
        id: String::new(),
        provider: Provider::Azure,
        mechanism: sas.mechanism(),
        resource: resource(sas),
        scope,
        permissions,
        operations: words(sas),
        starts,
        expires,
        protocols,
        ip: sas.get("sip").map(str::to_owned),
        identifier: sas.get("si").map(str::to_owned),
        key_hint: match sas.kind() {
            SasKind::UserDelegation => {
                sas.get("skoid").map(|id| format!("user delegation key of object {id}"))
            }
            _ => sas.account().map(|account| format!("an account key of {account}")),
        },
        services: services(sas),
        version: sas.get("sv").map(str::to_owned),
        signature: SignatureCheck::default(),
        status: match expires {
            Some(end) if end <= now => GrantStatus::Expired,
            _ => GrantStatus::Unknown,
        },
        observed: None,
        revocation: revocation(sas),
        problems: Vec::new(),
        severity: Severity::Info,
        why: Vec::new(),
    };
    severity::grade(&mut grant, sas, now);
    grant.problems = problems::of(&grant, sas, now);
    grant
}

/// Reads an account key as a grant.
pub(crate) fn account_key(key: &AzureKey) -> Grant {
    let account = key.account().unwrap_or("unknown");
    Grant {
        id: String::new(),
        provider: Provider::Azure,
        mechanism: Mechanism::AzureAccountKey,
        resource: format!("az://{account}"),
        scope: GrantScope::Account,
        permissions: Some(vec![
            Permission::Read,
            Permission::List,
            Permission::Write,
            Permission::Create,
            Permission::Add,
            Permission::Delete,
            Permission::DeleteVersion,
            Permission::PermanentDelete,
            Permission::Tags,
            Permission::Filter,
            Permission::Ownership,
            Permission::Permissions,
            Permission::Immutability,
            Permission::Update,
            Permission::Process,
        ]),
        operations: [
            "do everything the account can do, on blobs, files, queues and tables",
            "make any number of tokens that nobody can list",
            "change service properties and so switch off logging",
            "change who may read containers",
        ]
        .map(str::to_owned)
        .to_vec(),
        starts: None,
        expires: None,
        protocols: vec!["https".into(), "http".into()],
        ip: None,
        identifier: None,
        key_hint: Some(format!("an account key of {account}")),
        services: ["blob", "file", "queue", "table"].map(str::to_owned).to_vec(),
        version: None,
        signature: SignatureCheck::default(),
        status: GrantStatus::Unknown,
        observed: None,
        revocation: format!(
            "Renew the key: az storage account keys renew --account-name {account}. Every token \
             it signed ends with it."
        ),
        problems: vec![problems::problem(
            "key.account_key",
            Severity::Critical,
            "An account key opens everything, for ever, and makes further tokens. Use Microsoft \
             Entra identities, and switch shared key access off.",
        )],
        severity: Severity::Critical,
        why: vec!["it is the key of the whole account".into()],
    }
}

fn scope(sas: &AzureSas) -> GrantScope {
    let service = services(sas);
    match (sas.kind(), service.first().map(String::as_str), sas.get("sr")) {
        (SasKind::Account, _, _) => GrantScope::Account,
        (_, Some("table"), _) => GrantScope::Table,
        (_, Some("queue"), _) => GrantScope::Queue,
        (_, _, Some("c")) => GrantScope::Container,
        (_, _, Some("d")) => GrantScope::Directory,
        (_, _, Some("b" | "f")) => GrantScope::Object,
        (_, _, Some("bs")) => GrantScope::Snapshot,
        (_, _, Some("bv")) => GrantScope::Version,
        (_, _, Some("s")) => GrantScope::Share,
        _ => GrantScope::Unknown,
    }
}

fn resource(sas: &AzureSas) -> String {
    let account = sas.account().unwrap_or("unknown");
    let service = services(sas);
    let account_wide = sas.kind() == SasKind::Account;
    let scheme = match service.first().map(String::as_str) {
        Some("file") if !account_wide => "az+file",
        Some("queue") if !account_wide => "az+queue",
        Some("table") if !account_wide => "az+table",
        _ => "az",
    };
    let path = match &sas.address {
        Some(address) if !account_wide => signed_path(sas, &address.path),
        _ => String::new(),
    };
    if path.is_empty() {
        format!("{scheme}://{account}")
    } else {
        format!("{scheme}://{account}/{path}")
    }
}

fn expires(sas: &AzureSas) -> Option<Timestamp> {
    let own = sas.get("se").and_then(time::azure);
    let key = sas.get("ske").and_then(time::azure);
    match (own, key) {
        (Some(own), Some(key)) => Some(own.min(key)),
        (own, key) => own.or(key),
    }
}

/// The permissions in words, in the order of a report; null when a stored policy holds them.
fn permissions(sas: &AzureSas) -> Option<Vec<Permission>> {
    let letters = sas.get("sp")?;
    let kind = sas.kind();
    let word = |letter| match letter {
        'r' => Some(Permission::Read),
        'l' => Some(Permission::List),
        'w' => Some(Permission::Write),
        'c' => Some(Permission::Create),
        'a' => Some(Permission::Add),
        'd' => Some(Permission::Delete),
        'x' => Some(Permission::DeleteVersion),
        'y' => Some(Permission::PermanentDelete),
        't' => Some(Permission::Tags),
        'f' => Some(Permission::Filter),
        'm' => Some(Permission::Move),
        'e' => Some(Permission::Execute),
        'o' => Some(Permission::Ownership),
        'i' => Some(Permission::Immutability),
        'u' => Some(Permission::Update),
        // The same letter means two things: processing messages, or changing permissions.
        'p' if matches!(kind, SasKind::Queue | SasKind::Account) => Some(Permission::Process),
        'p' => Some(Permission::Permissions),
        _ => None,
    };
    let mut words: Vec<Permission> = letters.chars().filter_map(word).collect();
    words.sort();
    words.dedup();
    Some(words)
}

fn revocation(sas: &AzureSas) -> String {
    let account = sas.account().unwrap_or("ACCOUNT");
    match sas.kind() {
        SasKind::UserDelegation => format!(
            "Revoke the user delegation keys of the account (az storage account \
             revoke-delegation-keys --name {account}), or take the role from the identity; both \
             act with some minutes of delay."
        ),
        _ if sas.get("si").is_some() => format!(
            "Delete or change the stored access policy {}; it ends every token on that policy \
             within half a minute.",
            sas.get("si").unwrap_or("")
        ),
        _ => format!(
            "Only by renewing the account key that signed it (az storage account keys renew \
             --account-name {account}), which ends every other token of that key."
        ),
    }
}
