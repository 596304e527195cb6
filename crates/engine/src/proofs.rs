//! What each grant declares beside what reads have shown, a row an operation.

use lidless_core::{
    Access, AzureService, Grant, GrantStatus, Proof, Provider, ServiceSeen, Timestamp,
};
use lidless_token::{Credential, KeyRing};

/// Operations that reads can show, by service: the words of the grant, and what shows them.
const READS: [(AzureService, &str, Shown); 10] = [
    (AzureService::Blob, "list containers", Shown::Containers),
    (AzureService::Blob, "list blobs", Shown::Names),
    (AzureService::Blob, "read blobs", Shown::Content),
    (AzureService::File, "list shares", Shown::Containers),
    (AzureService::File, "list files", Shown::Names),
    (AzureService::File, "read files", Shown::Content),
    (AzureService::Queue, "list queues", Shown::Containers),
    (AzureService::Queue, "peek at queue messages", Shown::Content),
    (AzureService::Table, "list tables", Shown::Containers),
    (AzureService::Table, "query table rows", Shown::Content),
];

#[derive(Debug, Clone, Copy)]
enum Shown {
    Containers,
    Names,
    Content,
}

/// The rows of a grant that was asked about; none for providers whose operations are not told
/// apart.
pub(crate) fn proofs(credential: &Credential, grant: &Grant, now: Timestamp) -> Vec<Proof> {
    if grant.provider != Provider::Azure || grant.observed.is_none() {
        return Vec::new();
    }
    let Some(access) = credential.access() else { return Vec::new() };
    let rows = credential.explain(now, &KeyRing::default()).operations;
    let mut proofs = Vec::new();
    for (service, what, shown) in READS {
        if !access.azure_services().contains(&service) {
            continue;
        }
        let declared = match credential {
            Credential::AzureKey(_) => Some(true),
            Credential::AzureSas(_) if grant.permissions.is_some() => {
                Some(rows.iter().any(|row| row.service == service.label() && row.what == what))
            }
            _ => None,
        };
        let seen = seen(grant, &access, service);
        let observed = seen.as_ref().and_then(|seen| match shown {
            Shown::Containers => seen.can_list_containers,
            Shown::Names => seen.can_list,
            Shown::Content => seen.can_read,
        });
        if declared != Some(false) || observed.is_some() {
            let why = why(grant, declared, observed, seen.as_ref());
            proofs.push(Proof { operation: what.to_owned(), declared, observed, why });
        }
    }
    let changes: Vec<_> = rows.into_iter().filter(|row| row.changes).collect();
    let mut named: Vec<String> = (changes.iter())
        .map(|row| match changes.iter().filter(|other| other.what == row.what).count() {
            0 | 1 => row.what.clone(),
            // The same words for several services.
            _ => format!("{} of the {} service", row.what, row.service),
        })
        .collect();
    if matches!(credential, Credential::AzureKey(_)) {
        // A key has no table of operations: it may do all of them.
        named.extend(grant.operations.iter().cloned());
    }
    for operation in named {
        let why = "declared, and never tried: it would change something".to_owned();
        proofs.push(Proof { operation, declared: Some(true), observed: None, why });
    }
    proofs
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

fn why(
    grant: &Grant,
    declared: Option<bool>,
    observed: Option<bool>,
    seen: Option<&ServiceSeen>,
) -> String {
    let meaning = seen.and_then(|seen| seen.meaning.clone());
    match (observed, declared) {
        (Some(true), Some(false)) => "a read showed it, though it is not declared".to_owned(),
        (Some(true), _) => "a read showed it".to_owned(),
        (Some(false), Some(true)) => {
            format!(
                "declared, but refused: {}",
                meaning.unwrap_or_else(|| "no reason given".into())
            )
        }
        (Some(false), _) => "refused".to_owned(),
        (None, _) if grant.status != GrantStatus::Live => {
            format!("not asked any further: {}", meaning.unwrap_or_else(|| "no answer".into()))
        }
        (None, _) if seen.is_none() => {
            "not asked: where that service is is not known (--endpoint azure-SERVICE=URL)"
                .to_owned()
        }
        (None, _) => "not shown: nothing of that kind was there to ask for".to_owned(),
    }
}
