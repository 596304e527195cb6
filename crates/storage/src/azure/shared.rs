//! What every service of an account shares: one credential, one way to ask.

use super::address::Address;
use super::include::Include;
use super::query::{Query, credential};
use super::sign::{authorization, http_date, table_authorization};
use crate::client::{Answer, Ask, Client, Verb};
use crate::content::shown_place;
use crate::store::{StorageError, StorageErrorKind};
use crate::url::{host, query};
use lidless_core::{Access, Auth, AzureService, Secret, Timestamp, Touch};
use lidless_io::Link;
use std::sync::{Arc, Mutex, PoisonError};

/// The version that requests speak: the newest that every emulator and sovereign cloud speaks and
/// that lists everything read here.
const VERSION: &str = "2021-08-06";
/// Tables have versions of their own.
const TABLE_VERSION: &str = "2019-02-02";
/// The oldest token that lets a request speak another version than its own (`sv`).
const OLDEST_FREE_TOKEN: &str = "2015-04-05";

/// What makes a look at messages of the request for them.
pub(super) const PEEK: &str = "peekonly=true";

/// What every request of a store needs.
pub(crate) struct Shared {
    pub(crate) client: Arc<Client>,
    pub(crate) access: Access,
    pub(crate) service: AzureService,
    pub(crate) name: String,
    address: Address,
    /// What listings ask for, and what is known to be left out.
    pub(crate) include: Include,
    /// The text that the service said it signed, when it rejected a signature.
    heard: Mutex<Option<String>>,
    /// What requests to this account cost, measured on the way.
    pub(crate) link: Link,
}

impl Shared {
    /// A way into the service that the access is for.
    pub(crate) fn new(client: Arc<Client>, access: Access) -> Self {
        let service = access.azure_service();
        let name = access.store();
        let address = Address::new(&access, super::endpoint(client.endpoints(), service));
        let tags = match &access.auth {
            Auth::Query(sas) => parameter(sas, "sp").is_none_or(|letters| letters.contains('t')),
            Auth::Key { .. } => true,
            Auth::Anonymous | Auth::Token(_) | Auth::ServiceAccount { .. } => false,
        };
        let include = Include::new(tags);
        let (heard, link) = (Mutex::default(), Link::default());
        Self { client, access, service, name, address, include, heard, link }
    }

