//! How bad a SAS is.
//!
//! Severity goes by capability alone, by this table; each verdict lists the lines that made it:
//!
//! | what it can do | severity |
//! | --- | --- |
//! | be the account key | critical |
//! | overwrite or delete in the whole account | critical |
//! | change service properties, read or add to the whole account | high |
//! | list the whole account | medium |
//! | overwrite or delete in one container | high |
//! | overwrite, add or delete in one directory | high |
//! | read or list one container for more than a week, or add to it | medium |
//! | read one directory | medium |
//! | overwrite, create or delete one object | medium |
//! | whatever a stored policy says that was not seen | medium |
//! | read or list one container, soon over | low |
//! | read one object for more than a week | low |
//! | read one object, soon over | info |
//! | bound to an address or a user | one lower |
//! | expired | at most low |

use crate::azure::AzureSas;
use crate::operations::{Act, allowed};
use lidless_core::{Grant, GrantScope, GrantStatus, Severity, Timestamp};

const DAY: i64 = 86_400;

/// Whole days until the end; none when no end is known.
pub(crate) fn days(grant: &Grant, now: Timestamp) -> Option<i64> {
    let end = grant.expires?;
    end.as_second().checked_sub(now.as_second())?.checked_div(DAY)
}

/// Puts the verdict of the table, and the lines that made it, into the grant.
pub(crate) fn grade(grant: &mut Grant, sas: &AzureSas, now: Timestamp) {
    let acts: Vec<Act> = allowed(sas).into_iter().map(|(act, _)| act).collect();
    let has = |act: Act| acts.contains(&act);
    let (changes, adds) = (has(Act::Change), has(Act::Add));
    let (reads, lists) = (has(Act::Read), has(Act::List));
    let unseen = grant.permissions.is_none();
    let long = days(grant, now).is_none_or(|left| left > 7);
    let (mut severity, line) = match grant.scope {
        _ if unseen => (Severity::Medium, "hangs on a stored policy that was not seen"),
        GrantScope::Account if changes => {
            (Severity::Critical, "overwrites or deletes in the whole account")
        }
        GrantScope::Account if has(Act::Configure) => {
            (Severity::High, "changes how the whole account behaves")
        }
        GrantScope::Account if reads && lists => {
            (Severity::High, "reads and lists the whole account")
        }
        GrantScope::Account if reads => (Severity::High, "reads the whole account"),
        GrantScope::Account if adds => (Severity::High, "adds to the whole account"),
        GrantScope::Account if lists => (Severity::Medium, "lists the whole account"),
        GrantScope::Directory if changes || adds => {
            (Severity::High, "overwrites, adds or deletes in one directory")
        }
        GrantScope::Directory => (Severity::Medium, "reads one directory"),
        GrantScope::Object | GrantScope::Version | GrantScope::Snapshot => {
            if changes || adds {
                (Severity::Medium, "overwrites, creates or deletes one object")
            } else if reads && long {
                (Severity::Low, "reads one object for more than a week")
            } else if reads {
                (Severity::Info, "reads one object, soon over")
            } else {
                (Severity::Info, "neither reads nor changes anything")
            }
        }
        _ if changes => (Severity::High, "overwrites or deletes in one container"),
        _ if reads && lists && long => {
            (Severity::Medium, "reads and lists one container for more than a week")
        }
        _ if (reads || lists) && long => {
            (Severity::Medium, "reads or lists one container for more than a week")
        }
        _ if adds => (Severity::Medium, "adds to one container"),
        _ if reads || lists => (Severity::Low, "reads or lists one container, soon over"),
        _ => (Severity::Info, "neither reads nor changes anything"),
    };
    let mut why = vec![format!("{line}: {}", severity.as_str())];
    let mut lower = |severity: Severity, line: &str| {
        let next = match severity {
            Severity::Critical => Severity::High,
            Severity::High => Severity::Medium,
            Severity::Medium => Severity::Low,
            _ => Severity::Info,
        };
        if next != severity {
            why.push(format!("{line}, one lower: {}", next.as_str()));
        }
        next
    };
    if sas.get("sduoid").is_some() {
        severity = lower(severity, "bound to a user who has to sign in");
    } else if grant.ip.as_deref().is_some_and(is_narrow) {
        severity = lower(severity, "bound to an address");
    }
    if grant.status == GrantStatus::Expired && severity > Severity::Low {
        severity = Severity::Low;
        why.push("expired, so at most low".into());
    }
    grant.severity = severity;
    grant.why = why;
}

/// A range that begins at `0.` or ends at `255.255.255.255` binds to nothing.
fn is_narrow(range: &str) -> bool {
    !(range.starts_with("0.") || range.ends_with("-255.255.255.255") || range.starts_with("::"))
}
