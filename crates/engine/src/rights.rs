//! What each grant declares beside what reads have shown: one list, whoever runs the store.
//!
//! Probes tell what a service said; what the credential itself declares, and what a run has read
//! since, is added here.

use lidless_core::{
    Access, Auth, AzureService, Declarer, Grant, GrantScope, GrantStatus, Mechanism, Observed,
    Operation, Party, Permission, Provider, Right, ServiceSeen, Standing, settle_rights,
};
use lidless_token::Credential;
use std::collections::BTreeSet;

/// Why nothing is known of what a live credential may do.
const NOT_ASKED: &str = "not asked, or nothing of that kind was there to ask for";
/// How the reason begins where the credential does not work.
const NO_FURTHER: &str = "not asked any further";

/// Keeps what a run has read before with a grant that was asked again, as long as it works: what
/// was asked again reads less.
pub(crate) fn keep(grant: &mut Grant, before: Option<Observed>) {
    let (Some(observed), Some(before)) = (&mut grant.observed, before) else { return };
    if grant.status == GrantStatus::Live {
        observed.can_read = observed.can_read.or(before.can_read);
        observed.services = before.services;
    }
}

/// Sets the rights of a grant that was asked about; what is known already stays, so that telling
/// them twice changes nothing.
pub(crate) fn tell(credential: &Credential, grant: &mut Grant) {
    let (Some(access), Some(observed)) = (credential.access(), &grant.observed) else { return };
    let rights = if grant.provider == Provider::Azure {
        of_account(credential, grant, &access)
    } else {
        let more = of_bucket(credential, grant, &access);
        // Of a signed link nothing counts but what a read showed: the rest is told here.
        let is_signed = matches!(credential, Credential::Presigned(_));
        let stays = |right: &&Right| !is_left(right) && (!is_signed || right.observed.is_some());
        let probed = observed.rights.iter().filter(stays).cloned();
        let mut rights: Vec<Right> = probed.chain(more).collect();
        rights.extend(left(grant, party(&access), &rights));
        rights
    };
    if let Some(observed) = &mut grant.observed {
        observed.rights = settle_rights(rights);
    }
}

fn party(access: &Access) -> Party {
    if matches!(access.auth, Auth::Anonymous) { Party::Strangers } else { Party::Holder }
}

/// What reads can show of a service, and whether they have.
fn reads(service: AzureService, seen: Option<&ServiceSeen>) -> Vec<(Operation, Option<bool>)> {
    let shown = |of: fn(&ServiceSeen) -> Option<bool>| seen.and_then(of);
    let mut reads = vec![
        (Operation::ListContainers, shown(|seen| seen.can_list_containers)),
        (Operation::ReadContent, shown(|seen| seen.can_read)),
    ];
    // Messages and rows have no listing beside their content.
    if matches!(service, AzureService::Blob | AzureService::File) {
        reads.push((Operation::ListObjects, shown(|seen| seen.can_list)));
    }
    reads
}

/// The rights in an account of Azure, service by service.
fn of_account(credential: &Credential, grant: &Grant, access: &Access) -> Vec<Right> {
    let services = access.azure_services();
    let declares = credential.declares();
    let mut rights = Vec::new();
    for service in &services {
        let place =
            || (services.len() > 1).then(|| format!("{}://{}", service.scheme(), access.account));
        let seen = seen(grant, access, *service);
        let reads = reads(*service, seen.as_ref());
        for (operation, observed) in &reads {
            let declared = declares.as_ref().map(|all| all.contains(&(*service, *operation)));
            // Who holds one container is not told that it lists no containers.
            let is_wide = *operation == Operation::ListContainers && declared != Some(true);
            if !is_wide || observed.is_some() {
                let right = Right::of(party(access), *operation).at(place()).observed(*observed);
                let right = right.declared(declared, Declarer::Credential);
                rights.push(explained(right, grant, access, seen.as_ref()));
            }
        }
        let reads: BTreeSet<Operation> =
            reads.into_iter().map(|(operation, _)| operation).collect();
        let mut rest = BTreeSet::from(Operation::WRITING);
        let of_service = declares.iter().flatten().filter(|(of, _)| of == service);
        rest.extend(of_service.map(|(_, operation)| *operation));
        for operation in rest.into_iter().filter(|operation| !reads.contains(operation)) {
            let right = Right::of(party(access), operation).at(place());
            let declared = declares.as_ref().map(|all| all.contains(&(*service, operation)));
            rights.push(match (declared, &access.auth) {
                (None, Auth::Anonymous) => right
                    .declared(Some(false), Declarer::Service)
                    .because("public access is for reading alone"),
                _ => {
                    let why = match declared {
                        Some(true) if grant.mechanism == Mechanism::AzureUserDelegationSas => {
                            "the credential declares it, as far as a role of the identity behind \
                             it allows the same"
                        }
                        Some(true) if operation.changes() => "the credential declares it",
                        Some(true) => "the credential declares it; not asked",
                        Some(false) => "the credential does not declare it",
                        None => "only a stored policy or the service knows",
                    };
                    right.declared(declared, Declarer::Credential).because(why)
                }
            });
        }
    }
    rights
}

