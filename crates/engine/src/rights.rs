//! What each grant declares beside what reads have shown: one list, whoever runs the store.
//!
//! Probes tell what a service said; what the credential itself declares, and what a run has read
//! since, is added here.

use lidless_core::{
    Access, Auth, AzureService, Declarer, Grant, GrantScope, GrantStatus, Operation, Party,
    Permission, Provider, Right, ServiceSeen, settle_rights,
};
use lidless_token::Credential;
use std::collections::BTreeSet;

/// Sets the rights of a grant that was asked about; what is known already stays, so that telling
/// them twice changes nothing.
pub(crate) fn tell(credential: &Credential, grant: &mut Grant) {
    let (Some(access), Some(observed)) = (credential.access(), &grant.observed) else { return };
    let rights = if grant.provider == Provider::Azure {
        of_account(credential, grant, &access)
    } else {
        let more = of_bucket(credential, grant, &access);
        observed.rights.iter().cloned().chain(more).collect()
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
    let meaning = seen.and_then(|seen| seen.meaning.as_deref());
    let why = match (right.observed, right.declared) {
        (Some(true), Some(false)) => "a read showed it, though it is not declared".to_owned(),
        (Some(true), _) => "a read showed it".to_owned(),
        (Some(false), Some(true)) => {
            format!("declared, but refused: {}", meaning.unwrap_or("no reason given"))
        }
        (Some(false), Some(false)) => "not declared, and refused".to_owned(),
        (Some(false), None) => "refused".to_owned(),
        (None, Some(false)) => "the credential does not declare it; not asked".to_owned(),
        (None, _) if !is_live => {
            format!("not asked any further: {}", meaning.unwrap_or("no answer"))
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
        (None, _) => "not shown: nothing of that kind was there to ask for".to_owned(),
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
    std::iter::once(read).chain(Operation::WRITING).map(of).collect()
}
