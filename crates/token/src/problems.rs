//! What an Azure credential allows and what is wrong with it.
//!
//! Severity goes by capability alone, by this table; each verdict lists the lines that made it:
//!
//! | what it can do | severity |
//! | --- | --- |
//! | be the account key | critical |
//! | overwrite or delete in the whole account | critical |
//! | read and list the whole account | high |
//! | overwrite or delete in one container | high |
//! | read and list one container for more than a week | medium |
//! | overwrite or delete one object | medium |
//! | read one container or a directory | medium |
//! | read one object for more than a week | low |
//! | read one object, soon over | info |
//! | bound to an address or a user | one lower |
//! | expired | at most low |

use crate::azure::{AzureKey, AzureSas, SasKind};
use crate::query::contradictions;
use crate::time;
use lidless_core::{
    Grant, GrantScope, GrantStatus, Mechanism, Permission, Problem, Provider, Severity,
    SignatureCheck, Timestamp,
};

const DAY: i64 = 86_400;

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
        operations: operations(sas),
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
    grade(&mut grant, sas, now);
    grant.problems = problems(&grant, sas, now);
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
        problems: vec![problem(
            "key.account_key",
            Severity::Critical,
            "An account key opens everything, for ever, and makes further tokens. Use Microsoft \
             Entra identities, and switch shared key access off.",
        )],
        severity: Severity::Critical,
        why: vec!["it is the key of the whole account".into()],
    }
}

fn problem(rule: &str, severity: Severity, message: impl Into<String>) -> Problem {
    Problem { rule: rule.to_owned(), severity, message: message.into() }
}

fn scope(sas: &AzureSas) -> GrantScope {
    match sas.kind() {
        SasKind::Account => GrantScope::Account,
        SasKind::Table => GrantScope::Table,
        SasKind::Queue => GrantScope::Queue,
        _ => match sas.get("sr") {
            Some("c") => GrantScope::Container,
            Some("d") => GrantScope::Directory,
            Some("b" | "f") => GrantScope::Object,
            Some("bs") => GrantScope::Snapshot,
            Some("bv") => GrantScope::Version,
            Some("s") => GrantScope::Share,
            _ => GrantScope::Unknown,
        },
    }
}

fn resource(sas: &AzureSas) -> String {
    let account = sas.account().unwrap_or("unknown");
    let scheme = match sas.kind() {
        SasKind::File => "az+file",
        SasKind::Queue => "az+queue",
        SasKind::Table => "az+table",
        _ => "az",
    };
    let path = match (sas.kind(), sas.get("sr"), &sas.address) {
        (SasKind::Account, _, _) | (_, _, None) => String::new(),
        (_, Some("c" | "s"), Some(address)) => {
            address.path.split('/').next().unwrap_or("").to_owned()
        }
        (_, _, Some(address)) => address.path.clone(),
    };
    if path.is_empty() {
        format!("{scheme}://{account}")
    } else {
        format!("{scheme}://{account}/{path}")
    }
}

