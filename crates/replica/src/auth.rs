//! Who asks, and whether they may: shared access signatures, verified as the service does.
//!
//! The strings to sign are built here from the documentation and not by `lidless-token`, so that a
//! mistake there does not agree with itself.

use crate::account::Account;
use crate::contents::{Container, Policy};
use crate::refusal::Refusal;
use crate::request::Request;
use crate::shared_key;
use crate::xml::http_date;
use jiff::Timestamp;
use lidless_core::PublicAccess;
use std::net::IpAddr;

/// What an operation needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Need {
    /// The resource type letter of an account SAS: `s`, `c` or `o`; null when any will do.
    pub(crate) level: Option<char>,
    /// The permission letter; null when any will do.
    pub(crate) permission: Option<char>,
    /// The least public access that allows it to strangers; null when none does.
    pub(crate) public: Option<PublicAccess>,
    /// Whether a service SAS can grant it.
    pub(crate) by_service_sas: bool,
}

/// Where a request points, and from where it comes.
pub(crate) struct Caller<'a> {
    pub(crate) account: &'a Account,
    pub(crate) request: &'a Request,
    pub(crate) container_name: &'a str,
    pub(crate) key: &'a str,
    pub(crate) container: Option<&'a Container>,
    pub(crate) peer: IpAddr,
    pub(crate) now: Timestamp,
}

