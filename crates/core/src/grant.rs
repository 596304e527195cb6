//! What the holder of a lead can do.

use crate::older_rights::StoredObserved;
use crate::right::Right;
use crate::severity::Severity;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Who runs the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Microsoft Azure, its sovereign clouds and emulators.
    Azure,
    /// Amazon S3 and what speaks its language.
    Aws,
    /// Google Cloud Storage.
    Gcs,
    /// Alibaba Cloud OSS.
    Oss,
    /// Any other web server.
    Http,
}

/// How access is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each name is the contract's own word and says what it is")]
pub enum Mechanism {
    AzureAccountSas,
    AzureServiceSas,
    AzureUserDelegationSas,
    AzureAccountKey,
    AzureAnonymous,
    S3PresignedV4,
    S3PresignedV2,
    AwsAccessKey,
    S3Anonymous,
    GcsSignedV4,
    GcsSignedV2,
    GcsHmacKey,
    GcsServiceAccount,
    GcsAccessToken,
    GcsAnonymous,
    OssPresignedV1,
    OssPresignedV4,
    Http,
}

impl Mechanism {
    /// The word used in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AzureAccountSas => "azure_account_sas",
            Self::AzureServiceSas => "azure_service_sas",
            Self::AzureUserDelegationSas => "azure_user_delegation_sas",
            Self::AzureAccountKey => "azure_account_key",
            Self::AzureAnonymous => "azure_anonymous",
            Self::S3PresignedV4 => "s3_presigned_v4",
            Self::S3PresignedV2 => "s3_presigned_v2",
            Self::AwsAccessKey => "aws_access_key",
            Self::S3Anonymous => "s3_anonymous",
            Self::GcsSignedV4 => "gcs_signed_v4",
            Self::GcsSignedV2 => "gcs_signed_v2",
            Self::GcsHmacKey => "gcs_hmac_key",
            Self::GcsServiceAccount => "gcs_service_account",
            Self::GcsAccessToken => "gcs_access_token",
            Self::GcsAnonymous => "gcs_anonymous",
            Self::OssPresignedV1 => "oss_presigned_v1",
            Self::OssPresignedV4 => "oss_presigned_v4",
            Self::Http => "http",
        }
    }

    /// The words a person uses.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::AzureAccountSas => "account SAS",
            Self::AzureServiceSas => "service SAS",
            Self::AzureUserDelegationSas => "user delegation SAS",
            Self::AzureAccountKey => "account key",
            Self::AzureAnonymous | Self::S3Anonymous | Self::GcsAnonymous => "public link",
            Self::S3PresignedV4 => "presigned URL (V4)",
            Self::S3PresignedV2 => "presigned URL (V2)",
            Self::AwsAccessKey => "access key",
            Self::GcsSignedV4 => "signed URL (V4)",
            Self::GcsSignedV2 => "signed URL (V2)",
            Self::GcsHmacKey => "HMAC key",
            Self::GcsServiceAccount => "service account key",
            Self::GcsAccessToken => "access token",
            Self::OssPresignedV1 => "presigned URL (V1)",
            Self::OssPresignedV4 => "presigned URL (V4)",
            Self::Http => "web link",
        }
    }
}

/// How far a grant reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantScope {
    /// The whole storage account.
    Account,
    /// One container, bucket, share, queue or table.
    Container,
    /// One directory and what is below it.
    Directory,
    /// One object.
    Object,
    /// One version of an object.
    Version,
    /// One snapshot of an object.
    Snapshot,
    /// One queue.
    Queue,
    /// One table, or a range of it.
    Table,
    /// One file share.
    Share,
    /// Cannot be told offline.
    Unknown,
}

/// What may be done, in words; the order is that of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each name is the contract's own word and says what it is")]
pub enum Permission {
    Read,
    List,
    Write,
    Create,
    Add,
    Delete,
    DeleteVersion,
    PermanentDelete,
    Tags,
    Filter,
    Move,
    Execute,
    Ownership,
    Permissions,
    Immutability,
    Update,
    Process,
}

impl Permission {
    /// The word used in every format.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::List => "list",
            Self::Write => "write",
            Self::Create => "create",
            Self::Add => "add",
            Self::Delete => "delete",
            Self::DeleteVersion => "delete_version",
            Self::PermanentDelete => "permanent_delete",
            Self::Tags => "tags",
            Self::Filter => "filter",
            Self::Move => "move",
            Self::Execute => "execute",
            Self::Ownership => "ownership",
            Self::Permissions => "permissions",
            Self::Immutability => "immutability",
            Self::Update => "update",
            Self::Process => "process",
        }
    }
}

