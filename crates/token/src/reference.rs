//! Where to read more about each rule.

/// Rules by the beginning of their id, the first that fits, and the page of the service's own
/// documentation that says why.
const REFERENCES: [(&str, &str); 15] = [
    (
        "sas.account_scope",
        "https://learn.microsoft.com/rest/api/storageservices/create-account-sas",
    ),
    ("sas.account_list", "https://learn.microsoft.com/rest/api/storageservices/create-account-sas"),
    ("sas.lifetime", "https://learn.microsoft.com/azure/storage/common/sas-expiration-policy"),
    ("sas.no_start", "https://learn.microsoft.com/azure/storage/common/sas-expiration-policy"),
    (
        "sas.no_policy",
        "https://learn.microsoft.com/rest/api/storageservices/define-stored-access-policy",
    ),
    (
        "sas.policy",
        "https://learn.microsoft.com/rest/api/storageservices/define-stored-access-policy",
    ),
    (
        "sas.delegation",
        "https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas",
    ),
    (
        "sas.service_properties",
        "https://learn.microsoft.com/rest/api/storageservices/set-blob-service-properties",
    ),
    (
        "sas.permanent_delete",
        "https://learn.microsoft.com/azure/storage/blobs/soft-delete-blob-overview",
    ),
    (
        "sas.old_version",
        "https://learn.microsoft.com/rest/api/storageservices/versioning-for-the-azure-storage-services",
    ),
    (
        "sas.",
        "https://learn.microsoft.com/azure/storage/common/storage-sas-overview#best-practices-when-using-sas",
    ),
    ("key.published", "https://learn.microsoft.com/azure/storage/common/storage-use-azurite"),
    (
        "key.account_key",
        "https://learn.microsoft.com/azure/storage/common/shared-key-authorization-prevent",
    ),
    ("key.", "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html"),
    (
        "presigned.",
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html",
    ),
];

/// The page for a rule; none when there is none.
pub(crate) fn reference(rule: &str) -> Option<String> {
    REFERENCES.iter().find(|(start, _)| rule.starts_with(start)).map(|(_, page)| (*page).to_owned())
}
