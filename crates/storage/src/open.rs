//! The table of providers.

use crate::azure;
use crate::client::Client;
use crate::gcs::GcsStore;
use crate::http::HttpStore;
use crate::s3::S3Store;
use crate::store::{StorageError, StorageErrorKind, Store};
use crate::url::host;
use lidless_core::{Access, Auth, Provider, Touch};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where services are, when not where they usually are: path-style, for emulators and private
/// clouds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// Azure blobs: `http://127.0.0.1:10000`, the account is the first part of the path.
    pub azure: Option<String>,
    /// The other services of Azure by their labels in host names (`file`, `queue`,
    /// `table`): path-style as well. Where `azure` is given, only those that are given are asked.
    pub azure_services: BTreeMap<String, String>,
    /// S3.
    pub s3: Option<String>,
    /// The region that signatures name where the host of an S3 service does not tell it.
    pub s3_region: Option<String>,
    /// Google Cloud Storage.
    pub gcs: Option<String>,
    /// Issuers of credentials, by the name their rules give them: `github`.
    pub issuers: BTreeMap<String, String>,
}

/// Opens a store. Sends nothing by itself.
///
/// # Errors
/// `Unsupported` for providers there is no client for.
pub fn open(client: &Arc<Client>, access: &Access) -> Result<Arc<dyn Store>, StorageError> {
    match access.provider {
        Provider::Azure => Ok(azure::open(client, access)),
        // What is signed is signed for the interface in XML.
        Provider::Gcs if !matches!(access.auth, Auth::Key { .. } | Auth::Query(_)) => {
            Ok(Arc::new(GcsStore::new(Arc::clone(client), access.clone())))
        }
        Provider::Aws | Provider::Gcs => {
            Ok(Arc::new(S3Store::new(Arc::clone(client), access.clone())))
        }
        Provider::Http => Ok(Arc::new(HttpStore::new(Arc::clone(client), access.clone()))),
        Provider::Oss => Err(StorageError {
            kind: StorageErrorKind::Unsupported,
            message: "this version follows Azure, S3, Google Cloud storage and web servers".into(),
            status: None,
            code: None,
        }),
    }
}

/// What following an access would touch first: the host the requests go to, and the part of the
/// store they are about.
#[must_use]
pub fn touch(access: &Access, endpoints: &Endpoints) -> Touch {
    let endpoint = match access.provider {
        Provider::Azure => azure::endpoint(endpoints, access.azure_service()),
        Provider::Aws => endpoints.s3.as_deref(),
        Provider::Gcs => endpoints.gcs.as_deref(),
        Provider::Oss | Provider::Http => None,
    };
    let path = match (&access.container, &access.key) {
        (Some(container), Some(key)) => format!("{container}/{key}"),
        (Some(container), None) => container.clone(),
        (None, _) => String::new(),
    };
    Touch { host: host(endpoint.unwrap_or(&access.origin)), store: Some(access.store()), path }
}