/// Whether a grant works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GrantStatus {
    /// The service accepted it.
    Live,
    /// Its time is over.
    Expired,
    /// The service rejects its signature, key or policy.
    Revoked,
    /// The service refuses for another reason (network rules, public access off).
    Denied,
    /// Not asked, or the answer decides nothing.
    Unknown,
}

impl GrantStatus {
    /// The word used in every format.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Denied => "denied",
            Self::Unknown => "unknown",
        }
    }
}

/// What read-only probes saw. Null means not tested.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "StoredObserved")]
pub struct Observed {
    /// When it was asked.
    pub checked_at: Option<Timestamp>,
    /// Containers could be listed.
    pub can_list_containers: Option<bool>,
    /// Objects could be listed.
    pub can_list: Option<bool>,
    /// Content could be read.
    pub can_read: Option<bool>,
    /// It answers to strangers without the credential.
    pub public: Option<bool>,
    /// The HTTP status that decided.
    pub http_status: Option<u16>,
    /// The service's error code that decided.
    pub error_code: Option<String>,
    /// What the answer means, in words.
    pub meaning: Option<String>,
    /// What was seen of the other services that the credential opens, by their labels: `file`,
    /// `queue`, `table`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, ServiceSeen>,
    /// What is proved, only declared, refused, or unknown and why: a row for each party, place and
    /// operation, sorted.
    pub rights: Vec<Right>,
}

/// What read-only probes saw of one service. Null means not tested.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ServiceSeen {
    /// Shares, queues or tables could be listed.
    pub can_list_containers: Option<bool>,
    /// What is in one could be listed.
    pub can_list: Option<bool>,
    /// Content could be read.
    pub can_read: Option<bool>,
    /// What the answers mean, in words.
    pub meaning: Option<String>,
}

/// Something wrong with a grant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// `sas.account_scope`, `sas.lifetime_over_year`, ...
    pub rule: String,
    /// How bad.
    pub severity: Severity,
    /// What is wrong and what to do instead, in a sentence or two.
    pub message: String,
    /// Where the service's own documentation says why; absent in older cases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// Whether the signature was checked against keys the user gave.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SignatureCheck {
    /// True: a given key made it. False: none of the given keys did. Null: no keys given.
    pub verified: Option<bool>,
    /// `key1` or `key2`.
    pub key: Option<String>,
    /// SHA-256 of the decoded signature text in upper-case hex, as access logs write it.
    pub log_hash: Option<String>,
}

/// What the holder of a lead can do. Declared and observed are kept apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Depends on the credential only.
    pub id: String,
    /// Who runs the store.
    pub provider: Provider,
    /// How access is given.
    pub mechanism: Mechanism,
    /// The canonical place: `az://ACCOUNT[/CONTAINER[/PATH]]`, `s3://BUCKET[/KEY]`, ...
    pub resource: String,
    /// How far it reaches.
    pub scope: GrantScope,
    /// What it declares; null when only a stored policy or the service knows.
    pub permissions: Option<Vec<Permission>>,
    /// What the holder can do, in words.
    pub operations: Vec<String>,
    /// From when.
    pub starts: Option<Timestamp>,
    /// Until when.
    pub expires: Option<Timestamp>,
    /// `https`, `http`.
    pub protocols: Vec<String>,
    /// The addresses it is bound to.
    pub ip: Option<String>,
    /// The stored access policy it hangs on.
    pub identifier: Option<String>,
    /// Enough to recognise the key that signed it: `key1 of contoso`, `AKIA…MPLE`.
    pub key_hint: Option<String>,
    /// Services an account SAS opens: `blob`, `file`, `queue`, `table`.
    pub services: Vec<String>,
    /// The service version the token was signed for.
    pub version: Option<String>,
    /// Whether its signature was checked.
    pub signature: SignatureCheck,
    /// Whether it works.
    pub status: GrantStatus,
    /// What probes saw; null when none were sent.
    pub observed: Option<Observed>,
    /// How it can be taken back, in a sentence.
    pub revocation: String,
    /// What is wrong with it, worst first.
    pub problems: Vec<Problem>,
    /// By capability, never by content.
    pub severity: Severity,
    /// The lines that made the severity.
    pub why: Vec<String>,
}

impl Grant {
    /// True when it declares the permission, or when what it declares is unknown.
    #[must_use]
    pub fn may(&self, permission: Permission) -> Option<bool> {
        self.permissions.as_ref().map(|declared| declared.contains(&permission))
    }
}
