//! What the service does with a request.

use crate::account::Account;
use crate::auth::{Caller, Need};
use crate::blob::{Blob, Tier};
use crate::contents::{Container, Contents};
use crate::listing;
use crate::random::{Random, word};
use crate::range;
use crate::refusal::Refusal;
use crate::request::Request;
use crate::response::{Body, Response};
use crate::xml::{HEAD, http_date};
use jiff::Timestamp;
use lidless_core::{BlobType, PublicAccess};
use std::fmt::Write;
use std::net::IpAddr;

const SERVICE: Need =
    Need { level: Some('s'), permission: Some('l'), public: None, by_service_sas: false };
const LIST: Need = Need {
    level: Some('c'),
    permission: Some('l'),
    public: Some(PublicAccess::Container),
    by_service_sas: true,
};
const READ: Need = Need {
    level: Some('o'),
    permission: Some('r'),
    public: Some(PublicAccess::Blob),
    by_service_sas: true,
};

/// The account, its contents, its clock: everything an answer depends on.
pub(crate) struct Service {
    pub(crate) account: Account,
    pub(crate) contents: Contents,
    pub(crate) endpoint: String,
    pub(crate) now: Box<dyn Fn() -> Timestamp + Send + Sync>,
}

impl Service {
    /// The answer to `request`, the `number`th of this server.
    pub(crate) fn answer(&self, request: &Request, peer: IpAddr, number: u64) -> Response {
        let now = (self.now)();
        let request_id = Random::named(&format!("request {}", word(number, 0))).uuid();
        let mut response = self
            .dispatch(request, peer, now)
            .unwrap_or_else(|refusal| refusal.into_response(&request_id, now));
        let version = request.header("x-ms-version").unwrap_or("2021-12-02");
        response.headers.extend([
            ("Server", "Windows-Azure-Blob/1.0 lidless-replica".to_owned()),
            ("x-ms-request-id", request_id),
            ("x-ms-version", version.to_owned()),
            ("Date", http_date(now)),
        ]);
        if let Some(id) = request.header("x-ms-client-request-id") {
            response.headers.push(("x-ms-client-request-id", id.chars().take(1024).collect()));
        }
        response
    }

    fn dispatch(
        &self,
        request: &Request,
        peer: IpAddr,
        now: Timestamp,
    ) -> Result<Response, Refusal> {
        if request.method != "GET" && request.method != "HEAD" {
            return Err(Refusal::new(
                405,
                "UnsupportedHttpVerb",
                "The resource doesn't support the specified HTTP verb.",
            ));
        }
        let (account, container_name, key) = request.target();
        if account != self.account.name {
            return Err(Refusal::new(
                404,
                "ResourceNotFound",
                "The specified resource does not exist.",
            ));
        }
        let container = self.contents.container(&container_name);
        let caller = Caller {
            account: &self.account,
            request,
            container_name: &container_name,
            key: &key,
            container,
            peer,
            now,
        };
        let parameter = |name| request.parameter(name).unwrap_or_default();
        let blob = |caller: &Caller<'_>| -> Result<Blob, Refusal> {
            caller.authorize(READ)?;
            let container = container.ok_or_else(Refusal::container_not_found)?;
            let blob = container.find(&key).ok_or_else(Refusal::blob_not_found)?;
            Ok(blob.into_owned())
        };
        match (parameter("restype"), parameter("comp")) {
            ("account", "properties") => {
                caller.authorize(Need {
                    level: None,
                    permission: None,
                    public: None,
                    by_service_sas: !container_name.is_empty(),
                })?;
                Ok(Response::empty(vec![
                    ("x-ms-sku-name", "Standard_LRS".to_owned()),
                    ("x-ms-account-kind", "StorageV2".to_owned()),
                    ("x-ms-is-hns-enabled", "false".to_owned()),
                ]))
            }
            ("service", "properties") if container_name.is_empty() => {
                caller.authorize(Need { permission: Some('r'), ..SERVICE })?;
                Ok(Response::xml(service_properties()))
            }
            ("", "list") if container_name.is_empty() => {
                caller.authorize(SERVICE)?;
                listing::containers(&self.endpoint, &self.contents, request).map(Response::xml)
            }
            ("container", "list") if key.is_empty() && !container_name.is_empty() => {
                caller.authorize(LIST)?;
                let container = container.ok_or_else(Refusal::container_not_found)?;
                listing::blobs(&self.endpoint, container, request).map(Response::xml)
            }
            ("container", "" | "metadata") if key.is_empty() && !container_name.is_empty() => {
                // A service SAS can read no container properties; strangers can, of one that
                // they may list.
                caller.authorize(Need { permission: Some('r'), by_service_sas: false, ..LIST })?;
                let container = container.ok_or_else(Refusal::container_not_found)?;
                Ok(container_properties(container))
            }
            // No SAS reads access policies, and nothing here needs to.
            ("container", "acl") => Err(Refusal::authorization("AuthorizationFailure")),
            ("", "pagelist") if !key.is_empty() => page_list(&blob(&caller)?, request),
            ("", "" | "metadata") if !key.is_empty() => {
                let blob = blob(&caller)?;
                conditions(&blob, request)?;
                if request.method == "HEAD" || parameter("comp") == "metadata" {
                    return Ok(blob_properties(&blob, request.method == "HEAD"));
                }
                blob_content(&blob, request)
            }
            ("", "") if container_name.is_empty() => Err(Refusal::query(
                "Value for one of the query parameters specified in the request URI is invalid.",
            )),
            ("", "") => {
                // One segment names a blob of the root container, which this account has not.
                caller.authorize(READ)?;
                Err(Refusal::container_not_found())
            }
            _ => Err(Refusal::query(
                "Value for one of the query parameters specified in the request URI is invalid.",
            )),
        }
    }
}

