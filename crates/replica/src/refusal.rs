//! The ways the service says no.

use crate::response::{Body, Response};
use crate::xml;
use jiff::Timestamp;

/// A refused request: the service's status, code and words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: &'static str,
    pub(crate) detail: Option<String>,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: &'static str, message: &'static str) -> Self {
        Self { status, code, message, detail: None, headers: Vec::new() }
    }

    /// 403: the credential does not hold; `detail` says why.
    pub(crate) fn authentication(detail: String) -> Self {
        Self {
            detail: Some(detail),
            ..Self::new(
                403,
                "AuthenticationFailed",
                "Server failed to authenticate the request. Make sure the value of Authorization \
                 header is formed correctly including the signature.",
            )
        }
    }

    /// 403: the credential holds, and does not grant this; `code` says what is missing.
    pub(crate) fn authorization(code: &'static str) -> Self {
        let message = match code {
            "AuthorizationResourceTypeMismatch" => {
                "This request is not authorized to perform this operation using this resource type."
            }
            "AuthorizationPermissionMismatch" => {
                "This request is not authorized to perform this operation using this permission."
            }
            "AuthorizationServiceMismatch" => {
                "This request is not authorized to perform this operation using this service."
            }
            "AuthorizationProtocolMismatch" => {
                "This request is not authorized to perform this operation using this protocol."
            }
            "AuthorizationSourceIPMismatch" => {
                "This request is not authorized to perform this operation using this source IP."
            }
            _ => "This request is not authorized to perform this operation.",
        };
        Self::new(403, code, message)
    }

    /// 404, or 401 for clients new enough to be told: nothing here for strangers.
    pub(crate) fn anonymous(tells_how: bool) -> Self {
        if !tells_how {
            return Self::new(404, "ResourceNotFound", "The specified resource does not exist.");
        }
        let mut refusal = Self::new(
            401,
            "NoAuthenticationInformation",
            "Server failed to authenticate the request. Please refer to the information in the \
             www-authenticate header.",
        );
        refusal.headers.push((
            "WWW-Authenticate",
            "Bearer authorization_uri=https://login.example.com/00000000-0000-0000-0000-\
             000000000000/oauth2/authorize resource_id=https://storage.example.com"
                .to_owned(),
        ));
        refusal
    }

    pub(crate) fn container_not_found() -> Self {
        Self::new(404, "ContainerNotFound", "The specified container does not exist.")
    }

    pub(crate) fn blob_not_found() -> Self {
        Self::new(404, "BlobNotFound", "The specified blob does not exist.")
    }

    pub(crate) fn query(message: &'static str) -> Self {
        Self::new(400, "InvalidQueryParameterValue", message)
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The answer as the service words it.
    pub(crate) fn into_response(self, request_id: &str, now: Timestamp) -> Response {
        let mut body = format!(
            "{}<Error><Code>{}</Code><Message>{}\nRequestId:{request_id}\nTime:{now}</Message>",
            xml::HEAD,
            self.code,
            self.message,
        );
        if let Some(detail) = &self.detail {
            let detail = xml::escaped(detail);
            body.push_str("<AuthenticationErrorDetail>");
            body.push_str(&detail);
            body.push_str("</AuthenticationErrorDetail>");
        }
        body.push_str("</Error>");
        let mut headers = self.headers;
        headers.push(("x-ms-error-code", self.code.to_owned()));
        headers.push(("Content-Type", "application/xml".to_owned()));
        // 304 has no body by definition (RFC 9110 section 15.4.5).
        let body = if self.status == 304 {
            Body::Bytes(Vec::new())
        } else {
            Body::Bytes(body.into_bytes())
        };
        Response { status: self.status, headers, body }
    }
}
