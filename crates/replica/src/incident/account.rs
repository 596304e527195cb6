//! The account and the two links that were given away.

use crate::account::Account;
use crate::random::Random;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lidless_core::Secret;
use lidless_token::AccountSasParameters;

/// The account's name.
pub(super) const NAME: &str = "contosolab";

/// The links of the incident: each opens the whole account, for everything.
#[derive(Debug, Clone)]
pub struct Links {
    /// Public from 2020-07-20, until 2021-10-05.
    pub first: Secret,
    /// Public from 2021-10-06, until 2051-10-06T07:00:00Z.
    pub second: Secret,
}

/// The account, with keys made from a fixed seed.
#[must_use]
pub fn account() -> Account {
    let key = |name: &str| {
        let bytes = Random::named(&format!("{NAME} {name}")).bytes(64);
        Secret::new(STANDARD.encode(bytes))
    };
    Account { name: NAME.to_owned(), key1: key("key1"), key2: key("key2") }
}

/// The two links, signed with the account's first key.
#[must_use]
pub fn links(account: &Account) -> Links {
    let link = |version: &str, permissions: &str, start: &str, expiry: &str| {
        let query = AccountSasParameters {
            version: version.to_owned(),
            services: "bfqt".to_owned(),
            resource_types: "sco".to_owned(),
            permissions: permissions.to_owned(),
            start: start.to_owned(),
            expiry: expiry.to_owned(),
            ..AccountSasParameters::default()
        }
        .mint(&account.name, account.key1.expose())
        .unwrap_or_default();
        Secret::new(format!("https://{}.blob.core.windows.net/models?{query}", account.name))
    };
    Links {
        first: link("2019-12-12", "rwdlacupx", "2020-07-20T07:00:00Z", "2021-10-05T07:00:00Z"),
        second: link("2020-08-04", "rwdlacup", "", "2051-10-06T07:00:00Z"),
    }
}