impl Caller<'_> {
    /// Lets the request pass or says why not.
    pub(crate) fn authorize(&self, need: Need) -> Result<(), Refusal> {
        if let Some(authorization) = self.request.header("authorization") {
            return shared_key::verify(self.account, self.request, authorization);
        }
        if self.request.parameter("sig").is_none() {
            return self.anonymous(need);
        }
        if self.request.parameter("skoid").is_some() {
            return Err(Refusal::authentication(
                "User delegation keys were never asked of this account.".to_owned(),
            ));
        }
        if self.request.parameter("ss").is_some() || self.request.parameter("srt").is_some() {
            self.account_sas(need)
        } else {
            self.service_sas(need)
        }
    }

    fn field(&self, name: &str) -> &str {
        self.request.parameter(name).unwrap_or_default()
    }

    fn anonymous(&self, need: Need) -> Result<(), Refusal> {
        let granted = self.container.map_or(PublicAccess::None, |it| it.public);
        if need.public.is_some_and(|least| granted >= least) {
            return Ok(());
        }
        let tells_how =
            self.request.header("x-ms-version").is_some_and(|version| version >= "2019-12-12");
        Err(Refusal::anonymous(tells_how))
    }

    fn account_sas(&self, need: Need) -> Result<(), Refusal> {
        let version = self.field("sv");
        let mut fields = vec![self.account.name.as_str()];
        fields.extend(["sp", "ss", "srt", "st", "se", "sip", "spr", "sv"].map(|it| self.field(it)));
        if version >= "2020-12-06" {
            fields.push(self.field("ses"));
        }
        fields.push("");
        self.signed(&fields.join("\n"))?;
        self.in_time(self.field("st"), self.field("se"), None)?;
        self.place_allowed()?;
        if !self.field("ss").contains('b') {
            return Err(Refusal::authorization("AuthorizationServiceMismatch"));
        }
        if need.level.is_some_and(|it| !self.field("srt").contains(it)) {
            return Err(Refusal::authorization("AuthorizationResourceTypeMismatch"));
        }
        self.permitted(self.field("sp"), need)
    }

    fn service_sas(&self, need: Need) -> Result<(), Refusal> {
        let version = self.field("sv");
        let resource = self.field("sr");
        let mut canonical = format!("/{}/{}", self.account.name, self.container_name);
        if version >= "2015-02-21" {
            canonical.insert_str(0, "/blob");
        }
        if resource != "c" {
            canonical.push('/');
            canonical.push_str(self.key);
        }
        let mut fields = ["sp", "st", "se"].map(|it| self.field(it)).to_vec();
        fields.push(&canonical);
        fields.push(self.field("si"));
        if version >= "2015-04-05" {
            fields.extend(["sip", "spr"].map(|it| self.field(it)));
        }
        if version >= "2012-02-12" {
            fields.push(version);
        }
        if version >= "2018-11-09" {
            fields.extend(["sr", "snapshot"].map(|it| self.field(it)));
        }
        if version >= "2020-12-06" {
            fields.push(self.field("ses"));
        }
        if version >= "2013-08-15" {
            fields.extend(["rscc", "rscd", "rsce", "rscl", "rsct"].map(|it| self.field(it)));
        }
        self.signed(&fields.join("\n"))?;
        let policy = match self.request.parameter("si").filter(|id| !id.is_empty()) {
            None => None,
            Some(id) => Some(
                self.container
                    .and_then(|it| it.policies.iter().find(|policy| policy.id == id))
                    .ok_or_else(|| {
                        Refusal::authentication(
                            "Access policy fields can be associated with signature or SAS \
                             identifier but not both, or the identifier is not known"
                                .to_owned(),
                        )
                    })?,
            ),
        };
        self.in_time(self.field("st"), self.field("se"), policy)?;
        self.place_allowed()?;
        if !need.by_service_sas || !matches!(resource, "b" | "c") {
            return Err(Refusal::authorization("AuthorizationFailure"));
        }
        let permissions = policy
            .and_then(|policy| policy.permissions.as_deref())
            .unwrap_or_else(|| self.field("sp"));
        self.permitted(permissions, need)
    }

    fn permitted(&self, granted: &str, need: Need) -> Result<(), Refusal> {
        if need.permission.is_some_and(|it| !granted.contains(it)) {
            return Err(Refusal::authorization("AuthorizationPermissionMismatch"));
        }
        Ok(())
    }

    fn signed(&self, string_to_sign: &str) -> Result<(), Refusal> {
        if shared_key::signed_by(self.account, string_to_sign, self.field("sig")) {
            return Ok(());
        }
        Err(Refusal::authentication(format!(
            "Signature did not match. String to sign used was {string_to_sign}"
        )))
    }

    fn in_time(&self, st: &str, se: &str, policy: Option<&Policy>) -> Result<(), Refusal> {
        let read = |name: &str, text: &str| {
            if text.is_empty() {
                return Ok(None);
            }
            time(text).map(Some).ok_or_else(|| {
                Refusal::authentication(format!("Signature fields not well formed: {name}"))
            })
        };
        let start = policy
            .and_then(|policy| policy.starts)
            .map_or_else(|| read("st", st), |time| Ok(Some(time)))?;
        let expiry = policy
            .and_then(|policy| policy.expires)
            .map_or_else(|| read("se", se), |time| Ok(Some(time)))?
            .ok_or_else(|| {
                Refusal::authentication("se is mandatory. Cannot be empty".to_owned())
            })?;
        if start.is_some_and(|start| self.now < start) || self.now >= expiry {
            return Err(Refusal::authentication(format!(
                "Signature not valid in the specified time frame: Start [{}] - Expiry [{}] - \
                 Current [{}]",
                start.map(http_date).unwrap_or_default(),
                http_date(expiry),
                http_date(self.now),
            )));
        }
        Ok(())
    }

    fn place_allowed(&self) -> Result<(), Refusal> {
        // The replica speaks plain HTTP only.
        if self.field("spr") == "https" {
            return Err(Refusal::authorization("AuthorizationProtocolMismatch"));
        }
        let allowed = self.field("sip");
        if allowed.is_empty() {
            return Ok(());
        }
        let (first, last) = allowed.split_once('-').unwrap_or((allowed, allowed));
        let inside = match (first.parse::<IpAddr>(), last.parse::<IpAddr>()) {
            (Ok(first), Ok(last)) => first <= self.peer && self.peer <= last,
            _ => false,
        };
        if inside { Ok(()) } else { Err(Refusal::authorization("AuthorizationSourceIPMismatch")) }
    }
}

/// A time as tokens write it: a date, minutes, seconds or fractions, always UTC.
fn time(text: &str) -> Option<Timestamp> {
    if text.len() == 10 {
        return format!("{text}T00:00:00Z").parse().ok();
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_time_that_tokens_use_is_read() {
        for text in [
            "2051-10-06",
            "2051-10-06T00:00Z",
            "2051-10-06T00:00:00Z",
            "2051-10-06T00:00:00.0000000Z",
        ] {
            assert_eq!(time(text).unwrap().to_string(), "2051-10-06T00:00:00Z", "{text}");
        }
        assert_eq!(time("tomorrow"), None);
    }
}
