//! What is proved of a bucket beside what its configuration declares. Every question is a read of
//! configuration or of one name; whether anyone may write is never tried.

use super::configuration::{Acl, Block, Policy, gives, values};
use super::list;
use super::store::{Question, Shared};
use crate::interview::{tested, told, within};
use lidless_core::{Operation, Party, PublicAccess, Right};
use std::collections::BTreeSet;

/// The largest document of a bucket's configuration: a policy has 20 KB at most.
const DOCUMENT: u64 = 1 << 20;

/// What one question about the configuration gave.
enum Seen<T> {
    Said(T),
    /// Why it is not known.
    Silent(String),
}

impl<T> Seen<T> {
    fn said(&self) -> Option<&T> {
        match self {
            Self::Said(value) => Some(value),
            Self::Silent(_) => None,
        }
    }

    fn why(&self) -> &str {
        match self {
            Self::Said(_) => "",
            Self::Silent(why) => why,
        }
    }
}

/// What is known of who may do what with one bucket.
pub(crate) struct Openness<'a> {
    shared: &'a Shared,
    bucket: &'a str,
    /// A stranger listed it; none when the answer decides nothing.
    strangers_list: Option<bool>,
    acl: Seen<Acl>,
    policy: Seen<Option<Policy>>,
    /// What the service itself says of the policy.
    policy_is_public: Option<bool>,
    block: Seen<Block>,
}

impl<'a> Openness<'a> {
    /// Asks about a bucket; `whole` asks for the configuration even where strangers may list.
    pub(crate) fn of(shared: &'a Shared, bucket: &'a str, whole: bool) -> Self {
        let not_asked = || "not asked: that strangers may list says enough".to_owned();
        let mut known = Self {
            shared,
            bucket,
            strangers_list: None,
            acl: Seen::Silent(not_asked()),
            policy: Seen::Silent(not_asked()),
            policy_is_public: None,
            block: Seen::Silent(not_asked()),
        };
        known.strangers_list = known.as_stranger();
        if !whole && known.strangers_list == Some(true) {
            return known;
        }
        known.acl = known.ask("acl", Acl::parse);
        known.policy_is_public = known.is_policy_public();
        known.policy = match known.policy_is_public {
            Some(false) if !whole => Seen::Said(None),
            _ => known.ask_or_none("policy", Policy::parse),
        };
        let opens = known.policy_is_public != Some(false)
            || known.acl.said().is_none_or(|acl| *acl != Acl::default());
        if whole || opens {
            known.block = match known.ask_or_none("publicAccessBlock", Block::parse) {
                Seen::Said(block) => Seen::Said(block.unwrap_or_default()),
                Seen::Silent(why) => Seen::Silent(why),
            };
        }
        known
    }

    fn as_stranger(&self) -> Option<bool> {
        let question =
            Question { strange: true, ..Question::bucket(self.bucket, "list-type=2&max-keys=1") };
        let answer = self.shared.ask(&question, &self.what(), DOCUMENT).ok()?;
        match answer.status {
            200 if list::objects(&answer.body).is_ok() => Some(true),
            401 | 403 => Some(false),
            _ => None,
        }
    }

    fn is_policy_public(&self) -> Option<bool> {
        let read = |body: &[u8]| values(body, "PolicyStatus");
        match self.ask_or_none("policyStatus", read) {
            Seen::Said(Some(values)) => {
                let word = values.iter().find(|(name, _)| name.eq_ignore_ascii_case("ispublic"));
                word.map(|(_, text)| text.eq_ignore_ascii_case("true"))
            }
            Seen::Said(None) => Some(false),
            Seen::Silent(_) => None,
        }
    }

    /// Asks for a part of the configuration that is always there.
    fn ask<T>(&self, part: &str, read: impl Fn(&[u8]) -> Result<T, String>) -> Seen<T> {
        match self.ask_or_none(part, read) {
            Seen::Said(Some(value)) => Seen::Said(value),
            Seen::Said(None) => Seen::Silent(format!("the service has no {part} for it")),
            Seen::Silent(why) => Seen::Silent(why),
        }
    }

