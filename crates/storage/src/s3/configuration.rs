//! What a bucket's configuration declares: access control list, policy, public access block,
//! versions, who pays. All of it is hostile text: bounded by the client, and nothing is expanded.
//!
//! Sources: GetBucketAcl, GetBucketPolicyStatus, GetBucketPolicy, GetPublicAccessBlock,
//! GetBucketVersioning and GetBucketRequestPayment of the S3 API reference; "Access policy
//! language overview" and "Blocking public access" of its user guide.

use crate::xml::{Step, Walk};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What an access control list gives to groups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Acl {
    /// To everyone: `READ`, `WRITE`, `READ_ACP`, `WRITE_ACP`, `FULL_CONTROL`.
    pub(crate) strangers: BTreeSet<String>,
    /// To anyone with an account of the provider.
    pub(crate) members: BTreeSet<String>,
}

impl Acl {
    /// Reads a list.
    ///
    /// # Errors
    /// What is wrong with the document, in words.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, String> {
        let mut walk = Walk::new(body);
        let (mut found, mut group, mut complete) = (Self::default(), String::new(), false);
        loop {
            match walk.step()? {
                Step::Open => {
                    if walk.path.last().is_some_and(|name| name == "Grant") {
                        group.clear();
                    }
                }
                Step::Close => {
                    let (name, text) = walk.close();
                    match name.as_str() {
                        "URI" => group = text,
                        "Permission" if group.ends_with("/global/AllUsers") => {
                            found.strangers.insert(text);
                        }
                        "Permission" if group.ends_with("/global/AuthenticatedUsers") => {
                            found.members.insert(text);
                        }
                        "AccessControlPolicy" => complete = true,
                        _ => {}
                    }
                }
                Step::End if complete => return Ok(found),
                Step::End => return Err("the access control list breaks off".into()),
            }
        }
    }
}

/// Whether a group was given a permission of a list.
pub(crate) fn gives(permissions: &BTreeSet<String>, permission: &str) -> bool {
    permissions.contains(permission) || permissions.contains("FULL_CONTROL")
}

/// The values of a small document without lists, by name.
///
/// # Errors
/// What is wrong with the document, in words.
pub(crate) fn values(body: &[u8], root: &str) -> Result<BTreeMap<String, String>, String> {
    let mut walk = Walk::new(body);
    let (mut found, mut complete) = (BTreeMap::new(), false);
    loop {
        match walk.step()? {
            Step::Open => {}
            Step::Close => {
                let (name, text) = walk.close();
                complete |= walk.path.is_empty() && name == root;
                found.insert(name, text.trim().to_owned());
            }
            Step::End if complete => return Ok(found),
            // `<VersioningConfiguration/>`: nothing is set.
            Step::End if String::from_utf8_lossy(body).contains(&format!("<{root}")) => {
                return Ok(found);
            }
            Step::End => return Err("not the document that was asked for".into()),
        }
    }
}

/// Which of the four switches against public access are on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Block {
    /// Lists that give something to everyone have no effect.
    pub(crate) ignores_acls: bool,
    /// Public policies have no effect for anyone outside the account.
    pub(crate) restricts_policies: bool,
}

impl Block {
    /// Reads the configuration.
    ///
    /// # Errors
    /// What is wrong with the document, in words.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, String> {
        let values = values(body, "PublicAccessBlockConfiguration")
            // As Ceph writes it.
            .or_else(|_| values(body, "BlockPublicAccessBlockConfiguration"))?;
        let is_on = |name: &str| values.get(name).is_some_and(|text| text.to_lowercase() == "true");
        Ok(Self {
            ignores_acls: is_on("IgnorePublicAcls"),
            restricts_policies: is_on("RestrictPublicBuckets"),
        })
    }
}

/// What the statements of a policy say about everyone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Actions that everyone is allowed, lower case, as written: `s3:getobject`, `s3:*`.
    allowed: BTreeSet<String>,
    /// The same, under a condition.
    conditional: BTreeSet<String>,
    /// There are statements that deny, or that say what is not meant: more than can be told here.
    pub(crate) is_partial: bool,
}

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    /// What is wrong with the document, in words.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, String> {
        let document: Value = serde_json::from_slice(body).map_err(|_| "no JSON")?;
        let statements = match document.get("Statement") {
            Some(Value::Array(list)) => list.clone(),
            Some(one @ Value::Object(_)) => vec![one.clone()],
            _ => return Err("no statements".into()),
        };
        let mut policy = Self::default();
        for statement in &statements {
            let effect = statement.get("Effect").and_then(Value::as_str);
            if effect != Some("Allow") {
                policy.is_partial = true;
                continue;
            }
            if statement.get("NotPrincipal").is_some() || statement.get("NotAction").is_some() {
                policy.is_partial = true;
                continue;
            }
            if !statement.get("Principal").is_some_and(is_everyone) {
                continue;
            }
            let actions = words(statement.get("Action"));
            let conditions = statement.get("Condition").and_then(Value::as_object);
            let list = match conditions {
                Some(conditions) if !conditions.is_empty() => &mut policy.conditional,
                _ => &mut policy.allowed,
            };
            list.extend(actions.into_iter().map(|action| action.to_ascii_lowercase()));
        }
        Ok(policy)
    }

    /// Whether everyone may do `action` (`s3:GetObject`): without condition (`Some(true)`), under
    /// one (`None`), or not (`Some(false)`).
    pub(crate) fn everyone_may(&self, action: &str) -> Option<bool> {
        let action = action.to_ascii_lowercase();
        let fits = |list: &BTreeSet<String>| list.iter().any(|pattern| matches(pattern, &action));
        match (fits(&self.allowed), fits(&self.conditional)) {
            (true, _) => Some(true),
            (false, true) => None,
            (false, false) => Some(false),
        }
    }
}

