//! Which store a credential opens, and which others beside it.

use super::service::ServiceStore;
use super::shared::Shared;
use super::store::AzureStore;
use crate::client::Client;
use crate::open::Endpoints;
use crate::store::Store;
use crate::url::host;
use lidless_core::{Access, Auth, AzureService, Gap};
use std::sync::Arc;

/// The store of the service that the access is for.
pub(crate) fn open(client: &Arc<Client>, access: &Access) -> Arc<dyn Store> {
    let (client, access) = (Arc::clone(client), access.clone());
    match access.azure_service() {
        AzureService::Blob => Arc::new(AzureStore::new(client, access)),
        service => Arc::new(ServiceStore::new(Shared::new(client, access), service)),
    }
}

/// Where a service was said to be.
pub(crate) fn endpoint(endpoints: &Endpoints, service: AzureService) -> Option<&str> {
    match service {
        AzureService::Blob => endpoints.azure.as_deref(),
        _ => endpoints.azure_services.get(service.label()).map(String::as_str),
    }
}

/// The other services that the credential of a store opens. One whose address is not known (an
/// emulator's, when its endpoint was not given) is none: nothing is asked of an address that
/// nobody named.
pub(crate) fn others(shared: &Shared) -> Vec<Arc<dyn Store>> {
    let access = &shared.access;
    let services = access.azure_services().into_iter().filter(|one| *one != shared.service);
    let mut found = Vec::new();
    for service in services {
        match sibling(shared, service) {
            Some(access) => found.push(open(&shared.client, &access)),
            None => {
                let place = format!("{}://{}", service.scheme(), access.account);
                let label = service.label();
                let reason = format!(
                    "the {label} service of the account, which the credential opens as well, \
                     not asked: its address is not known (--endpoint azure-{label}=URL)"
                );
                shared.include.note(Gap::new(place, reason, None));
            }
        }
    }
    found
}

/// The way into another service of the same account.
fn sibling(shared: &Shared, service: AzureService) -> Option<Access> {
    let access = &shared.access;
    let endpoints = shared.client.endpoints();
    let given = endpoint(endpoints, service);
    let own_given = endpoint(endpoints, shared.service).is_some();
    let labelled = AzureService::of_host(&host(&access.origin)).is_some();
    let origin = match given {
        // The host of an endpoint says nothing of the service: the name of a cloud's does.
        Some(_) => format!("https://{}.{}.core.windows.net", access.account, service.label()),
        None if own_given || !labelled => return None,
        None => {
            let own = format!(".{}.", shared.service.label());
            access.origin.replacen(&own, &format!(".{}.", service.label()), 1)
        }
    };
    let auth: Auth = access.auth.clone();
    Some(Access { origin, path_style: false, container: None, key: None, auth, ..access.clone() })
}