/// What was seen of one service.
fn seen(grant: &Grant, access: &Access, service: AzureService) -> Option<ServiceSeen> {
    let observed = grant.observed.as_ref()?;
    if service != access.azure_service() {
        return observed.services.get(service.label()).cloned();
    }
    Some(ServiceSeen {
        can_list_containers: observed.can_list_containers,
        can_list: observed.can_list,
        can_read: observed.can_read,
        meaning: observed.meaning.clone(),
    })
}

/// A right to read, with its reason.
fn explained(right: Right, grant: &Grant, access: &Access, seen: Option<&ServiceSeen>) -> Right {
    let is_live = grant.status == GrantStatus::Live;
    let own = grant.observed.as_ref().and_then(|seen| seen.meaning.as_deref());
    let meaning = seen.and_then(|seen| seen.meaning.as_deref()).or(own);
    let why = match (right.observed, right.declared) {
        (Some(true), Some(false)) => "a read showed it, though it is not declared".to_owned(),
        (Some(true), _) => "a read showed it".to_owned(),
        (Some(false), Some(true)) => {
            format!("declared, but refused: {}", meaning.unwrap_or("no reason given"))
        }
        (Some(false), Some(false)) => "not declared, and refused".to_owned(),
        (Some(false), None) if !is_live => format!("refused: {}", meaning.unwrap_or("no reason")),
        (Some(false), None) => "refused".to_owned(),
        (None, Some(false)) => "the credential does not declare it; not asked".to_owned(),
        (None, _) if !is_live => {
            format!("{NO_FURTHER}: {}", meaning.unwrap_or("no answer"))
        }
        (None, _) if seen.is_none() => {
            "not asked: where that service is is not known (--endpoint azure-SERVICE=URL)"
                .to_owned()
        }
        // A container that lists nothing to strangers and is live answers them by name.
        (None, None)
            if matches!(access.auth, Auth::Anonymous)
                && right.operation == Operation::ReadContent
                && seen.is_some_and(|seen| seen.can_list == Some(false)) =>
        {
            let why = meaning.unwrap_or("open by blob").to_owned();
            return right.declared(Some(true), Declarer::Service).because(&why);
        }
        (None, _) => NOT_ASKED.to_owned(),
    };
    right.because(&why)
}

/// What is known of a bucket or a web server beside what its probe told.
fn of_bucket(credential: &Credential, grant: &Grant, access: &Access) -> Vec<Right> {
    let Some(observed) = &grant.observed else { return Vec::new() };
    let mut more = Vec::new();
    let is_read =
        |right: &Right| right.operation == Operation::ReadContent && right.observed == Some(true);
    if observed.can_read == Some(true) && !observed.rights.iter().any(is_read) {
        let read = Right::of(party(access), Operation::ReadContent).observed(Some(true));
        more.push(read.because("a read showed it"));
    }
    if matches!(credential, Credential::Presigned(_)) {
        more.extend(of_signed_link(grant));
    }
    more
}

/// What every grant is told of and nothing is known of here.
fn left(grant: &Grant, party: Party, known: &[Right]) -> Vec<Right> {
    let meaning = grant.observed.as_ref().and_then(|seen| seen.meaning.as_deref());
    let why = match grant.status {
        GrantStatus::Live => NOT_ASKED.to_owned(),
        _ => format!("{NO_FURTHER}: {}", meaning.unwrap_or("no answer")),
    };
    let is_told = |operation: &Operation| {
        known.iter().any(|right| right.party == party && right.operation == *operation)
    };
    let all = [Operation::ListObjects, Operation::ReadContent].into_iter();
    all.chain(Operation::WRITING)
        .filter(|operation| !is_told(operation))
        .map(|operation| Right::of(party, operation).because(&why))
        .collect()
}

/// Whether it says no more than that nothing was known when it was last told.
fn is_left(right: &Right) -> bool {
    let why = right.why.as_str();
    right.standing() == Standing::Unknown
        && (why.starts_with(NOT_ASKED) || why.starts_with(NO_FURTHER))
}