fn service_properties() -> String {
    format!(
        "{HEAD}<StorageServiceProperties><Logging><Version>1.0</Version><Read>false</Read>\
         <Write>false</Write><Delete>false</Delete><RetentionPolicy><Enabled>false</Enabled>\
         </RetentionPolicy></Logging><DeleteRetentionPolicy><Enabled>false</Enabled>\
         </DeleteRetentionPolicy></StorageServiceProperties>"
    )
}

fn container_properties(container: &Container) -> Response {
    let mut headers = vec![
        ("Last-Modified", http_date(container.modified)),
        ("x-ms-lease-state", "available".to_owned()),
        ("x-ms-lease-status", "unlocked".to_owned()),
    ];
    if container.public != PublicAccess::None {
        let level = container.public.as_str().to_owned();
        headers.push(("x-ms-blob-public-access", level));
    }
    Response::empty(headers)
}

fn conditions(blob: &Blob, request: &Request) -> Result<(), Refusal> {
    let etag = blob.etag();
    let names_it = |header: &str| {
        header
            .split(',')
            .map(|tag| tag.trim().trim_matches('"'))
            .any(|tag| tag == "*" || tag == etag)
    };
    if request.header("if-match").is_some_and(|it| !names_it(it)) {
        return Err(Refusal::new(
            412,
            "ConditionNotMet",
            "The condition specified using HTTP conditional header(s) is not met.",
        ));
    }
    if request.header("if-none-match").is_some_and(names_it) {
        return Err(Refusal::new(
            304,
            "ConditionNotMet",
            "The condition specified using HTTP conditional header(s) is not met.",
        ));
    }
    Ok(())
}

fn headers_of(blob: &Blob) -> Vec<(&'static str, String)> {
    let mut headers = vec![
        ("Content-Type", blob.content_type.to_owned()),
        ("Last-Modified", http_date(blob.modified)),
        ("ETag", format!("\"{}\"", blob.etag())),
        ("Accept-Ranges", "bytes".to_owned()),
        ("x-ms-creation-time", http_date(blob.created)),
        ("x-ms-lease-state", "available".to_owned()),
        ("x-ms-lease-status", "unlocked".to_owned()),
        ("x-ms-server-encrypted", "true".to_owned()),
    ];
    match blob.blob_type {
        BlobType::Block => {
            headers.push(("x-ms-blob-type", "BlockBlob".to_owned()));
            headers.push(("x-ms-access-tier", blob.tier.as_str().to_owned()));
        }
        BlobType::Page => {
            headers.push(("x-ms-blob-type", "PageBlob".to_owned()));
            headers.push(("x-ms-blob-sequence-number", "0".to_owned()));
        }
        BlobType::Append => headers.push(("x-ms-blob-type", "AppendBlob".to_owned())),
    }
    headers
}

/// Get Blob Properties: the length is told and nothing is sent. With GET (`comp=metadata`) the
/// body is empty and its length says so.
fn blob_properties(blob: &Blob, head: bool) -> Response {
    Response {
        status: 200,
        headers: headers_of(blob),
        body: Body::Part {
            source: blob.source.clone(),
            start: 0,
            length: if head { blob.source.size() } else { 0 },
        },
    }
}

fn blob_content(blob: &Blob, request: &Request) -> Result<Response, Refusal> {
    if blob.tier == Tier::Archive {
        return Err(Refusal::new(
            409,
            "BlobArchived",
            "This operation is not permitted on an archived blob.",
        ));
    }
    let size = blob.source.size();
    let header = request.header("x-ms-range").or(request.header("range"));
    let range = range::requested(header, size)?;
    let (start, end) = range.unwrap_or((0, size));
    let mut headers = headers_of(blob);
    if range.is_some() {
        let last = end.saturating_sub(1);
        headers.push(("Content-Range", format!("bytes {start}-{last}/{size}")));
    }
    Ok(Response {
        status: if range.is_some() { 206 } else { 200 },
        headers,
        body: Body::Part { source: blob.source.clone(), start, length: end.saturating_sub(start) },
    })
}

fn page_list(blob: &Blob, request: &Request) -> Result<Response, Refusal> {
    if blob.blob_type != BlobType::Page {
        return Err(Refusal::new(
            409,
            "InvalidBlobType",
            "The blob type is invalid for this operation.",
        ));
    }
    conditions(blob, request)?;
    let size = blob.source.size();
    let header = request.header("x-ms-range").or(request.header("range"));
    let (from, to) = range::requested(header, size)?.unwrap_or((0, size));
    let mut body = format!("{HEAD}<PageList>");
    for (start, end) in blob.source.pages() {
        let (start, end) = (start.max(from), end.min(to));
        if start < end {
            let last = end.saturating_sub(1);
            let _ = write!(body, "<PageRange><Start>{start}</Start><End>{last}</End></PageRange>");
        }
    }
    body.push_str("</PageList>");
    let mut response = Response::xml(body);
    response.headers.extend([
        ("Last-Modified", http_date(blob.modified)),
        ("ETag", format!("\"{}\"", blob.etag())),
        ("x-ms-blob-content-length", size.to_string()),
    ]);
    Ok(response)
}
