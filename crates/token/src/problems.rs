//! What is wrong with a SAS: one rule a problem, each with what to do instead.

use crate::azure::{AzureSas, SasKind};
use crate::operations::{Act, allowed, ignored};
use crate::query::repeated;
use crate::reference::reference;
use crate::severity::days;
use crate::time;
use lidless_core::{Grant, GrantStatus, Permission, Problem, Severity, Timestamp};

/// The problems of a SAS, in no order.
pub(crate) fn of(grant: &Grant, sas: &AzureSas, now: Timestamp) -> Vec<Problem> {
    let mut found = Vec::new();
    let has = |permission| grant.may(permission) == Some(true);
    let acts: Vec<Act> = allowed(sas).into_iter().map(|(act, _)| act).collect();
    let (reads, changes) = (acts.contains(&Act::Read), acts.contains(&Act::Change));
    let account = sas.kind() == SasKind::Account;
    let over_services = account && sas.get("srt").is_some_and(|types| types.contains('s'));
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
        reads
            && changes
            && has(Permission::List)
            && has(Permission::Write)
            && has(Permission::Delete),
        "sas.full_control",
        if account { Severity::Critical } else { Severity::High },
        "It reads, lists, overwrites and deletes: full control. Give read alone to readers.".into(),
    );
    say(
        reads && changes,
        "sas.write_beside_read",
        if account { Severity::High } else { Severity::Medium },
        "Whoever reads with it can also change what others read. Give writers a token of their \
         own, and readers sp=r."
            .into(),
    );
    say(
        over_services && has(Permission::List),
        "sas.account_list",
        Severity::Medium,
        "It lists every container of the account. Readers of one file need no list: leave srt=s \
         and the letter l out."
            .into(),
    );
    say(
        acts.contains(&Act::Configure),
        "sas.service_properties_writable",
        Severity::High,
        "It can change service properties: switch off logging, shorten soft delete, open CORS. \
         Leave srt=s or the letter w out."
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
    for (key, differs) in repeated(&sas.parameters) {
        say(
            true,
            "sas.duplicate_parameter",
            if differs { Severity::Medium } else { Severity::Info },
            format!(
                "The parameter {} stands more than once{}. Make it again from its source.",
                shortened(&key),
                if differs { " with values that differ; the first is read here" } else { "" }
            ),
        );
    }
    for (key, what) in [("se", "end"), ("st", "start"), ("ske", "key's end")] {
        say(
            sas.get(key).is_some_and(|text| time::azure(text).is_none()),
            "sas.unreadable_time",
            Severity::Medium,
            format!("Its {what} is written in a way that is not understood: check it by hand."),
        );
    }
    say(
        grant.starts.zip(grant.expires).is_some_and(|(start, end)| start >= end),
        "sas.never_valid",
        Severity::Low,
        "It ends before it starts, so it never works. Take it out all the same.".into(),
    );
    say(
        grant.starts.is_some_and(|start| start > now),
        "sas.not_started",
        Severity::Info,
        "It does not work yet: its start lies ahead. Revoke it before it does.".into(),
    );
    let ignored = ignored(sas);
    say(
        !ignored.is_empty(),
        "sas.ignored_permission",
        Severity::Info,
        format!(
            "The letters {} mean nothing for what it reaches and are ignored. Ask only for what \
             is needed.",
            shortened(&ignored)
        ),
    );
    say(
        account && grant.identifier.is_some()
            || sas.get("skoid").is_some() && grant.identifier.is_some(),
        "sas.policy_not_allowed",
        Severity::Low,
        "It names a stored access policy, which its kind cannot have: the service refuses it."
            .into(),
    );
    say(
        account && sas.get("sr").is_some(),
        "sas.contradiction",
        Severity::Low,
        "It has parameters of two kinds, an account SAS and a service SAS; it counts as the first."
            .into(),
    );
    say(
        sas.kind() == SasKind::UserDelegation && longer_than_a_week(sas),
        "sas.delegation_over_a_week",
        Severity::Low,
        "Its user delegation key runs longer than seven days, which the service does not give: \
         it may be made up or from an emulator."
            .into(),
    );
    found
}

/// Names and letters come from the token itself, so they are cut to what fits a sentence.
fn shortened(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic()).take(24).collect()
}

fn longer_than_a_week(sas: &AzureSas) -> bool {
    let time = |key: &str| sas.get(key).and_then(time::azure).map(Timestamp::as_second);
    time("skt")
        .zip(time("ske"))
        .and_then(|(start, end)| end.checked_sub(start))
        .is_some_and(|seconds| seconds > 7 * 86_400)
}

/// One problem.
pub(crate) fn problem(rule: &str, severity: Severity, message: impl Into<String>) -> Problem {
    Problem { rule: rule.to_owned(), severity, message: message.into(), reference: reference(rule) }
}
