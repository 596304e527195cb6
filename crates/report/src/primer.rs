//! What a credential of each kind is, for someone who has never met one.

use lidless_core::Mechanism;

/// A few sentences a paragraph: what it is, why it matters, what people get wrong.
pub(crate) fn primer(mechanism: Mechanism) -> &'static [&'static str] {
    match mechanism {
        Mechanism::AzureAccountSas
        | Mechanism::AzureServiceSas
        | Mechanism::AzureUserDelegationSas => &[
            "This is a shared access signature (SAS): a link to cloud storage that carries its \
             own permission. Whoever has the text can use it. There is no password and no \
             sign-in, and the owner is not asked.",
            "The words before sig= say what is allowed: on what, to do what, from when until \
             when. sig= is a seal over those words, made with a secret key of the storage \
             account. Change a letter and the seal no longer fits; but everything the words allow \
             is allowed to anyone who finds it, in a file, a chat, or the history of a repository.",
            "The owner has no list of the links that were made and cannot take back a single one, \
             unless it names a stored access policy (si=) or was signed for an identity (skoid=). \
             Otherwise the key itself has to be renewed, which ends every link it sealed.",
        ],
        Mechanism::AzureAccountKey => {
            &["This is the key of a whole storage account. It is not a link to something: it is \
             what links are made with. Its holder can read, change and delete everything, and \
             make new links that nobody can list."]
        }
        Mechanism::S3PresignedV4
        | Mechanism::S3PresignedV2
        | Mechanism::GcsSignedV4
        | Mechanism::GcsSignedV2
        | Mechanism::OssPresignedV1
        | Mechanism::OssPresignedV4 => &[
            "This is a presigned URL: a link that does one thing (read, write or delete) to one \
             object in cloud storage, with the rights of whoever signed it. Whoever has the text \
             can use it until it expires.",
            "The signature covers the method, the object and the time. Which method it was cannot \
             be seen from the text. It ends with its time, or when the key that signed it is \
             deactivated.",
        ],
        Mechanism::AwsAccessKey | Mechanism::GcsHmacKey | Mechanism::GcsServiceAccount => &[
            "This is a key of an identity in a cloud: an id and its secret, like a user name and a \
             password for programs. It may do whatever that identity may do, which cannot be seen \
             from the key.",
        ],
        _ => &["This is a link to cloud storage without a key in it. It opens nothing by itself; \
             whether strangers may read what it points at is a setting of the owner, which only \
             asking can tell."],
    }
}