/// `"*"`, `{"AWS": "*"}`, `{"AWS": ["*"]}`.
fn is_everyone(principal: &Value) -> bool {
    match principal {
        Value::String(text) => text == "*",
        Value::Object(map) => map
            .iter()
            .any(|(kind, who)| (kind == "AWS" || kind == "*") && words(Some(who)).contains(&"*")),
        _ => false,
    }
}

/// A word or a list of words.
fn words(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Whether a text fits a pattern with `*` and `?`. Both are short: the pattern comes from a policy
/// of 20 KB at most, and the walk is at most their product.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut of, mut star, mut back) = (0usize, 0usize, None, 0usize);
    while let Some(byte) = text.get(at) {
        match pattern.get(of) {
            Some(b'*') => {
                star = Some(of);
                back = at;
                of = of.saturating_add(1);
            }
            Some(one) if one == byte || *one == b'?' => {
                at = at.saturating_add(1);
                of = of.saturating_add(1);
            }
            _ => {
                let Some(place) = star else { return false };
                back = back.saturating_add(1);
                at = back;
                of = place.saturating_add(1);
            }
        }
    }
    pattern.get(of..).unwrap_or(&[]).iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "<AccessControlPolicy><AccessControlList><Grant><Grantee><ID>x</ID>\
        </Grantee><Permission>FULL_CONTROL</Permission></Grant><Grant><Grantee>\
        <URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee>\
        <Permission>READ</Permission></Grant><Grant><Grantee><ID>y</ID></Grantee>\
        <Permission>WRITE</Permission></Grant></AccessControlList></AccessControlPolicy>";
    const BLOCK: &str = "<PublicAccessBlockConfiguration><BlockPublicAcls>false</BlockPublicAcls>\
        <IgnorePublicAcls>TRUE</IgnorePublicAcls><RestrictPublicBuckets>false\
        </RestrictPublicBuckets></PublicAccessBlockConfiguration>";
    const POLICY: &str = r#"{"Statement":[
        {"Effect":"Allow","Principal":{"AWS":["arn:x","*"]},"Action":["s3:Get*","s3:ListBucket"]},
        {"Effect":"Allow","Principal":"*","Action":"s3:PutObject","Condition":{"IpAddress":{}}},
        {"Effect":"Allow","Principal":{"AWS":"arn:y"},"Action":"s3:*"}]}"#;

    #[test]
    fn a_list_gives_to_groups_what_it_gives_to_them_alone() {
        let acl = Acl::parse(LIST.as_bytes()).unwrap();
        assert_eq!(acl.strangers, ["READ".to_owned()].into());
        assert!(acl.members.is_empty() && gives(&acl.strangers, "READ"));
        assert!(!gives(&acl.strangers, "WRITE"));
    }

    #[test]
    fn a_policy_says_what_everyone_may() {
        let policy = Policy::parse(POLICY.as_bytes()).unwrap();
        assert_eq!(policy.everyone_may("s3:GetObject"), Some(true));
        assert_eq!(policy.everyone_may("s3:ListBucket"), Some(true));
        assert_eq!(policy.everyone_may("s3:PutObject"), None);
        assert_eq!(policy.everyone_may("s3:DeleteObject"), Some(false));
        assert!(!policy.is_partial);
        let denied = POLICY.replacen("Allow", "Deny", 1);
        assert!(Policy::parse(denied.as_bytes()).unwrap().is_partial);
        for (pattern, text, fits) in
            [("s3:*", "s3:getobject", true), ("*", "", true), ("a?c*d", "abcxxd", true)]
        {
            assert_eq!(matches(pattern, text), fits, "{pattern}");
        }
        assert!(!matches("a*b", "acd") && !matches("abc", "ab") && !matches("ab", "abc"));
    }

    #[test]
    fn small_documents_are_read_and_hostile_ones_are_errors() {
        let block = Block::parse(BLOCK.as_bytes()).unwrap();
        assert!(block.ignores_acls && !block.restricts_policies);
        let empty = "<VersioningConfiguration xmlns=\"x\"/>";
        assert!(values(empty.as_bytes(), "VersioningConfiguration").unwrap().is_empty());
        for text in ["", "<AccessControlPolicy>", "<html>no</html>", "{}", "[", "{\"Statement\":1}"]
        {
            assert!(Acl::parse(text.as_bytes()).is_err(), "{text}");
            assert!(Block::parse(text.as_bytes()).is_err(), "{text}");
            assert!(Policy::parse(text.as_bytes()).is_err(), "{text}");
        }
        for text in [LIST, BLOCK, POLICY] {
            lidless_kit::cut_and_flip(text.as_bytes(), |bytes| {
                let _ = (Acl::parse(bytes), Block::parse(bytes), Policy::parse(bytes));
            });
        }
    }
}