/// A signed link opens one name with one method; which, only a key tells, or a read that fits.
fn of_signed_link(grant: &Grant) -> Vec<Right> {
    let lists = grant.scope == GrantScope::Container;
    let read = if lists { Operation::ListObjects } else { Operation::ReadContent };
    let seen = grant.observed.as_ref();
    let fits = seen.and_then(|seen| if lists { seen.can_list } else { seen.can_read });
    let needs = |operation| match operation {
        Operation::ListObjects => Permission::List,
        Operation::DeleteObjects => Permission::Delete,
        Operation::CreateObjects | Operation::OverwriteObjects => Permission::Write,
        _ => Permission::Read,
    };
    let of = |operation: Operation| {
        let (declared, why) = match &grant.permissions {
            Some(all) if all.contains(&needs(operation)) => {
                (Some(true), "the method that was signed allows it")
            }
            Some(_) => (Some(false), "it is signed for another method"),
            None if fits == Some(true) && operation.changes() => {
                (Some(false), "it is signed for one method alone, and a read fits")
            }
            None if fits == Some(true) => (None, ""),
            None => (None, "which method was signed cannot be seen from it"),
        };
        Right::of(Party::Holder, operation).declared(declared, Declarer::Credential).because(why)
    };
    let (other, why) = if lists {
        (Operation::ReadContent, "it is signed for a bucket, and opens no object")
    } else {
        (Operation::ListObjects, "it is signed for one object alone")
    };
    let other = Right::of(Party::Holder, other).declared(Some(false), Declarer::Credential);
    let mut rights = vec![other.because(why)];
    rights.extend(std::iter::once(read).chain(Operation::WRITING).map(of));
    rights
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_core::Timestamp;
    use lidless_token::KeyRing;

    /// A presigned URL of made-up parts, and its grant after a probe that gave `observed`.
    fn told(status: GrantStatus, observed: Observed) -> (Credential, Grant) {
        let link = format!(
            "https://models.s3.amazonaws.com/a.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&\
             X-Amz-Credential={}%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&\
             X-Amz-Date=20260101T000000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&\
             X-Amz-Signature={}",
            concat!("AK", "IAQ7ZLIDLESSTESTC4"),
            "0".repeat(64)
        );
        let credential = lidless_token::recognise(&link).remove(0).credential;
        let mut grant = credential.grant(Timestamp::UNIX_EPOCH, &KeyRing::default());
        grant.status = status;
        grant.observed = Some(observed);
        tell(&credential, &mut grant);
        (credential, grant)
    }

    fn rows(grant: &Grant) -> Vec<(Operation, Option<bool>, Option<bool>)> {
        let rights = &grant.observed.as_ref().unwrap().rights;
        rights.iter().map(|one| (one.operation, one.declared, one.observed)).collect()
    }

    #[test]
    fn what_was_read_stays_known_while_a_grant_works_and_no_longer() {
        let read = Observed { can_read: Some(true), ..Observed::default() };
        let again = |status| {
            let (credential, mut grant) = told(status, Observed::default());
            keep(&mut grant, Some(read.clone()));
            tell(&credential, &mut grant);
            rows(&grant).contains(&(Operation::ReadContent, None, Some(true)))
        };
        assert!(again(GrantStatus::Live));
        assert!(!again(GrantStatus::Revoked));
    }

    #[test]
    fn telling_again_changes_nothing_until_more_was_read() {
        let (credential, mut grant) = told(GrantStatus::Unknown, Observed::default());
        let before = grant.clone();
        tell(&credential, &mut grant);
        assert_eq!(grant, before);
        let write = |known| Operation::WRITING.map(|operation| (operation, known, None));
        let wanted = [
            vec![(Operation::ListObjects, Some(false), None), (Operation::ReadContent, None, None)],
            write(None).to_vec(),
        ];
        assert_eq!(rows(&grant), wanted.concat());

        grant.status = GrantStatus::Live;
        grant.observed.as_mut().unwrap().can_read = Some(true);
        tell(&credential, &mut grant);
        let read = (Operation::ReadContent, None, Some(true));
        let wanted =
            [vec![(Operation::ListObjects, Some(false), None), read], write(Some(false)).to_vec()];
        assert_eq!(rows(&grant), wanted.concat(), "a read that fits says what was signed");
        let rights = &grant.observed.as_ref().unwrap().rights;
        assert!(rights.iter().all(|one| !one.why.contains("not asked")), "{rights:#?}");
    }
}