    /// Sends one request.
    pub(crate) fn ask(
        &self,
        verb: Verb,
        about: &Query,
        mut headers: Vec<(&'static str, String)>,
        what: &str,
        limit: u64,
    ) -> Result<Answer, StorageError> {
        let origin = self.address.origin();
        let target = self.address.target(&about.resource);
        if takes_messages(self.service, &about.resource, &about.parameters) {
            return Err(StorageError {
                kind: StorageErrorKind::Unsupported,
                message: format!("cannot {what}: it would take messages out of the queue"),
                status: None,
                code: None,
            });
        }
        let mut parameters = about.parameters.clone();
        if self.may_be_a_queue(&about.resource) {
            // Blobs do not know the word; a queue that is taken for one keeps its messages.
            let joint = if parameters.is_empty() { "" } else { "&" };
            parameters.push_str(&format!("{joint}{PEEK}"));
        }
        let mut full = parameters.clone();
        if self.chooses_version() {
            let tables = self.service == AzureService::Table;
            let version = if tables { TABLE_VERSION } else { VERSION };
            headers.push(("x-ms-version", version.into()));
        }
        headers.push(self.client.request_id());
        match &self.access.auth {
            Auth::Query(sas) => {
                // A state that the request names is not named twice.
                let own = self.is_own(about) && !names_a_state(&about.parameters);
                if !full.is_empty() {
                    full.push('&');
                }
                full.push_str(&credential(sas.expose(), own));
            }
            // Tokens of another provider are never sent here.
            Auth::Anonymous | Auth::Token(_) | Auth::ServiceAccount { .. } => {}
            Auth::Key { id, key, .. } => {
                headers.push(("x-ms-date", http_date(Timestamp::now())));
                let signed = match self.service {
                    AzureService::Table => {
                        table_authorization(verb, id, key, &headers, &target, &parameters)
                    }
                    _ => authorization(verb, id, key, &headers, &target, &parameters),
                };
                let signed = signed.ok_or_else(|| StorageError {
                    kind: StorageErrorKind::Denied,
                    message: format!("cannot {what}: the account key is not base64"),
                    status: None,
                    code: None,
                })?;
                headers.push(("authorization", signed));
            }
        }
        let url = if full.is_empty() {
            format!("{origin}{target}")
        } else {
            format!("{origin}{target}?{full}")
        };
        let touch = Touch {
            host: host(origin),
            store: Some(self.name.clone()),
            path: about.touched.clone(),
        };
        let locate = |url: &str| self.address.touch(url);
        let part_only = about.part_only;
        self.client.ask(&Ask { verb, url, headers, touch, what, limit, locate: &locate, part_only })
    }

    /// Whether a request for a blob would take messages out of a queue if that is what answers:
    /// a host that says nothing of its service may be a queue's.
    fn may_be_a_queue(&self, resource: &str) -> bool {
        self.service != AzureService::Queue
            && AzureService::of_host(&host(self.address.origin())).is_none()
            && is_messages(resource)
    }

    /// True when the request is about the blob that the link itself names.
    fn is_own(&self, about: &Query) -> bool {
        match (&self.access.container, &self.access.key) {
            (Some(container), Some(key)) => {
                about.is_blob && about.resource == format!("{container}/{key}")
            }
            _ => false,
        }
    }

    /// True when the request says which version it speaks. Older tokens fix it themselves, and a
    /// link may name one.
    pub(crate) fn chooses_version(&self) -> bool {
        match &self.access.auth {
            Auth::Anonymous | Auth::Key { .. } | Auth::Token(_) | Auth::ServiceAccount { .. } => {
                true
            }
            Auth::Query(_) => {
                self.sas("sv").is_some_and(|version| version.as_str() >= OLDEST_FREE_TOKEN)
                    && self.sas("api-version").is_none()
            }
        }
    }

    /// The account as places write it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Keeps the text that the service said it signed, unless it echoes the signature.
    pub(crate) fn heard(&self, text: String) {
        let signature = self.sas("sig").filter(|signature| !signature.is_empty());
        if let Some(signature) = signature {
            let encoded = query(&signature);
            if text.contains(&signature)
                || text.to_ascii_lowercase().contains(&encoded.to_ascii_lowercase())
            {
                return;
            }
        }
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
    }

    /// The text that the service said it signed.
    pub(crate) fn signed_text(&self) -> Option<String> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The place of a blob.
    pub(crate) fn place(&self, container: &str, key: &str) -> String {
        shown_place(&self.name, container, key)
    }

    /// The place that a request is about.
    pub(crate) fn place_of(&self, about: &Query) -> String {
        match about.touched.as_str() {
            "" => self.name.clone(),
            touched => format!("{}/{touched}", self.name),
        }
    }

    /// Whether the token declares a permission on a resource type; a token that leaves it to a
    /// stored policy may, an account key may everything.
    pub(crate) fn declares(&self, resource_type: char, permission: char) -> bool {
        let has = |name, letter| self.sas(name).is_none_or(|text| text.contains(letter));
        has("srt", resource_type) && has("sp", permission)
    }

    /// True when the requests go to this machine: emulators answer less exactly.
    pub(crate) fn is_local(&self) -> bool {
        self.address.is_loopback()
    }

    /// A parameter of the SAS, decoded.
    pub(crate) fn sas(&self, key: &str) -> Option<String> {
        let Auth::Query(sas) = &self.access.auth else { return None };
        parameter(sas, key)
    }
}

/// Whether a request would take messages out of a queue: a `GET` of messages does that unless it
/// says that it only peeks. No request of this program may.
fn takes_messages(service: AzureService, resource: &str, parameters: &str) -> bool {
    service == AzureService::Queue
        && resource.contains('/')
        && !parameters.split('&').any(|part| part == PEEK)
}

/// Whether a path is that of a queue's messages.
pub(super) fn is_messages(path: &str) -> bool {
    path.trim_end_matches('/')
        .split_once('/')
        .is_some_and(|(queue, rest)| !queue.is_empty() && rest.eq_ignore_ascii_case("messages"))
}

fn names_a_state(parameters: &str) -> bool {
    parameters
        .split('&')
        .any(|part| part.starts_with("snapshot=") || part.starts_with("versionid="))
}

fn parameter(sas: &Secret, key: &str) -> Option<String> {
    sas.expose().split('&').find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.eq_ignore_ascii_case(key)
            .then(|| percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned())
    })
}