fn services(sas: &AzureSas) -> Vec<String> {
    let word = match sas.kind() {
        SasKind::Account => {
            let letters = sas.get("ss").unwrap_or("");
            return [('b', "blob"), ('f', "file"), ('q', "queue"), ('t', "table")]
                .into_iter()
                .filter(|(letter, _)| letters.contains(*letter))
                .map(|(_, word)| word.to_owned())
                .collect();
        }
        SasKind::File => "file",
        SasKind::Queue => "queue",
        SasKind::Table => "table",
        SasKind::Blob | SasKind::UserDelegation => "blob",
    };
    vec![word.to_owned()]
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

/// What the holder can do, derived from services, resource types and letters, as the service's
/// own table of operations has it. Letters that mean nothing in a combination add nothing.
fn operations(sas: &AzureSas) -> Vec<String> {
    let Some(letters) = sas.get("sp") else {
        return vec!["whatever the stored policy allows; it cannot be seen from the token".into()];
    };
    let has = |set: &str| set.chars().any(|letter| letters.contains(letter));
    let mut words: Vec<String> = Vec::new();
    let mut say = |allowed: bool, text: &str| {
        if allowed && !words.iter().any(|known| known == text) {
            words.push(text.to_owned());
        }
    };
    let (service, container, object, reach) = match sas.kind() {
        SasKind::Account => {
            let types = sas.get("srt").unwrap_or("");
            (types.contains('s'), types.contains('c'), types.contains('o'), "in every container")
        }
        _ => {
            let container = matches!(sas.get("sr"), Some("c" | "d" | "s") | None);
            let reach = match scope(sas) {
                GrantScope::Container => "in the container",
                GrantScope::Directory => "in the directory",
                GrantScope::Share => "in the share",
                _ => "",
            };
            (false, container, true, reach)
        }
    };
    let named = services(sas);
    let opens = |name: &str| named.iter().any(|one| one == name);
    let at =
        |text: &str| if reach.is_empty() { text.to_owned() } else { format!("{text} {reach}") };
    if opens("blob") {
        say(service && has("l"), "list containers");
        say(container && has("l"), &at("list blobs"));
        say(object && has("r"), &at("read blobs"));
        say(object && has("w"), &at("overwrite blobs"));
        say(object && has("wc"), &at("create blobs"));
        say(object && has("wa"), &at("append to blobs"));
        say(object && has("d"), &at("delete blobs"));
        say(object && has("x"), &at("delete blob versions"));
        say(object && has("y"), "delete for good, past soft delete");
        say(object && has("t"), "read and write tags");
        say((object || container) && has("f"), "find blobs by their tags");
        say(object && has("i"), "set and remove immutability");
        say(object && has("m"), "move and rename");
        say(object && has("o"), "change owners");
        if sas.kind() != SasKind::Account {
            say(has("p"), "change permissions");
        } else {
            say(container && has("cw"), "create containers");
            say(container && has("d"), "delete containers");
        }
    }
    if sas.kind() == SasKind::Account {
        say(service && has("r"), "read service properties");
        say(service && has("w"), "change service properties and so switch off logging");
    }
    if opens("file") {
        say(object && has("r"), "read files");
        say(container && has("l"), "list shares and files");
        say(object && has("wc"), "write files");
        say(object && has("d"), "delete files");
    }
    if opens("queue") {
        say(object && has("r"), "peek at queue messages");
        say(object && has("a"), "add queue messages");
        say(object && has("u"), "change queue messages");
        say(object && has("p"), "take queue messages");
    }
    if opens("table") {
        say(object && has("r"), "query table rows");
        say(object && has("a"), "add table rows");
        say(object && has("u"), "change table rows");
        say(object && has("d"), "delete table rows");
    }
    if sas.kind() == SasKind::UserDelegation {
        words.push("no more than the role of the identity behind it allows".into());
    }
    if sas.get("sduoid").is_some() {
        words.push("only together with a sign-in of the user it is bound to".into());
    }
    words
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

fn days(grant: &Grant, now: Timestamp) -> Option<i64> {
    let end = grant.expires?;
    end.as_second().checked_sub(now.as_second())?.checked_div(DAY)
}

/// The table at the top of this file.
fn grade(grant: &mut Grant, sas: &AzureSas, now: Timestamp) {
    let has = |permission| grant.may(permission) == Some(true);
    let changes = has(Permission::Write)
        || has(Permission::Delete)
        || has(Permission::DeleteVersion)
        || has(Permission::PermanentDelete)
        || has(Permission::Permissions)
        || has(Permission::Ownership);
    let adds = has(Permission::Create) || has(Permission::Add) || has(Permission::Update);
    let reads = has(Permission::Read);
    let lists = has(Permission::List);
    let long = days(grant, now).is_none_or(|left| left > 7);
    let (mut severity, line) = match grant.scope {
        GrantScope::Account | GrantScope::Unknown if changes => {
            (Severity::Critical, "overwrites or deletes in the whole account")
        }
        GrantScope::Account | GrantScope::Unknown if reads || adds => {
            (Severity::High, "reads or adds to the whole account")
        }
        GrantScope::Account | GrantScope::Unknown if grant.permissions.is_none() => {
            (Severity::Medium, "hangs on a stored policy that was not seen")
        }
        GrantScope::Account | GrantScope::Unknown => (Severity::Medium, "lists the whole account"),
        GrantScope::Container | GrantScope::Share | GrantScope::Queue | GrantScope::Table => {
            if changes {
                (Severity::High, "overwrites or deletes in one container")
            } else if grant.permissions.is_none() {
                (Severity::Medium, "hangs on a stored policy that was not seen")
            } else if (reads || lists) && long {
                (Severity::Medium, "reads one container for more than a week")
            } else if adds {
                (Severity::Medium, "adds to one container")
            } else {
                (Severity::Low, "reads one container, soon over")
            }
        }
        GrantScope::Directory => match changes || adds {
            true => (Severity::High, "overwrites or deletes in one directory"),
            false => (Severity::Medium, "reads one directory"),
        },
        GrantScope::Object | GrantScope::Version | GrantScope::Snapshot => {
            if changes || adds {
                (Severity::Medium, "overwrites or deletes one object")
            } else if long {
                (Severity::Low, "reads one object for more than a week")
            } else {
                (Severity::Info, "reads one object, soon over")
            }
        }
    };
    let mut why = vec![format!("{line}: {}", severity.as_str())];
    let bound = grant.ip.is_some() || sas.get("sduoid").is_some();
    if bound && severity > Severity::Info {
        severity = match severity {
            Severity::Critical => Severity::High,
            Severity::High => Severity::Medium,
            Severity::Medium => Severity::Low,
            _ => Severity::Info,
        };
        why.push(format!("bound to an address or a user, one lower: {}", severity.as_str()));
    }
    grant.severity = severity;
    grant.why = why;
}

fn problems(grant: &Grant, sas: &AzureSas, now: Timestamp) -> Vec<Problem> {
    let mut found = Vec::new();
    let has = |permission| grant.may(permission) == Some(true);
    let changes = has(Permission::Write) || has(Permission::Delete);
    let account = sas.kind() == SasKind::Account;
    let mut say = |wrong: bool, rule: &str, severity: Severity, message: String| {
        if wrong {
            found.push(problem(rule, severity, message));
        }
    };
    say(
        account,
        "sas.account_scope",
        Severity::High,
        "An account SAS opens every container. Share a user delegation SAS for one container or \
         one blob instead."
            .into(),
    );
    say(
        changes && has(Permission::Read) && has(Permission::List) && has(Permission::Delete),
        "sas.full_control",
        if account { Severity::Critical } else { Severity::High },
        "It reads, lists, overwrites and deletes: full control. Give read alone to readers.".into(),
    );
    say(
        changes && has(Permission::Read),
        "sas.write_beside_read",
        if account { Severity::High } else { Severity::Medium },
        "Whoever reads with it can also change what others read. Split it in two.".into(),
    );
    say(
        account && has(Permission::List) && sas.get("srt").is_some_and(|types| types.contains('s')),
        "sas.account_list",
        Severity::Medium,
        "It lists every container of the account. Readers of one file need no list.".into(),
    );
    say(
        account
            && has(Permission::Write)
            && sas.get("srt").is_some_and(|types| types.contains('s')),
        "sas.service_properties_writable",
        Severity::High,
        "It can change service properties: switch off logging, shorten soft delete, open CORS."
            .into(),
    );
    say(
        has(Permission::PermanentDelete),
        "sas.permanent_delete",
        Severity::High,
        "It deletes for good, past soft delete. Leave the letter y out.".into(),
    );
    match days(grant, now) {
        _ if grant.status == GrantStatus::Expired => say(
            true,
            "sas.expired_key_may_live",
            Severity::Low,
            "It is expired, but the key that signed it may still be in use: who made it could \
             make another."
                .into(),
        ),
        Some(left) if left > 3650 => say(
            true,
            "sas.lifetime_forever",
            Severity::High,
            format!("It runs {} more years: effectively for ever. Use hours or days.", left / 365),
        ),
        Some(left) if left > 365 => say(
            true,
            "sas.lifetime_year",
            Severity::High,
            format!("It runs {left} more days. Use hours or days, seven at most."),
        ),
        Some(left) if left > 7 => say(
            true,
            "sas.lifetime_week",
            Severity::Medium,
            format!("It runs {left} more days. Use hours or days, seven at most."),
        ),
        Some(_) => {}
        None => say(
            grant.identifier.is_none(),
            "sas.no_expiry",
            Severity::High,
            "It says no end that can be read.".into(),
        ),
    }
    say(
        grant.starts.is_none() && grant.identifier.is_none(),
        "sas.no_start",
        Severity::Info,
        "It has no start, so when it was made cannot be told, and an expiration policy of the \
         account does not work for it."
            .into(),
    );
    say(
        grant.protocols.iter().any(|one| one == "http"),
        "sas.http_allowed",
        Severity::Low,
        "It works over plain http, where anyone on the way can read it. Add spr=https.".into(),
    );
    say(
        grant.ip.is_none() && account,
        "sas.no_ip",
        Severity::Info,
        "It works from anywhere. Bind it to addresses where readers have fixed ones.".into(),
    );
    say(
        grant.identifier.is_none() && sas.kind() != SasKind::UserDelegation,
        "sas.no_policy",
        Severity::Medium,
        "No stored access policy: nothing but renewing the account key can end it early.".into(),
    );
    say(
        sas.get("sv").is_none_or(|version| version < "2018-11-09"),
        "sas.old_version",
        Severity::Low,
        "It is signed for an old service version, without what newer ones bind.".into(),
    );
    for key in contradictions(&sas.parameters) {
        say(
            true,
            "sas.duplicate_parameter",
            Severity::Medium,
            format!(
                "The parameter {key} stands more than once with values that differ; the first is read here."
            ),
        );
    }
    say(
        sas.get("se").is_some_and(|text| time::azure(text).is_none()),
        "sas.unreadable_time",
        Severity::Medium,
        "Its end is written in a way that is not understood.".into(),
    );
    found
}
