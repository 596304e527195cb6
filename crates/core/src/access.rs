//! What a read-only client needs to open a store: the bridge from a credential to a request.

use crate::grant::Provider;
use crate::secret::Secret;

/// How requests are authorised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// Not at all.
    Anonymous,
    /// By query parameters appended as they stand: a SAS or the signature part of a presigned
    /// URL, percent-encoded as found, without a leading `?`.
    Query(Secret),
    /// By signing each request with a key: for Azure the base64 account key (Shared Key).
    Key {
        /// Account name or access key id.
        id: String,
        /// The key as its owner writes it.
        key: Secret,
        /// The session token that a temporary key of AWS works with.
        session: Option<Secret>,
    },
    /// By an OAuth access token of Google, as it is.
    Token(Secret),
    /// By tokens that the key of a service account of Google signs.
    ServiceAccount {
        /// Its address: `NAME@PROJECT.iam.gserviceaccount.com`.
        email: String,
        /// Which of its keys it is, as the key file says.
        key_id: Option<String>,
        /// The private key, in PEM.
        key: Secret,
    },
}

/// One way into one store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Who runs the store.
    pub provider: Provider,
    /// Scheme and authority as found, without a path: `https://contoso.blob.core.windows.net`,
    /// `http://127.0.0.1:10000`.
    pub origin: String,
    /// True when the account is the first part of the path, as emulators have it.
    pub path_style: bool,
    /// Account (Azure), or empty where containers live without one.
    pub account: String,
    /// Container or bucket, when the credential or the link names one.
    pub container: Option<String>,
    /// Key or prefix inside it, decoded, when the credential or the link names one.
    pub key: Option<String>,
    /// How requests are authorised.
    pub auth: Auth,
}

impl Access {
    /// The store without its containers, as places write it: `az://contoso`,
    /// `az+queue://contoso`, `s3:/`, `gs:/`, `https:/`.
    ///
    /// Joined with `/CONTAINER/KEY` it is the place of an object.
    #[must_use]
    pub fn store(&self) -> String {
        match self.provider {
            Provider::Azure => {
                format!("{}://{}", self.azure_service().scheme(), self.account)
            }
            Provider::Aws => "s3:/".to_owned(),
            Provider::Gcs => "gs:/".to_owned(),
            Provider::Oss => "oss:/".to_owned(),
            // The container of a web server is its host and port.
            Provider::Http => {
                let scheme = self.origin.split_once("://").map_or("http", |(scheme, _)| scheme);
                format!("{scheme}:/")
            }
        }
    }
}