    /// The same of a part that may not be set.
    fn ask_or_none<T>(
        &self,
        part: &str,
        read: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Seen<Option<T>> {
        let question = Question::bucket(self.bucket, part);
        let answer = match self.shared.ask(&question, &self.what(), DOCUMENT) {
            Ok(answer) => answer,
            Err(error) => return Seen::Silent(error.message),
        };
        match answer.status {
            200 => match read(&answer.body) {
                Ok(value) => Seen::Said(Some(value)),
                Err(why) => Seen::Silent(format!("the answer about {part} is not read: {why}")),
            },
            404 if answer.code().as_deref() != Some("NoSuchBucket") => Seen::Said(None),
            status => {
                let code = answer.code().map(|code| format!(" {code}")).unwrap_or_default();
                Seen::Silent(format!("the {part} may not be seen: {status}{code}"))
            }
        }
    }

    fn what(&self) -> String {
        format!("ask about {}", self.shared.bucket_place(self.bucket))
    }

    /// Whether what the list gives to groups has an effect.
    fn acl_counts(&self) -> bool {
        self.block.said().is_none_or(|block| !block.ignores_acls)
    }

    /// Whether what the policy gives to everyone has an effect.
    fn policy_counts(&self) -> bool {
        self.block.said().is_none_or(|block| !block.restricts_policies)
    }

    /// The word for a listing of buckets; none when nothing decides it.
    pub(crate) fn public(&self) -> Option<PublicAccess> {
        if self.strangers_list == Some(true) {
            return Some(PublicAccess::Container);
        }
        self.strangers_list?;
        let acl = self.acl.said()?;
        // Anybody can have an account of the provider.
        if self.acl_counts() && (gives(&acl.strangers, "READ") || gives(&acl.members, "READ")) {
            return Some(PublicAccess::Container);
        }
        if !self.policy_counts() {
            return Some(PublicAccess::None);
        }
        match (self.policy.said(), self.policy_is_public) {
            (Some(Some(policy)), _) if policy.everyone_may("s3:ListBucket") == Some(true) => {
                Some(PublicAccess::Container)
            }
            (Some(Some(policy)), _) if policy.everyone_may("s3:GetObject") == Some(true) => {
                Some(PublicAccess::Blob)
            }
            (Some(_), _) | (_, Some(false)) => Some(PublicAccess::None),
            (_, Some(true)) => Some(PublicAccess::Blob),
            (None, None) => None,
        }
    }

    /// Everything that is known, as rights; `listed` tells of the listing of a stranger as well.
    pub(crate) fn rights(&self, listed: bool) -> Vec<Right> {
        let place = within(&self.shared.access, self.shared.bucket_place(self.bucket));
        let mut rights = Vec::new();
        if listed {
            let (list, how) = (Operation::ListObjects, "a listing of one name by a stranger");
            rights.push(tested(Party::Strangers, list, place.clone(), self.strangers_list, how));
        }
        for (operation, action, permission) in [
            (Operation::ListObjects, "s3:ListBucket", Some("READ")),
            (Operation::ReadContent, "s3:GetObject", None),
            (Operation::CreateObjects, "s3:PutObject", Some("WRITE")),
            (Operation::OverwriteObjects, "s3:PutObject", Some("WRITE")),
            (Operation::DeleteObjects, "s3:DeleteObject", Some("WRITE")),
            (Operation::ChangeContainerAccess, "s3:PutBucketAcl", Some("WRITE_ACP")),
        ] {
            let mut say = |party| {
                let (may, why) = self.declared(party, action, permission);
                rights.push(told(party, operation, place.clone(), may, &why));
            };
            say(Party::Strangers);
            let given = self.acl.said().zip(permission);
            if given.is_some_and(|(acl, permission)| gives(&acl.members, permission)) {
                say(Party::Members);
            }
        }
        rights
    }

    /// What list and policy together say of one action, and which of them.
    fn declared(
        &self,
        party: Party,
        action: &str,
        permission: Option<&str>,
    ) -> (Option<bool>, String) {
        let empty = BTreeSet::new();
        let group = self.acl.said().map_or(&empty, |acl| match party {
            Party::Members => &acl.members,
            _ => &acl.strangers,
        });
        if permission.is_some_and(|permission| gives(group, permission)) {
            let who = if party == Party::Members { "every account" } else { "everyone" };
            let why = format!("the access control list gives it to {who}");
            return if self.acl_counts() {
                (Some(true), why + &self.block_note())
            } else {
                (Some(false), why + ", and the public access block voids it")
            };
        }
        let may = self.policy.said().map(|policy| {
            policy.as_ref().map_or(Some(false), |policy| policy.everyone_may(action))
        });
        match may {
            Some(Some(true)) if !self.policy_counts() => {
                let why = "the policy gives it to everyone, and the public access block voids it";
                (Some(false), why.into())
            }
            Some(Some(true)) => {
                let partial = self.policy.said().and_then(Option::as_ref);
                let beside = if partial.is_some_and(|policy| policy.is_partial) {
                    "; other statements of it may deny it".to_owned()
                } else {
                    self.block_note()
                };
                (Some(true), format!("the policy gives it to everyone{beside}"))
            }
            Some(None) => (None, "the policy gives it to everyone under a condition".into()),
            Some(Some(false)) => match (&self.acl, action) {
                (Seen::Silent(why), _) => (None, why.clone()),
                (Seen::Said(_), "s3:GetObject") => {
                    let why = "not by the policy; the access control list of each object may";
                    (None, why.into())
                }
                (Seen::Said(_), _) => {
                    let why = "neither the access control list nor the policy gives it";
                    (Some(false), why.into())
                }
            },
            None => {
                let public = match self.policy_is_public {
                    Some(true) => "; the service calls the policy public",
                    _ => "",
                };
                (None, format!("{}{public}", self.policy.why()))
            }
        }
    }

    /// A word on the switches that were not seen.
    fn block_note(&self) -> String {
        match &self.block {
            Seen::Silent(why) => format!("; whether a public access block voids it: {why}"),
            // The account has switches of its own, in another service.
            Seen::Said(_) => String::new(),
        }
    }
}

/// What the configuration says of the bucket itself: whether versions are kept, and who pays.
pub(crate) fn settings(shared: &Shared, bucket: &str) -> Vec<Right> {
    let place = shared.bucket_place(bucket);
    let what = format!("ask about {place}");
    let ask = |part: &str, root: &str| -> Seen<Vec<(String, String)>> {
        match shared.ask(&Question::bucket(bucket, part), &what, DOCUMENT) {
            Ok(answer) if answer.status == 200 => match values(&answer.body, root) {
                Ok(values) => Seen::Said(values.into_iter().collect()),
                Err(why) => Seen::Silent(why),
            },
            Ok(answer) => {
                let code = answer.code().map(|code| format!(" {code}")).unwrap_or_default();
                Seen::Silent(format!("it may not be seen: {}{code}", answer.status))
            }
            Err(error) => Seen::Silent(error.message),
        }
    };
    let of = |values: &[(String, String)], name: &str| {
        values.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    };
    let (kept, why) = match ask("versioning", "VersioningConfiguration") {
        Seen::Said(values) => match of(&values, "Status").as_deref() {
            Some("Enabled") => (Some(true), "versions are kept".to_owned()),
            Some("Suspended") => {
                let why = "versioning is suspended: what was kept before is still there";
                (Some(true), why.into())
            }
            _ => (Some(false), "versions were never kept".into()),
        },
        Seen::Silent(why) => (None, why),
    };
    let place = within(&shared.access, place);
    let versions = told(Party::Holder, Operation::FindVersions, place.clone(), kept, &why);
    let (free, why) = match ask("requestPayment", "RequestPaymentConfiguration") {
        Seen::Said(values) if of(&values, "Payer").as_deref() == Some("Requester") => {
            (Some(false), "whoever asks pays (requester pays)".into())
        }
        Seen::Said(_) => (Some(true), "the owner pays".into()),
        Seen::Silent(why) => (None, why),
    };
    vec![versions, told(Party::Holder, Operation::ReadAtOwnersCost, place, free, &why)]
}

/// What the list of one object gives to everyone.
pub(crate) fn of_object(shared: &Shared, bucket: &str, key: &str) -> Right {
    let place = within(&shared.access, format!("{}/{key}", shared.bucket_place(bucket)));
    let what = format!("ask about {}", shared.bucket_place(bucket));
    let question = Question { parameters: "acl", ..Question::object(bucket, key) };
    let (given, why) = match shared.ask(&question, &what, DOCUMENT) {
        Ok(answer) if answer.status == 200 => match Acl::parse(&answer.body) {
            Ok(acl) => {
                let given = gives(&acl.strangers, "READ");
                let word = if given { "gives" } else { "does not give" };
                (Some(given), format!("its access control list {word} it to everyone"))
            }
            Err(why) => (None, why),
        },
        Ok(answer) => (None, format!("its access control list may not be seen: {}", answer.status)),
        Err(error) => (None, error.message),
    };
    told(Party::Strangers, Operation::ReadContent, place, given, &why)
}
